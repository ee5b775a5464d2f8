#include "vrrpd/sync_health.hpp"

#include <algorithm>

namespace ha::vrrp {

bool SyncHealth::report(const std::string& team, std::chrono::milliseconds lag) {
  if (!routers_.is_sync_tracked(team)) return false;
  heard_[team] = std::chrono::steady_clock::now();
  routers_.set_sync(team, lag);
  forget_silent();
  return true;
}

void SyncHealth::forget_silent() {
  const TimePoint now = std::chrono::steady_clock::now();
  for (auto team = heard_.begin(); team != heard_.end();) {
    if (now - team->second < kSilenceMax) {
      ++team;
      continue;
    }
    routers_.set_sync(team->first, std::nullopt);
    team = heard_.erase(team);
  }
  if (heard_.empty()) return;
  const auto oldest =
      std::min_element(heard_.begin(), heard_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  timer_.expires_at(oldest->second + kSilenceMax);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) forget_silent();
  });
}

}  // namespace ha::vrrp
