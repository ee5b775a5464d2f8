/// Reading the values of one statement. A value that keepalived would replace by a default is an
/// error here: what was written is not what would run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ha/command.hpp"
#include "ha/ip.hpp"
#include "vrrpd/keepalived/blocks.hpp"
#include "vrrpd/keepalived/draft.hpp"
#include "vrrpd/keepalived/keywords.hpp"
#include "vrrpd/keepalived/machine.hpp"

namespace ha::keepalived {

/// What every reader needs. Refers to what it was made from.
struct Reading {
  Report& report;
  const Machine& machine;
};

/// The word after `index` others; nothing, after an error, if there is none.
[[nodiscard]] std::optional<std::string> word_at(const Statement& statement, std::size_t index,
                                                 Reading& reading);

[[nodiscard]] std::optional<int> integer_at(const Statement& statement, std::size_t index, int min,
                                            int max, Reading& reading);

/// Decimal seconds, down to microseconds. What is finer than a millisecond is rounded, with a note.
[[nodiscard]] std::optional<Duration> timer_at(const Statement& statement, std::size_t index,
                                               Duration min, Duration max, Reading& reading);

/// on, true, yes, off, false, no; without a word it means on.
[[nodiscard]] std::optional<bool> flag(const Statement& statement, Reading& reading);

/// Whether `word` is one of those that mean off.
[[nodiscard]] bool is_off(const std::string& word);

[[nodiscard]] std::optional<IpAddress> address_at(const Statement& statement, std::size_t index,
                                                  Reading& reading);

[[nodiscard]] std::optional<std::string> interface_at(const Statement& statement, std::size_t index,
                                                      Reading& reading);

/// A command line in quotes, then optionally a user and a group, after the keyword. A program that
/// is not found is a warning, and the command then one that fails.
[[nodiscard]] std::optional<Command> command_of(const Statement& statement, Reading& reading);

/// [weight N [reverse|noreverse]] from `index` on.
void read_weight(const Statement& statement, std::size_t index, int max, Tracked& tracked,
                 Reading& reading);

/// All words of a block, line by line.
[[nodiscard]] std::vector<std::string> words_of_block(const Statement& statement);

template <class T>
struct Reader {
  std::string_view keyword;
  std::size_t words_max;  ///< in the line, with the keyword; what follows has no effect
  void (*read)(T&, const Statement&, Reading&);
};

inline constexpr std::size_t kAnyWords = SIZE_MAX;

/// Notes the words that a line has beyond `words_max`.
void check_word_count(const Statement& statement, std::size_t words_max, Reading& reading);

/// What the table of keywords says about `statement`; true if it is to be read.
[[nodiscard]] bool is_read(Context context, const Statement& statement, Reading& reading);

/// Reads the lines of a block into `into`, each with its reader.
template <class T, std::size_t N>
void read_block(Context context, const Statement& block, const Reader<T> (&readers)[N], T& into,
                Reading& reading) {
  if (!block.has_block) {
    reading.report.error(block.place, shown(block.keyword()) + " has no block '{ … }'");
    return;
  }
  for (const Statement& line : block.block) {
    if (!is_read(context, line, reading)) continue;
    for (const Reader<T>& reader : readers) {
      if (reader.keyword != line.keyword()) continue;
      check_word_count(line, reader.words_max, reading);
      reader.read(into, line, reading);
    }
  }
}

}  // namespace ha::keepalived
