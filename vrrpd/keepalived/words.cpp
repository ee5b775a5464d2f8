#include "vrrpd/keepalived/words.hpp"

#include <algorithm>
#include <utility>

namespace ha::keepalived {
namespace {

[[nodiscard]] bool is_blank(char c) { return kBlanks.find(c) != std::string_view::npos; }

/// One word from `at` on; `at` ends behind it.
[[nodiscard]] std::string take_word(std::string_view line, std::size_t& at, bool& is_closed) {
  std::string word;
  bool is_quoted = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == '\\' && is_quoted && at + 1 < line.size() && line[at + 1] == '"') {
      word += line[++at];
    } else if (is_quoted) {
      word += c;
    } else if (c == '$' && at + 1 < line.size() && line[at + 1] == '{') {
      // Something undefined, which stays as it is.
      const std::size_t end = line.find_first_of("} \t\"", at);
      const bool is_name = end != std::string_view::npos && line[end] == '}';
      const std::size_t size = is_name ? end + 1 - at : 1;
      word += line.substr(at, size);
      at += size - 1;
    } else if (is_blank(c) || c == '{' || c == '}') {
      break;
    } else {
      word += c;
    }
  }
  is_closed = !is_quoted;
  return word;
}

[[nodiscard]] int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

/// Digits of `base` from `at` on, at most `digits_max`; `at` ends on the last one.
[[nodiscard]] char take_number(std::string_view text, std::size_t& at, int base, int digits_max) {
  unsigned value = 0;
  int digits = 0;
  while (digits < digits_max && at < text.size() && digit_of(text[at]) < base) {
    value = value * static_cast<unsigned>(base) + static_cast<unsigned>(digit_of(text[at]));
    value &= 0xffU;
    ++at;
    ++digits;
  }
  --at;
  return static_cast<char>(value);
}

/// What the backslash before `at` makes of the character there; `at` ends on the last one used.
[[nodiscard]] char take_escape(std::string_view text, std::size_t& at) {
  constexpr std::string_view kLetters = "abEfnrtv";
  constexpr std::string_view kMeanings = "\a\b\033\f\n\r\t\v";
  const char c = text[at];
  if (const std::size_t letter = kLetters.find(c); letter != std::string_view::npos) {
    return kMeanings[letter];
  }
  if (c >= '0' && c <= '7') return take_number(text, at, 8, 3);
  if (c == 'x' && at + 1 < text.size() && digit_of(text[at + 1]) < 16) {
    ++at;
    // Any number of digits is accepted; the last two count.
    return take_number(text, at, 16,
                       static_cast<int>(std::min<std::size_t>(text.size(), 1U << 20U)));
  }
  if (c == 'c' && at + 1 < text.size()) {
    return static_cast<char>(static_cast<unsigned char>(text[++at]) & 0x1fU);
  }
  return c;
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view without_comment(std::string_view line) {
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && is_quoted) {
      ++i;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if ((c == '#' || c == '!') && !is_quoted) {
      return line.substr(0, i);
    }
  }
  return line;
}

bool split_words(std::string_view line, Place place, std::vector<Token>& tokens) {
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = at;
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return true;
    if (line[at] == '{' || line[at] == '}') {
      tokens.push_back({line[at] == '{' ? Token::Kind::kOpen : Token::Kind::kClose, "", "", place});
      ++at;
      continue;
    }
    bool is_closed = true;
    std::string word = take_word(line, at, is_closed);
    if (!is_closed) return false;
    tokens.push_back(
        {Token::Kind::kWord, std::move(word), std::string{line.substr(begin, at - begin)}, place});
  }
}

std::optional<std::vector<std::string>> split_command(std::string_view text) {
  std::vector<std::string> arguments;
  std::string argument;
  bool is_open = false;  // an argument has begun
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      argument += take_escape(text, ++i);
      is_open = true;
    } else if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        argument += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_open = true;
    } else if (is_blank(c) || c == '\n') {
      if (is_open) arguments.push_back(std::exchange(argument, {}));
      is_open = false;
    } else {
      argument += c;
      is_open = true;
    }
  }
  if (quote != '\0') return std::nullopt;
  if (is_open) arguments.push_back(std::move(argument));
  return arguments;
}

}  // namespace ha::keepalived
