#include "vrrpd/keepalived/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrpd/keepalived/words.hpp"

namespace ha::keepalived {
namespace {

constexpr std::string_view kPrefixes[] = {"~SEQ(", "~SEQx(", "~LST("};
constexpr std::size_t kDigitsMax = 9;
// A sequence may use definitions in its numbers, which may use others.
constexpr int kSubstitutionsMax = 100;
constexpr std::size_t kArgumentsSizeBytesMax = 64 * 1024;

[[nodiscard]] bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

[[nodiscard]] std::size_t name_size(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name_letter) -
                                  text.begin());
}

/// The parts between commas that stand outside braces, trimmed.
[[nodiscard]] std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : ',';
    depth += c == '{' ? 1 : 0;
    depth -= c == '}' ? 1 : 0;
    if ((c != ',' || depth > 0) && i < text.size()) continue;
    parts.emplace_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return parts;
}

/// "{a, b}" as its parts, anything else as one.
[[nodiscard]] std::vector<std::string> parts_of(const std::string& text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return {text};
  return split_at_commas(std::string_view{text}.substr(1, text.size() - 2));
}

/// Decimal, or hexadecimal after 0x; with a sign.
[[nodiscard]] std::optional<std::int64_t> number_of(std::string_view text) {
  const bool is_negative = !text.empty() && text.front() == '-';
  if (is_negative) text.remove_prefix(1);
  const bool is_hexadecimal = text.substr(0, 2) == "0x" || text.substr(0, 2) == "0X";
  if (is_hexadecimal) text.remove_prefix(2);
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    const std::size_t digit = std::string_view{"0123456789abcdefABCDEF"}.find(c);
    if (digit == std::string_view::npos || (digit > 9 && !is_hexadecimal)) return std::nullopt;
    value = value * (is_hexadecimal ? 16 : 10) +
            static_cast<std::int64_t>(digit > 15 ? digit - 6 : digit);
  }
  return is_negative ? -value : value;
}

[[nodiscard]] bool is_name(const std::string& text) {
  return !text.empty() && name_size(text) == text.size();
}

[[nodiscard]] tl::expected<void, std::string> read_list(const std::vector<std::string>& arguments,
                                                        Sequence& sequence) {
  sequence.is_list = true;
  sequence.variables = parts_of(arguments.front());
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    sequence.rounds.push_back(parts_of(arguments[i]));
    if (sequence.rounds.back().size() != sequence.variables.size()) {
      return tl::make_unexpected(fmt::format("~LST has {} variables, but {} values in its round {}",
                                             sequence.variables.size(),
                                             sequence.rounds.back().size(), i));
    }
  }
  if (sequence.rounds.empty()) return tl::make_unexpected("~LST has no values");
  return {};
}

[[nodiscard]] tl::expected<void, std::string> read_range(const std::vector<std::string>& arguments,
                                                         Sequence& sequence) {
  sequence.variables = {arguments.front()};
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto number = number_of(arguments[i]);
    if (!number) return tl::make_unexpected("~SEQ has a bound that is not a number of 1-9 digits");
    numbers.push_back(*number);
  }
  if (numbers.empty() || numbers.size() > 3) {
    return tl::make_unexpected(
        "~SEQ needs (NAME, start, step, end), (NAME, start, end) or "
        "(NAME, end)");
  }
  sequence.end = numbers.back();
  sequence.start = numbers.size() > 1 ? numbers.front() : (sequence.end < 0 ? -1 : 1);
  sequence.step = numbers.size() > 2 ? numbers[1] : (sequence.end < sequence.start ? -1 : 1);
  if (sequence.step == 0) return tl::make_unexpected("~SEQ has a step of 0");
  return {};
}

}  // namespace

std::optional<std::string_view> definition_name(std::string_view line) {
  if (line.empty() || line.front() != '$') return std::nullopt;
  const std::string_view name = line.substr(1, name_size(line.substr(1)));
  if (name.empty() || line.substr(1 + name.size(), 1) != "=") return std::nullopt;
  return name;
}

std::optional<Use> find_use(std::string_view line, const ValueOf& value_of) {
  for (std::size_t at = line.find('$'); at != std::string_view::npos; at = line.find('$', at + 1)) {
    const bool is_braced = line.substr(at + 1, 1) == "{";
    const std::size_t begin = at + (is_braced ? 2 : 1);
    if (begin >= line.size()) continue;
    const std::string_view name = line.substr(begin, name_size(line.substr(begin)));
    if (name.empty() || (is_braced && line.substr(begin + name.size(), 1) != "}")) continue;
    if (auto value = value_of(name)) {
      return Use{at, begin - at + name.size() + (is_braced ? 1 : 0), std::move(*value)};
    }
  }
  return std::nullopt;
}

bool is_sequence(std::string_view line) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes), [&](std::string_view prefix) {
    return line.substr(0, prefix.size()) == prefix;
  });
}

tl::expected<Sequence, std::string> parse_sequence(
    std::string_view line, const std::map<std::string, std::string>& definitions) {
  const std::size_t open = line.find('(');
  const std::size_t close = line.find(')', open);
  if (close == std::string_view::npos) return tl::make_unexpected("a sequence has no ')'");
  std::string inner{line.substr(open + 1, close - open - 1)};
  const auto value_of = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = definitions.find(std::string{name});
    if (found == definitions.end()) return std::nullopt;
    return found->second;
  };
  for (int i = 0; i < kSubstitutionsMax && inner.size() <= kArgumentsSizeBytesMax; ++i) {
    const auto use = find_use(inner, value_of);
    if (!use) break;
    inner.replace(use->begin, use->size, use->value);
  }
  const std::vector<std::string> arguments = split_at_commas(inner);
  Sequence sequence;
  sequence.rest = line.substr(close + 1);
  sequence.is_hexadecimal = line.substr(0, 5) == "~SEQx";
  const auto read = line.substr(0, 4) == "~LST" ? read_list(arguments, sequence)
                                                : read_range(arguments, sequence);
  if (!read) return tl::make_unexpected(read.error());
  if (!std::all_of(sequence.variables.begin(), sequence.variables.end(), is_name)) {
    return tl::make_unexpected("a sequence has a variable that is not letters, digits and '_'");
  }
  return sequence;
}

void for_each_round(const Sequence& sequence,
                    const std::function<bool(const std::vector<std::string>&)>& round) {
  if (sequence.is_list) {
    for (const auto& values : sequence.rounds) {
      if (!round(values)) return;
    }
    return;
  }
  const bool rises = sequence.step > 0;
  for (std::int64_t i = sequence.start; rises ? i <= sequence.end : i >= sequence.end;
       i += sequence.step) {
    const std::string digits = sequence.is_hexadecimal
                                   ? fmt::format("{}{:x}", i < 0 ? "-" : "", i < 0 ? -i : i)
                                   : std::to_string(i);
    if (!round({digits})) return;
  }
}

}  // namespace ha::keepalived
