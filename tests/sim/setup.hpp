/// A random LAN: how many routers, how they are configured, how good the network is in calm.
#pragma once

#include <optional>
#include <vector>

#include "lan.hpp"

namespace ha::sim {

struct Setup {
  struct Router {
    vrrp::RouterConfig config;
    IpAddress address;
    Duration clock_offset;
    std::optional<Duration> shortest_lease;  ///< as in Lan::add()
  };
  std::vector<Router> routers;
  Family family = Family::kIpv4;
  /// Intervals that routers have, or may be given later.
  std::vector<Duration> intervals;
  LinkQuality calm;
  Duration wake_latency_max{};

  [[nodiscard]] Duration longest_interval() const;
  [[nodiscard]] Duration shortest_interval() const;
};

/// 2 to 5 routers. In calm, delay and timer lateness stay below half the shortest interval: with
/// more than that the protocol does not promise anything.
[[nodiscard]] Setup random_setup(Random& random);

/// An address that no router of any setup has, and no earlier call returned with the same `serial`.
[[nodiscard]] IpAddress fresh_address(Random& random, Family family, unsigned serial);

[[nodiscard]] Priority random_priority(Random& random);

}  // namespace ha::sim
