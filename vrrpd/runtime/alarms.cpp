#include "vrrpd/runtime/alarms.hpp"

#include <algorithm>

namespace ha::vrrp {
namespace {
constexpr std::size_t kAlarmsMax = 32;
}

bool Alarms::raise(std::string_view kind, std::string_view peer, std::string_view ours,
                   std::string_view theirs, TimePoint now) {
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.alarm.kind == kind && entry.alarm.peer == peer;
  });
  if (known != entries_.end()) {
    known->last_seen = now;
    known->alarm.ours = ours;
    known->alarm.theirs = theirs;
    return false;
  }
  if (entries_.size() >= kAlarmsMax) return false;
  entries_.push_back({{std::string{kind}, std::string{peer}, std::string{ours}, std::string{theirs},
                       std::chrono::system_clock::now()},
                      now});
  return true;
}

std::vector<Alarm> Alarms::current(TimePoint now, Duration lasting) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.last_seen + lasting < now; });
  std::vector<Alarm> alarms;
  for (const Entry& entry : entries_) alarms.push_back(entry.alarm);
  return alarms;
}

}  // namespace ha::vrrp
