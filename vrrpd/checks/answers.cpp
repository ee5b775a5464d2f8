#include "vrrpd/checks/answers.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

namespace ha::checks {

std::optional<int> parse_status_code(std::string_view response) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kCodeBegin = kVersion.size() + 2;
  constexpr std::size_t kCodeEnd = kCodeBegin + 3;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (response.size() <= kCodeEnd || response.substr(0, kVersion.size()) != kVersion ||
      !is_digit(response[kVersion.size()]) || response[kVersion.size() + 1] != ' ' ||
      is_digit(response[kCodeEnd])) {
    return std::nullopt;
  }
  int code = 0;
  for (const char c : response.substr(kCodeBegin, 3)) {
    if (!is_digit(c)) return std::nullopt;
    code = code * 10 + (c - '0');
  }
  return code < 100 ? std::nullopt : std::optional{code};
}

std::optional<int> parse_number(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  text = text.substr(0, text.find('\n'));
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return 0;
  text = text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
  if (text.front() == '+' && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number < -kNumberMax || number > kNumberMax) return std::nullopt;
  return number;
}

bool matches(const ProcessProbe& probe, std::string_view command_line) {
  using Match = ProcessProbe::Match;
  const auto next = [&]() -> std::optional<std::string_view> {
    if (command_line.empty()) return std::nullopt;
    const std::string_view word = command_line.substr(0, command_line.find('\0'));
    command_line.remove_prefix(std::min(word.size() + 1, command_line.size()));
    return word;
  };
  if (next() != std::string_view{probe.name}) return false;
  for (std::size_t i = 0; i < probe.arguments.size(); ++i) {
    const std::string_view wanted = probe.arguments[i];
    const auto word = next();
    const bool may_go_on = probe.match == Match::kInitial && i + 1 == probe.arguments.size();
    if (!word || (may_go_on ? word->substr(0, wanted.size()) : *word) != wanted) return false;
  }
  return probe.match == Match::kBeginning || !next();
}

}  // namespace ha::checks
