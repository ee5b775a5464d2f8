/// VirtualRouters: who is told of what is tracked. What it makes of that is decided in tracks.
#include <algorithm>
#include <utility>

#include "vrrpd/runtime/tracks.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {
namespace {

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

void VirtualRouters::demote_by_haproxy(TimePoint at) {
  if (!haproxy_) return;
  for (const auto& router : routers_) {
    for (const Track& track : router->config().tracks) {
      if (std::holds_alternative<TrackHaproxy>(track)) router->set_demotion(*haproxy_, at);
    }
  }
}

void VirtualRouters::set_haproxy(const Demotion& demotion) {
  log_.hold();
  haproxy_ = demotion;
  demote_by_haproxy(now());
  finish_turn();
}

void VirtualRouters::set_check(const std::string& check, const Health& health) {
  log_.hold();
  checks_[check] = health;
  const TimePoint at = now();
  bool fault_changed = false;
  for (const auto& router : routers_) {
    const auto held_back = [&] {
      const Demotion* const claim = router->held_back_by();
      return std::pair{claim != nullptr, claim != nullptr && claim->pending};
    };
    const auto before = held_back();
    tell_check(*router, check, health, at);
    fault_changed |= before != held_back();
  }
  if (fault_changed) evaluate_all(at);
  finish_turn();
}

void VirtualRouters::demote_by_checks(TimePoint at) {
  // One that comes back with a later reload is a new one.
  std::erase_if(checks_, [this](const auto& entry) {
    return std::none_of(routers_.begin(), routers_.end(), [&](const auto& router) {
      const auto& tracks = router->config().tracks;
      return std::any_of(tracks.begin(), tracks.end(), [&](const Track& track) {
        const auto* tracked = std::get_if<TrackCheck>(&track);
        return tracked != nullptr && tracked->check == entry.first;
      });
    });
  });
  for (const auto& [check, health] : checks_) {
    for (const auto& router : routers_) tell_check(*router, check, health, at);
  }
}

void VirtualRouters::tell_check(RouterDriver& router, const std::string& check,
                                const Health& health, TimePoint at) {
  for (const Track& track : router.config().tracks) {
    const auto* tracked = std::get_if<TrackCheck>(&track);
    if (tracked == nullptr || tracked->check != check) continue;
    router.set_demotion(demotion_of(source_of(track), tracked->effect, health), at);
  }
}

void VirtualRouters::set_sync(const std::string& team,
                              std::optional<std::chrono::milliseconds> lag) {
  log_.hold();
  syncs_[team] = lag;
  demote_by_syncs(now());
  finish_turn();
}

bool VirtualRouters::is_sync_tracked(const std::string& team) const {
  return std::any_of(routers_.begin(), routers_.end(), [&](const auto& router) {
    const auto& tracks = router->config().tracks;
    return std::any_of(tracks.begin(), tracks.end(), [&](const Track& track) {
      const auto* tracked = std::get_if<TrackSync>(&track);
      return tracked != nullptr && tracked->team == team;
    });
  });
}

void VirtualRouters::demote_by_syncs(TimePoint at) {
  std::erase_if(syncs_, [this](const auto& entry) { return !is_sync_tracked(entry.first); });
  for (const auto& router : routers_) {
    for (const Track& track : router->config().tracks) {
      const auto* tracked = std::get_if<TrackSync>(&track);
      if (tracked == nullptr) continue;
      const auto lag = syncs_.find(tracked->team);
      const Demotion demotion =
          demotion_of(*tracked, lag == syncs_.end() ? std::nullopt : lag->second);
      if (!router->set_demotion(demotion, at)) continue;
      log_.info("({}) {}: {}", router->config().name, demotion.source, demotion.reason);
    }
  }
}

}  // namespace ha::vrrp
