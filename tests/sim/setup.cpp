#include "setup.hpp"

#include <algorithm>

namespace ha::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kIntervalMax = 40950ms;  // 12 bits of centiseconds

/// The host part; the last byte orders addresses at random, the one before keeps them apart.
IpAddress make_address(Family family, unsigned serial, unsigned order) {
  if (family == Family::kIpv4) {
    return boost::asio::ip::address_v4{(10U << 24U) | (order << 8U) | serial};
  }
  boost::asio::ip::address_v6::bytes_type bytes{0xfe, 0x80};
  bytes[14] = static_cast<unsigned char>(order);
  bytes[15] = static_cast<unsigned char>(serial);
  return boost::asio::ip::address_v6{bytes};
}

std::vector<Duration> random_intervals(Random& random, Version version) {
  if (version == Version::k2) return {random.pick<Duration>({1s, 1s, 2s, 10s})};
  const Duration base = random.pick<Duration>({10ms, 100ms, 1s, 1s, 4s, kIntervalMax});
  std::vector<Duration> intervals{base};
  if (random.chance(1, 2)) {
    intervals.push_back(std::min<Duration>(base * random.between(2, 5), kIntervalMax));
  }
  if (random.chance(1, 4) && base >= 100ms && base < kIntervalMax) intervals.push_back(base / 2);
  return intervals;
}

vrrp::AnnouncementSchedule random_announcements(Random& random, Duration interval) {
  vrrp::AnnouncementSchedule schedule;
  schedule.repeat = random.pick({0U, 1U, 2U, 5U, 5U});
  schedule.second_burst_delay = random.pick<Duration>({0s, 5s, interval * 3});
  schedule.refresh = random.pick<Duration>({0s, 60s, interval * 5});
  return schedule;
}

vrrp::RouterConfig random_router(Random& random, const Setup& setup, Version version) {
  vrrp::RouterConfig config;
  config.version = version;
  config.priority = random_priority(random);
  config.advertisement_interval = setup.intervals[random.below(setup.intervals.size())];
  config.preempt = random.pick(
      {vrrp::Preempt::kYes, vrrp::Preempt::kYes, vrrp::Preempt::kNo, vrrp::Preempt::kDegraded});
  if (random.chance(1, 5)) {
    config.preempt_delay = random.between(Duration{1ms}, 8 * setup.longest_interval());
  }
  config.announcements = random_announcements(random, config.advertisement_interval);
  return config;
}

}  // namespace

Duration Setup::longest_interval() const {
  return *std::max_element(intervals.begin(), intervals.end());
}

Duration Setup::shortest_interval() const {
  return *std::min_element(intervals.begin(), intervals.end());
}

Priority random_priority(Random& random) {
  if (random.chance(1, 40)) return kPriorityOwner;
  // A small pool makes equal priorities frequent, the whole range finds the rest.
  if (random.chance(1, 3)) return Priority{random.pick<std::uint8_t>({1, 50, 100, 100, 150, 254})};
  return Priority{static_cast<std::uint8_t>(random.between(1, 254))};
}

IpAddress fresh_address(Random& random, Family family, unsigned serial) {
  return make_address(family, serial, static_cast<unsigned>(random.between(1, 250)));
}

Setup random_setup(Random& random) {
  Setup setup;
  const Version version = random.chance(1, 4) ? Version::k2 : Version::k3;
  setup.family = version == Version::k3 && random.chance(1, 3) ? Family::kIpv6 : Family::kIpv4;
  setup.intervals = random_intervals(random, version);

  const auto routers = static_cast<unsigned>(random.pick({2, 2, 3, 3, 4, 5}));
  const bool all_preempt = random.chance(1, 3);
  for (unsigned serial = 1; serial <= routers; ++serial) {
    vrrp::RouterConfig config = random_router(random, setup, version);
    if (all_preempt) config.preempt = vrrp::Preempt::kYes;
    const auto lease = random.pick<std::optional<Duration>>({0s, 0s, 0s, 10s, std::nullopt});
    setup.routers.push_back({config, fresh_address(random, setup.family, serial),
                             random.between(Duration::zero(), Duration{1h}), lease});
  }

  const Duration shortest = setup.shortest_interval();
  setup.calm.delay_max = random.pick<Duration>({50us, shortest / 100, shortest / 4});
  setup.calm.delay_min = random.chance(1, 2) ? setup.calm.delay_max : Duration{10us};
  setup.calm.duplicate_per_mille = random.pick({0U, 0U, 20U});
  setup.wake_latency_max = random.pick<Duration>({0us, 50us, shortest / 8});
  return setup;
}

}  // namespace ha::sim
