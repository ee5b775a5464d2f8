/// Random schedules, and that they mean something: the same seed tells the same story, and an
/// invariant that is broken is noticed and explained.
#include "schedule.hpp"

#include "scenario.hpp"
#include "tests/support/catch.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSchedules = 10'000;

TEST_CASE("every invariant holds in 10,000 random schedules") {
  for (std::uint64_t seed = 1; seed <= kSchedules; ++seed) {
    const auto what = run_schedule(seed);
    if (what) FAIL(explain_failure(seed, *what, 60));
  }
}

TEST_CASE("a seed tells the same story every time") {
  for (const std::uint64_t seed : {7U, 1234U}) {
    Trace first{Lan::kStart};
    Trace second{Lan::kStart};
    CHECK(run_schedule(seed, &first) == run_schedule(seed, &second));
    CHECK(first.lines() == second.lines());
    CHECK(first.lines().size() > 10);
  }
}

TEST_CASE("watching a schedule does not change it") {
  Trace trace{Lan::kStart};
  CHECK(run_schedule(99) == run_schedule(99, &trace));
}

/// A step as a broken engine might have taken it, handed to the invariants.
class BrokenStep {
 public:
  BrokenStep() {
    lan_.start_all();
    lan_.run_for(10s);
  }

  void take(const vrrp::Event& event, vrrp::Step step) {
    const Node& node = lan_.node(0);
    invariants_.stepped(
        {0, lan_.now(), lan_.now(), node.config, vrrp::Initialize{}, vrrp::Started{}, start_});
    invariants_.stepped({0, lan_.now(), lan_.now(), node.config, start_.next, event, step});
  }

 private:
  Scenario lan_{{router(100)}};
  Invariants invariants_{lan_, 1s};
  vrrp::Step start_ = vrrp::step(router(100), vrrp::Initialize{},
                                 vrrp::Started{Priority{100}, address(0)}, lan_.now());
};

TEST_CASE("an invariant that is broken names itself, the router and the event") {
  const vrrp::Transitioned report{"master", {}, {}, {}, false};
  BrokenStep broken;
  CHECK_THROWS_WITH(
      broken.take(vrrp::DeadlineReached{}, {vrrp::Master{}, {vrrp::SendAdvert{}, report}}),
      Catch::Contains("I5") && Catch::Contains("r0") && Catch::Contains("timer in backup"));
}

}  // namespace
}  // namespace ha::sim
