#include "vrrpd/runtime/alarms.hpp"

#include <algorithm>
#include <utility>

namespace ha::vrrp {
namespace {

constexpr Duration kWordsLast = std::chrono::seconds{1};

}  // namespace

Alarms::Entry* Alarms::find(Kind& kind, std::string_view peer) {
  const auto found = std::find_if(kind.entries.begin(), kind.entries.end(),
                                  [&](const Entry& entry) { return entry.alarm.peer == peer; });
  return found == kind.entries.end() ? nullptr : &*found;
}

bool Alarms::refresh(std::string_view kind, std::string_view peer, TimePoint now,
                     Duration lasting) {
  const auto known = kinds_.find(kind);
  if (known == kinds_.end()) return true;
  auto& entries = known->second.entries;
  std::erase_if(entries, [&](const Entry& entry) { return entry.last_seen + lasting < now; });
  if (Entry* const entry = find(known->second, peer)) {
    entry->last_seen = now;
    return entry->described + kWordsLast <= now;
  }
  return entries.size() < kPeersMax;
}

std::optional<std::uint32_t> Alarms::raise(std::string_view kind, std::string_view peer,
                                           std::string_view ours, std::string_view theirs,
                                           TimePoint now) {
  auto known = kinds_.find(kind);
  if (known == kinds_.end()) known = kinds_.emplace(kind, Kind{}).first;
  if (Entry* const entry = find(known->second, peer)) {
    entry->alarm.ours = ours;
    entry->alarm.theirs = theirs;
    entry->last_seen = entry->described = now;
    return std::nullopt;
  }
  if (known->second.entries.size() >= kPeersMax) return std::nullopt;
  known->second.entries.push_back({{std::string{kind}, std::string{peer}, std::string{ours},
                                    std::string{theirs}, std::chrono::system_clock::now()},
                                   now,
                                   now});
  return line(known->second, now);
}

std::optional<std::uint32_t> Alarms::line(Kind& kind, TimePoint now) {
  if (kind.lines == 0 || now - kind.minute >= std::chrono::minutes{1}) {
    kind.minute = now;
    kind.lines = 0;
  }
  if (kind.lines >= kLinesPerMinute) {
    ++kind.left_out;
    return std::nullopt;
  }
  ++kind.lines;
  return std::exchange(kind.left_out, 0);
}

std::vector<Alarm> Alarms::current(TimePoint now, Duration lasting) {
  std::vector<Alarm> alarms;
  for (auto& [name, kind] : kinds_) {
    std::erase_if(kind.entries,
                  [&](const Entry& entry) { return entry.last_seen + lasting < now; });
    for (const Entry& entry : kind.entries) alarms.push_back(entry.alarm);
  }
  return alarms;
}

}  // namespace ha::vrrp
