/// The status of one healthy master as values: what the tests of this folder start from.
#pragma once

#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp::test {

/// 2026-01-07T10:15:00Z.
inline const WallClock kSince{std::chrono::sys_days{std::chrono::year{2026} / 1 / 7} +
                              std::chrono::hours{10} + std::chrono::minutes{15}};

inline RouterStatus sample_master() {
  RouterStatus router;
  router.name = "VI_MAIN";
  router.interface = "eth0";
  router.vrid = Vrid{51};
  router.state = "master";
  router.priority = Priority{110};
  router.effective_priority = Priority{110};
  router.addresses = {"192.168.1.100/24"};
  router.last_adv_source = "10.0.0.11";
  router.last_adv_priority = Priority{100};
  router.last_adv_age = std::chrono::minutes{3};
  router.master_down_interval = std::chrono::nanoseconds{3'570'312'500};
  router.skew_time = std::chrono::nanoseconds{570'312'500};
  router.last_event = LastEvent::kMasterTimeout;
  router.new_master_reason = NewMasterReason::kNoResponse;
  router.why = "no advertisement from 10.0.0.11 for 3570 ms";
  router.since = kSince;
  router.tracks = {{"haproxy", 0, "75% up, 3 of 4 teams healthy"}};
  router.statistics.master_transitions = 1;
  router.statistics.advertisement_sent = 42;
  return router;
}

inline HaproxyStatus sample_haproxy() {
  HaproxyStatus haproxy;
  haproxy.verdict = "healthy";
  haproxy.servers_up = 3;
  haproxy.servers = 4;
  haproxy.percentage = 75;
  haproxy.healthy_teams = 3;
  haproxy.teams = {
      {"devops", 1, 1, true}, {"ma", 1, 1, true}, {"ba", 0, 1, false}, {"tw", 1, 1, true}};
  haproxy.reason = "NO FAILOVER: 75% is not below 50%; 3 healthy teams";
  return haproxy;
}

inline Status sample_status() {
  return {"jenkins-vm1", "0.1.0", {sample_master()}, {}, sample_haproxy()};
}

}  // namespace ha::vrrp::test
