/// A router of priority 100 and what happens to it: what the tests of the engine start from.
#pragma once

#include <utility>
#include <variant>
#include <vector>

#include "vrrpd/engine/router.hpp"

namespace ha::vrrp::test {

using namespace std::chrono_literals;

inline const TimePoint kStart{1000s};
inline const IpAddress kOurs = boost::asio::ip::make_address("10.0.0.11");
inline const IpAddress kPeer = boost::asio::ip::make_address("10.0.0.12");
inline const IpAddress kThird = boost::asio::ip::make_address("10.0.0.10");

inline RouterConfig config(Preempt preempt = Preempt::kYes) {
  RouterConfig config;
  config.preempt = preempt;
  return config;
}

inline AdvertReceived advert(int priority, IpAddress source = kPeer, Duration interval = 1s) {
  return {std::move(source), Priority{static_cast<std::uint8_t>(priority)}, interval};
}

inline State backup_of(const RouterConfig& config, int priority, TimePoint now = kStart) {
  return step(config, Initialize{}, Started{Priority{static_cast<std::uint8_t>(priority)}, kOurs},
              now)
      .next;
}

/// A router that became master at `kStart`.
inline State master_of(const RouterConfig& config, int priority) {
  const Priority own{static_cast<std::uint8_t>(priority)};
  const Duration down = master_down_interval(config.version, own, config.advertisement_interval);
  return step(config, backup_of(config, priority, kStart - down), DeadlineReached{}, kStart).next;
}

template <class T>
bool has(const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (std::holds_alternative<T>(action)) return true;
  }
  return false;
}

/// The state after the deadline was reached exactly on time.
inline Step on_time(const RouterConfig& config, const State& state) {
  return step(config, state, DeadlineReached{}, *deadline(state));
}

}  // namespace ha::vrrp::test
