#include "sync/planner.hpp"

#include "tests/support/catch.hpp"

using namespace ha;
using namespace ha::sync;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1h};

Mirror mirror(WriterRule rule, Standby standby = Standby::kWarm) {
  Mirror result;
  result.team = "devops";
  result.env = "blue";
  result.writer = rule;
  result.instance = rule == WriterRule::kInstance ? "VI_MAIN" : "";
  result.standby = standby;
  return result;
}

Planner planner(WriterRule rule, Standby standby = Standby::kWarm, bool watch = true) {
  Config config;
  config.interval = 5min;
  config.settle = 1s;
  config.watch = watch;
  return Planner{mirror(rule, standby), config, kStart};
}

JobEnd end(Outcome outcome, std::uint64_t generation = 1,
           std::optional<TimePoint> as_of = std::nullopt) {
  return {outcome, {generation, 1}, as_of};
}

/// A writer that has just committed everything there was.
Planner writer_at_rest(bool watch = true) {
  Planner result = planner(WriterRule::kAlways, Standby::kWarm, watch);
  REQUIRE(result.next(kStart));
  result.ended(end(Outcome::kCommitted, 1, kStart), kStart);
  return result;
}

/// A warm standby whose copy is equal to generation 1.
Planner standby_at_rest(Standby standby = Standby::kWarm) {
  Planner result = planner(WriterRule::kInstance, standby);
  result.role_seen(Role::kNotMaster, kStart);
  result.target_seen({{1, 1}, kStart});
  if (standby == Standby::kWarm) {
    REQUIRE(result.next(kStart));
    result.ended(end(Outcome::kApplied), kStart);
  }
  return result;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("a writer looks at everything when it starts", "[sync]") {
  const auto order = planner(WriterRule::kAlways).next(kStart);
  REQUIRE(order);
  CHECK(order->job == Job::kCommit);
  CHECK(order->may_claim == MayClaim::kYes);
  CHECK_FALSE(order->changed);
}

TEST_CASE("a change is committed when it has settled", "[sync]") {
  Planner one = writer_at_rest();
  one.changed("jobs/a", kStart + 10s);
  one.changed("jobs/b", kStart + 10s + 900ms);
  CHECK(one.deadline() == kStart + 11s + 900ms);
  CHECK_FALSE(one.next(kStart + 11s + 899ms));
  const auto order = one.next(kStart + 11s + 900ms);
  REQUIRE(order);
  CHECK(order->changed == Paths{"jobs/a", "jobs/b"});
  CHECK(order->may_claim == MayClaim::kNo);
  CHECK_FALSE(one.pending().first);
}

TEST_CASE("a source that never rests is committed all the same", "[sync]") {
  Planner one = writer_at_rest();
  for (auto after = 0ms; after < 5s; after += 500ms) one.changed("log", kStart + 10s + after);
  CHECK(one.deadline() == kStart + 15s);
}

TEST_CASE("without changes there is a pass each interval, which looks at nothing", "[sync]") {
  Planner one = writer_at_rest();
  CHECK(one.deadline() == kStart + 5min);
  const auto order = one.next(kStart + 5min);
  REQUIRE(order);
  CHECK(order->changed == Paths{});
}

TEST_CASE("who does not watch looks at everything each interval", "[sync]") {
  Planner one = writer_at_rest(false);
  one.changed("jobs/a", kStart + 10s);
  CHECK(one.deadline() == kStart + 5min);
  const auto order = one.next(kStart + 5min);
  REQUIRE(order);
  CHECK_FALSE(order->changed);
}

TEST_CASE("changes that were lost are found by a scan", "[sync]") {
  Planner one = writer_at_rest();
  one.changed("jobs/a", kStart + 10s);
  one.changes_lost(kStart + 10s);
  const auto order = one.next(kStart + 11s);
  REQUIRE(order);
  CHECK_FALSE(order->changed);
}

TEST_CASE("more changes than can be remembered are found by a scan", "[sync]") {
  Planner one = writer_at_rest();
  for (std::size_t i = 0; i <= Changes::kPathsMax; ++i) {
    one.changed(std::to_string(i), kStart + 10s);
  }
  CHECK(one.pending().all);
  CHECK(one.pending().paths.empty());
}

TEST_CASE("what a pass that failed was to look at is looked at again, ever less often", "[sync]") {
  Planner one = writer_at_rest();
  one.changed("jobs/a", kStart + 10s);
  TimePoint now = kStart + 11s;
  for (const Duration pause : {2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    REQUIRE(one.next(now));
    one.ended(end(Outcome::kFailed), now);
    CHECK(one.deadline() == now + pause);
    CHECK_FALSE(one.next(now + pause - 1ms));
    now += pause;
  }
  const auto order = one.next(now);
  REQUIRE(order);
  CHECK_FALSE(order->changed);
}

TEST_CASE("nothing is begun on a mount that cannot be used, and at once when it can", "[sync]") {
  Planner one = writer_at_rest();
  one.changed("jobs/a", kStart + 10s);
  one.mount_seen(false, kStart + 10s);
  CHECK_FALSE(one.deadline());
  CHECK_FALSE(one.next(kStart + 1h));
  one.mount_seen(true, kStart + 1h);
  CHECK(one.next(kStart + 1h));
}

TEST_CASE("who follows an instance does nothing until it knows its role", "[sync]") {
  Planner one = planner(WriterRule::kInstance);
  CHECK_FALSE(one.next(kStart));
  CHECK_FALSE(one.deadline());
  one.role_seen(Role::kMaster, kStart);
  const auto order = one.next(kStart);
  REQUIRE(order);
  CHECK(order->job == Job::kResume);
  CHECK(order->may_claim == MayClaim::kYes);
}

TEST_CASE("who is master when the daemon starts is no new writer, unless its copy is old",
          "[sync]") {
  Planner warm = planner(WriterRule::kInstance);
  warm.role_seen(Role::kMaster, kStart);
  REQUIRE(warm.next(kStart)->job == Job::kResume);
  warm.ended(end(Outcome::kFailed), kStart);
  REQUIRE(warm.next(kStart + 2s)->job == Job::kResume);
  warm.ended(end(Outcome::kCommitted, 1, kStart), kStart + 2s);
  warm.changed("jobs/a", kStart + 3s);
  CHECK(warm.next(kStart + 4s)->job == Job::kCommit);

  Planner cold = planner(WriterRule::kInstance, Standby::kCold);
  cold.role_seen(Role::kMaster, kStart);
  CHECK(cold.next(kStart)->job == Job::kCommit);
}

TEST_CASE("a manual mirror is left to the operator", "[sync]") {
  Planner one = planner(WriterRule::kManual);
  one.target_seen({{3, 1}, kStart});
  one.changed("jobs/a", kStart);
  CHECK_FALSE(one.next(kStart + 1h));
  CHECK(one.lag(kStart + 1min) == Duration{1min});
}

TEST_CASE("a warm standby follows each generation, a cold one none", "[sync]") {
  Planner warm = standby_at_rest();
  warm.target_seen({{2, 1}, kStart + 10s});
  const auto order = warm.next(kStart + 10s);
  REQUIRE(order);
  CHECK(order->job == Job::kCatchUp);
  CHECK(order->may_claim == MayClaim::kNo);
  warm.ended(end(Outcome::kApplied, 2), kStart + 11s);
  CHECK_FALSE(warm.next(kStart + 1h));

  Planner cold = standby_at_rest(Standby::kCold);
  cold.target_seen({{2, 1}, kStart + 10s});
  CHECK_FALSE(cold.next(kStart + 10s));
}

TEST_CASE("a standby that is made master takes over at once", "[sync]") {
  Planner one = standby_at_rest();
  one.role_seen(Role::kMaster, kStart + 1min);
  const auto order = one.next(kStart + 1min);
  REQUIRE(order);
  CHECK(order->job == Job::kTakeOver);
  CHECK(order->may_claim == MayClaim::kYes);
  one.ended(end(Outcome::kApplied, 2), kStart + 1min);
  one.changed("jobs/a", kStart + 2min);
  const auto after = one.next(kStart + 2min + 1s);
  REQUIRE(after);
  CHECK(after->job == Job::kCommit);
  CHECK(after->may_claim == MayClaim::kNo);
}

TEST_CASE("a cold standby that is made master recovers only when it is told to", "[sync]") {
  Planner one = standby_at_rest(Standby::kCold);
  one.role_seen(Role::kMaster, kStart + 1min);
  const auto order = one.next(kStart + 1min);
  REQUIRE(order);
  CHECK(order->job == Job::kCommit);
  one.ended(end(Outcome::kBehind), kStart + 1min);
  CHECK(one.is_fenced());
}

TEST_CASE("a takeover that failed is tried again as one", "[sync]") {
  Planner one = standby_at_rest();
  one.role_seen(Role::kMaster, kStart + 1min);
  REQUIRE(one.next(kStart + 1min));
  one.ended(end(Outcome::kFailed), kStart + 1min);
  const auto order = one.next(kStart + 1min + 2s);
  REQUIRE(order);
  CHECK(order->job == Job::kTakeOver);
  CHECK(order->may_claim == MayClaim::kYes);
}

TEST_CASE("a vrrpd that falls silent stops the writer, and its return is no takeover", "[sync]") {
  Planner one = planner(WriterRule::kInstance);
  one.role_seen(Role::kMaster, kStart);
  REQUIRE(one.next(kStart));
  one.ended(end(Outcome::kCommitted, 1, kStart), kStart);
  one.role_seen(Role::kUnknown, kStart + 1min);
  one.changed("jobs/a", kStart + 1min);
  CHECK_FALSE(one.next(kStart + 1h));
  one.role_seen(Role::kMaster, kStart + 1h);
  const auto order = one.next(kStart + 1h);
  REQUIRE(order);
  CHECK(order->job == Job::kCommit);
  CHECK(order->may_claim == MayClaim::kNo);
}

TEST_CASE("who was fenced off writes no more until somebody claims the target here", "[sync]") {
  for (const Outcome outcome : {Outcome::kFenced, Outcome::kBehind}) {
    Planner one = writer_at_rest();
    one.changed("jobs/a", kStart + 10s);
    REQUIRE(one.next(kStart + 11s));
    one.ended(end(outcome, 7), kStart + 11s);
    CHECK(one.is_fenced());
    one.changed("jobs/b", kStart + 12s);
    CHECK_FALSE(one.deadline());
    CHECK_FALSE(one.next(kStart + 1h));
    one.claimed_here(kStart + 1h);
    const auto order = one.next(kStart + 1h + 1s);
    REQUIRE(order);
    CHECK_FALSE(order->changed);
    CHECK(order->may_claim == MayClaim::kNo);
  }
}

TEST_CASE("a fenced writer that is no longer master follows the one that is", "[sync]") {
  Planner one = planner(WriterRule::kInstance);
  one.role_seen(Role::kMaster, kStart);
  REQUIRE(one.next(kStart));
  one.ended(end(Outcome::kFenced), kStart);
  one.target_seen({{5, 2}, kStart});
  one.role_seen(Role::kNotMaster, kStart + 1min);
  const auto order = one.next(kStart + 1min);
  REQUIRE(order);
  CHECK(order->job == Job::kCatchUp);
}

TEST_CASE("the writer's lag counts from the scan of its last good pass", "[sync]") {
  Planner one = planner(WriterRule::kAlways);
  CHECK_FALSE(one.lag(kStart));
  REQUIRE(one.next(kStart));
  one.ended(end(Outcome::kCommitted, 1, kStart), kStart + 10s);
  CHECK(one.lag(kStart + 10s) == Duration{10s});
  REQUIRE(one.next(kStart + 5min));
  one.ended(end(Outcome::kFailed), kStart + 5min);
  CHECK(one.lag(kStart + 6min) == Duration{6min});
}

TEST_CASE("a standby's lag is that of its own copy", "[sync]") {
  Planner one = standby_at_rest();
  CHECK(one.lag(kStart + 10s) == Duration{10s});
  // The writer looked again and found nothing new.
  one.target_seen({{1, 1}, kStart + 1min});
  CHECK(one.lag(kStart + 1min) == Duration{0});
  // A newer generation is not here yet.
  one.target_seen({{2, 1}, kStart + 2min});
  CHECK(one.lag(kStart + 2min) == Duration{1min});
  REQUIRE(one.next(kStart + 2min));
  one.ended(end(Outcome::kApplied, 2), kStart + 2min + 5s);
  CHECK(one.lag(kStart + 2min + 5s) == Duration{5s});
}
