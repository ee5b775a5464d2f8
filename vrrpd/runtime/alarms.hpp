/// Conditions that need a human, for as long as they last: said once in the log, listed in the
/// status meanwhile. Bounded whatever is raised: a stranger who forges peers makes neither the list
/// grow nor the log, and cannot keep an alarm of another kind out.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/types.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

/// Kinds are words of the program and so are few.
class Alarms {
 public:
  /// Peers of one kind that are listed at a time; further ones are left out.
  static constexpr std::size_t kPeersMax = 8;
  /// New alarms of one kind that are logged within a minute.
  static constexpr int kLinesPerMinute = 8;

  /// Notes that the condition holds at `now`, and forgets those of the kind that did not within
  /// `lasting` before. Returns whether its words are wanted, by raise(): they are not where they
  /// are known and no older than a second, or where there is no room. So a flood costs no
  /// formatting.
  [[nodiscard]] bool refresh(std::string_view kind, std::string_view peer, TimePoint now,
                             Duration lasting);

  /// Notes that the condition holds at `now`, with both values. Where that is news for the log,
  /// returns how many of the kind were left out of it before; nothing otherwise.
  std::optional<std::uint32_t> raise(std::string_view kind, std::string_view peer,
                                     std::string_view ours, std::string_view theirs, TimePoint now);

  /// Those that held within `lasting` before `now`; forgets the others.
  [[nodiscard]] std::vector<Alarm> current(TimePoint now, Duration lasting);

 private:
  struct Entry {
    Alarm alarm;
    TimePoint last_seen;
    TimePoint described;
  };
  struct Kind {
    std::vector<Entry> entries;
    TimePoint minute{};  ///< when the current one of the log began
    int lines = 0;       ///< in it
    std::uint32_t left_out = 0;
  };
  static Entry* find(Kind& kind, std::string_view peer);
  static std::optional<std::uint32_t> line(Kind& kind, TimePoint now);

  std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace ha::vrrp
