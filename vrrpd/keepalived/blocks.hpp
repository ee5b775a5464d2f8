/// From words to the nested blocks of a keepalived.conf; nothing is known about keywords yet.
#pragma once

#include <string>
#include <vector>

#include "vrrpd/keepalived/lines.hpp"

namespace ha::keepalived {

inline constexpr std::size_t kNestingMax = 16;

/// A line, and the block that follows it.
struct Statement {
  Place place;
  std::vector<std::string> words;  ///< at least one
  std::string arguments;           ///< what follows the first word, as it stands in the file
  bool has_block = false;
  std::vector<Statement> block;

  [[nodiscard]] const std::string& keyword() const { return words.front(); }
};

/// Blocks may open on the line of their keyword or on the next one, and close on any. What does not
/// nest is reported.
[[nodiscard]] std::vector<Statement> read_blocks(const std::vector<Token>& tokens, Report& report);

}  // namespace ha::keepalived
