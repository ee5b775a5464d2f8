#include "vrrpd/keepalived/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDigitsMax = 9;
constexpr std::size_t kDecimalsMax = 6;

[[nodiscard]] bool is_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

[[nodiscard]] std::optional<std::int64_t> number_of(std::string_view digits) {
  if (!is_digits(digits) || digits.size() > kDigitsMax) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

/// Nothing if it is no time at all.
[[nodiscard]] std::optional<Duration> time_of(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto whole = point == 0 ? std::optional<std::int64_t>{0} : number_of(text.substr(0, point));
  std::string decimals{text.substr(std::min(point + 1, text.size()))};
  if (!whole || text == "." || decimals.size() > kDecimalsMax) return std::nullopt;
  if (text.empty() || (!decimals.empty() && !is_digits(decimals))) return std::nullopt;
  decimals.resize(kDecimalsMax, '0');
  return Duration{*whole * 1s} + Duration{*number_of(decimals) * 1us};
}

[[nodiscard]] std::string seconds(Duration duration) {
  std::string text = fmt::format("{:.6f}", std::chrono::duration<double>{duration}.count());
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void refuse(const Statement& statement, const std::string& value, const std::string& why,
            Reading& reading) {
  reading.report.error(statement.place,
                       fmt::format("{} {} {}", statement.keyword(), shown(value), why));
}

/// The absolute path of the program, which a missing one keeps: its check or command then fails.
[[nodiscard]] std::string resolved(const std::string& program, const Statement& statement,
                                   Reading& reading) {
  if (program.front() == '/') return program;
  if (program.find('/') == std::string::npos) {
    if (auto path = reading.machine.find_program(program)) return *path;
  }
  std::string path = "/usr/bin/" + program;
  reading.report.warning(
      statement.place,
      fmt::format("{} is not a program on this machine; {} is tried, and fails until it is there",
                  shown(program), shown(path)));
  return path;
}

}  // namespace

std::optional<std::string> word_at(const Statement& statement, std::size_t index,
                                   Reading& reading) {
  if (index < statement.words.size()) return statement.words[index];
  reading.report.error(statement.place,
                       fmt::format("{} needs a value", shown(statement.keyword())));
  return std::nullopt;
}

std::optional<int> integer_at(const Statement& statement, std::size_t index, int min, int max,
                              Reading& reading) {
  const auto word = word_at(statement, index, reading);
  if (!word) return std::nullopt;
  const bool is_negative = !word->empty() && word->front() == '-';
  const auto number = number_of(std::string_view{*word}.substr(is_negative ? 1 : 0));
  const std::int64_t value = number.value_or(0) * (is_negative ? -1 : 1);
  if (!number || value < min || value > max) {
    refuse(statement, *word, fmt::format("is not a whole number in {} to {}", min, max), reading);
    return std::nullopt;
  }
  return static_cast<int>(value);
}

std::optional<Duration> timer_at(const Statement& statement, std::size_t index, Duration min,
                                 Duration max, Reading& reading) {
  const auto word = word_at(statement, index, reading);
  if (!word) return std::nullopt;
  const auto time = time_of(*word);
  if (!time || *time < min || *time > max) {
    refuse(statement, *word,
           fmt::format("is not a number of seconds in {}-{}", seconds(min), seconds(max)), reading);
    return std::nullopt;
  }
  const Duration rounded = std::max<Duration>(std::chrono::round<std::chrono::milliseconds>(*time),
                                              *time > 0s ? Duration{1ms} : Duration{});
  if (rounded != *time) {
    reading.report.note(statement.place, fmt::format("{} {} is taken as {}", statement.keyword(),
                                                     shown(*word), config::to_text(rounded)));
  }
  return rounded;
}

std::optional<bool> flag(const Statement& statement, Reading& reading) {
  if (statement.words.size() == 1) return true;
  const std::string& word = statement.words[1];
  if (word == "on" || word == "true" || word == "yes") return true;
  if (is_off(word)) return false;
  refuse(statement, word, "is not on, true, yes, off, false or no", reading);
  return std::nullopt;
}

bool is_off(const std::string& word) { return word == "off" || word == "false" || word == "no"; }

std::optional<IpAddress> address_at(const Statement& statement, std::size_t index,
                                    Reading& reading) {
  const auto word = word_at(statement, index, reading);
  if (!word) return std::nullopt;
  const auto address = config::parse_address(*word);
  if (address) return *address;
  refuse(statement, *word, address.error(), reading);
  return std::nullopt;
}

std::optional<std::string> interface_at(const Statement& statement, std::size_t index,
                                        Reading& reading) {
  const auto word = word_at(statement, index, reading);
  if (!word) return std::nullopt;
  const auto name = config::parse_interface(*word);
  if (name) return *name;
  refuse(statement, *word, name.error(), reading);
  return std::nullopt;
}

std::optional<Command> command_of(const Statement& statement, Reading& reading) {
  // Split twice, as keepalived does: the line into the command, a user and a group, and then the
  // command into its arguments.
  const auto parts = split_command(statement.arguments);
  const auto arguments = parts && !parts->empty() ? split_command(parts->front())
                                                  : std::optional<std::vector<std::string>>{};
  if (!arguments || arguments->empty() || arguments->front().empty()) {
    reading.report.error(statement.place, fmt::format("{} needs a command whose quotes are closed",
                                                      shown(statement.keyword())));
    return std::nullopt;
  }
  Command command;
  command.arguments = *arguments;
  command.arguments.front() = resolved(command.arguments.front(), statement, reading);
  if (parts->size() > 1) command.user = (*parts)[1];
  if (parts->size() > 2) command.group = (*parts)[2];
  return command;
}

void read_weight(const Statement& statement, std::size_t index, int max, Tracked& tracked,
                 Reading& reading) {
  for (; index < statement.words.size(); ++index) {
    const std::string& word = statement.words[index];
    if (word == "weight") {
      tracked.weight = integer_at(statement, ++index, -max, max, reading);
    } else if (word == "reverse" || word == "noreverse") {
      tracked.is_reversed = word == "reverse";
    } else {
      refuse(statement, word, "is not weight, reverse or noreverse", reading);
      return;
    }
  }
}

std::vector<std::string> words_of_block(const Statement& statement) {
  std::vector<std::string> words;
  for (const Statement& line : statement.block) {
    words.insert(words.end(), line.words.begin(), line.words.end());
  }
  return words;
}

void check_word_count(const Statement& statement, std::size_t words_max, Reading& reading) {
  if (statement.words.size() <= words_max) return;
  reading.report.note(
      statement.place,
      fmt::format("{} takes nothing from {} on; the rest of the line is left out, as "
                  "by keepalived",
                  statement.keyword(), shown(statement.words[words_max])));
}

bool is_read(Context context, const Statement& statement, Reading& reading) {
  const Keyword* keyword = find_keyword(context, statement.keyword());
  if (keyword == nullptr) {
    reading.report.warning(statement.place,
                           fmt::format("unknown keyword {} in {}; it is left out, as by keepalived",
                                       shown(statement.keyword()), name_of(context)));
    return false;
  }
  const bool is_switched_off = statement.words.size() == 2 && is_off(statement.words[1]);
  const std::string text = fmt::format("{}: {}", keyword->word, keyword->text);
  switch (keyword->treatment) {
    case Treatment::kRead:
      return true;
    case Treatment::kNote:
      reading.report.note(statement.place, text);
      return false;
    case Treatment::kWarning:
      if (!is_switched_off) reading.report.warning(statement.place, text);
      return false;
    case Treatment::kError:
      reading.report.error(statement.place, text);
      return false;
  }
  return false;
}

}  // namespace ha::keepalived
