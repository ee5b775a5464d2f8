/// A small LAN with a perfect network, for tests that tell a story.
#pragma once

#include <vector>

#include "invariants.hpp"
#include "lan.hpp"

namespace ha::sim {

/// Interval 1 s, priority 100, version 3, preempt; what a test needs otherwise it changes.
[[nodiscard]] inline vrrp::RouterConfig router(int priority,
                                               vrrp::Preempt preempt = vrrp::Preempt::kYes) {
  vrrp::RouterConfig config;
  config.priority = Priority{static_cast<std::uint8_t>(priority)};
  config.preempt = preempt;
  return config;
}

/// 10.0.0.1 for the first router.
[[nodiscard]] inline IpAddress address(NodeId id) {
  return boost::asio::ip::address_v4{0x0a000001U + static_cast<unsigned>(id)};
}

/// Routers on a network with a delay of 100 us and no other flaw. Every step is checked.
class Scenario : public Lan {
 public:
  static constexpr Duration kDelay = std::chrono::microseconds{100};

  explicit Scenario(const std::vector<vrrp::RouterConfig>& routers)
      : Lan{1, {kDelay, kDelay, 0, 0, false}, Duration::zero()},
        invariants_{*this, std::chrono::milliseconds{40'950}} {
    observe(invariants_);
    for (const vrrp::RouterConfig& config : routers) add(config, address(size()));
  }

  void start_all() {
    for (NodeId id = 0; id < size(); ++id) start(id);
  }

  /// Lets time pass until `condition` holds, at most `limit`; returns how long that took. Looks
  /// every 10 us.
  template <class Condition>
  Duration until(Condition condition, Duration limit) {
    const TimePoint begin = now();
    while (!condition() && now() - begin < limit) run_for(std::chrono::microseconds{10});
    return now() - begin;
  }

  void cut_both(NodeId a, NodeId b) {
    cut(a, b);
    cut(b, a);
  }

 private:
  Invariants invariants_;
};

}  // namespace ha::sim
