/// What a master says to others beyond the RFC, where it is told to.
#include "tests/support/catch.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1000s};
const IpAddress kOurs = boost::asio::ip::make_address("10.0.0.11");
const IpAddress kPeer = boost::asio::ip::make_address("10.0.0.12");

/// One that was master for a while.
State master_of(const RouterConfig& config) {
  const Duration down =
      master_down_interval(config.version, Priority{100}, config.advertisement_interval);
  const State backup =
      step(config, Initialize{}, Started{Priority{100}, kOurs}, kStart - down).next;
  return step(config, backup, DeadlineReached{}, kStart).next;
}

AdvertReceived advert(std::uint8_t priority) { return {kPeer, Priority{priority}, 1s}; }

TEST_CASE("a master that is told to leaves a lesser claim without an answer", "[engine]") {
  RouterConfig config;
  config.answers_lesser = false;
  const State master = master_of(config);
  const Step heard = step(config, master, advert(90), kStart + 100ms);
  CHECK(heard.next == master);
  CHECK(heard.actions == std::vector<Action>{LosingAdvertHeard{Claim{kPeer, Priority{90}}}});
}

TEST_CASE("it answers a master that lets go all the same", "[engine]") {
  RouterConfig config;
  config.answers_lesser = false;
  const Step heard = step(config, master_of(config), advert(0), kStart + 100ms);
  CHECK(heard.actions == std::vector<Action>{SendAdvert{Priority{100}}});
}

TEST_CASE("a master that is told to advertises once more before it yields", "[engine]") {
  RouterConfig config;
  CHECK_FALSE(std::holds_alternative<SendAdvert>(
      step(config, master_of(config), advert(110), kStart + 100ms).actions.front()));
  config.answers_better = true;
  const Step yields = step(config, master_of(config), advert(110), kStart + 100ms);
  REQUIRE(yields.actions.size() == 3);
  CHECK(yields.actions[0] == Action{SendAdvert{Priority{100}}});
  CHECK(yields.actions[1] == Action{ReleaseAddresses{}});
  CHECK(name_of(yields.next) == "backup");
}

TEST_CASE("a lesser claim is answered with as many announcements as it is told to, and again later",
          "[engine]") {
  const auto rounds = [](std::uint32_t repeat, std::optional<Duration> delay) {
    RouterConfig config;
    config.announcements = {1, 0s, 0s, 1, repeat, delay};
    std::vector<Duration> moments;
    const auto take = [&](Step step, TimePoint now) {
      for (const Action& action : step.actions) {
        if (action == Action{Announce{}}) moments.push_back(now - kStart);
      }
      return std::move(step.next);
    };
    State state = take(step(config, master_of(config), advert(90), kStart + 100ms), kStart + 100ms);
    for (TimePoint now = *deadline(state); now < kStart + 9s; now = *deadline(state)) {
      state = take(step(config, state, DeadlineReached{}, now), now);
    }
    return moments;
  };
  CHECK(rounds(0, 2s) == std::vector<Duration>{});
  CHECK(rounds(2, 0s) == std::vector<Duration>{100ms, 100ms});
  CHECK(rounds(2, 3s) ==
        std::vector<Duration>{100ms, 100ms, 3100ms, 3100ms + kAnnouncementSpacing});
  CHECK(rounds(1, std::nullopt) == std::vector<Duration>{100ms, 1100ms});
}

TEST_CASE("a router that may not start yet hears nobody and takes over a whole down interval later",
          "[engine]") {
  const RouterConfig config;
  const TimePoint begins = kStart + 10s;
  const Duration down = master_down_interval(config.version, Priority{100}, 1s);
  for (const Priority priority : {Priority{100}, kPriorityOwner}) {
    const State held =
        step(config, Initialize{}, Started{priority, kOurs, {}, begins}, kStart).next;
    CHECK(name_of(held) == "backup");
    CHECK(step(config, held, advert(0), begins - 1ms).next == held);
    CHECK(step(config, held, advert(254), begins - 1ms).next == held);
  }
  const State held =
      step(config, Initialize{}, Started{Priority{100}, kOurs, {}, begins}, kStart).next;
  CHECK(deadline(held) == begins + down);
  CHECK(step(config, held, advert(254), begins).next != held);
  CHECK(name_of(step(config, held, DeadlineReached{}, begins + down).next) == "master");
  // What is over holds nobody up.
  CHECK(step(config, Initialize{}, Started{Priority{100}, kOurs, {}, kStart}, kStart).next ==
        step(config, Initialize{}, Started{Priority{100}, kOurs}, kStart).next);
}

TEST_CASE("a refresh has as many rounds as it is told to", "[engine]") {
  RouterConfig config;
  config.announcements = {1, 0s, 2s, 3};
  State state = master_of(config);
  std::vector<Duration> rounds;
  for (TimePoint now = *deadline(state); now < kStart + 5s; now = *deadline(state)) {
    Step next = step(config, state, DeadlineReached{}, now);
    for (const Action& action : next.actions) {
      if (action == Action{Announce{}}) rounds.push_back(now - kStart);
    }
    state = std::move(next.next);
  }
  CHECK(rounds ==
        std::vector<Duration>{2s, 2s + kAnnouncementSpacing, 2s + 2 * kAnnouncementSpacing,
                              4s + 2 * kAnnouncementSpacing, 4s + 3 * kAnnouncementSpacing,
                              4s + 4 * kAnnouncementSpacing});
}

}  // namespace
}  // namespace ha::vrrp
