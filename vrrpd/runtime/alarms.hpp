/// Conditions that need a human, for as long as they last: said once in the log, listed in the
/// status meanwhile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ha/types.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

class Alarms {
 public:
  /// Notes that the condition holds at `now`. Returns true if that is news. No more than 32 are
  /// kept: a stranger who forges peers cannot make the list grow.
  bool raise(std::string_view kind, std::string_view peer, std::string_view ours,
             std::string_view theirs, TimePoint now);

  /// Those that were raised within `lasting` before `now`; forgets the others.
  [[nodiscard]] std::vector<Alarm> current(TimePoint now, Duration lasting);

 private:
  struct Entry {
    Alarm alarm;
    TimePoint last_seen;
  };
  std::vector<Entry> entries_;
};

}  // namespace ha::vrrp
