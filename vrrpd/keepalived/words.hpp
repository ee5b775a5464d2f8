/// From one line to its words and braces, and from the text of a command to its arguments: the two
/// ways in which keepalived quotes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/keepalived/report.hpp"

namespace ha::keepalived {

inline constexpr std::string_view kBlanks = " \t\r\v\f";

struct Token {
  enum class Kind : std::uint8_t {
    kWord,   ///< `text`
    kOpen,   ///< {
    kClose,  ///< }
    kEnd,    ///< of the line
  };
  Kind kind = Kind::kEnd;
  std::string text;  ///< without its double quotes
  std::string raw;   ///< as it stands in the file, with the blanks before it
  Place place;
};

[[nodiscard]] std::string_view trimmed(std::string_view text);

/// Up to a `#` or `!` that stands outside double quotes.
[[nodiscard]] std::string_view without_comment(std::string_view line);

/// Appends the words and braces of `line`. Only double quotes have a meaning here; a brace outside
/// them is one wherever it stands, except in `${NAME}`. Returns whether all quotes are closed.
[[nodiscard]] bool split_words(std::string_view line, Place place, std::vector<Token>& tokens);

/// Splits the text of a command at blanks outside single and double quotes, with the shell's
/// backslash escapes. Nothing if a quote is not closed.
[[nodiscard]] std::optional<std::vector<std::string>> split_command(std::string_view text);

}  // namespace ha::keepalived
