#include "haproxy_probe/evaluator.hpp"

#include <fmt/format.h>

#include <random>

#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;
using namespace std::chrono_literals;
using ha::Demotion;
using ha::TimePoint;

namespace {

const TimePoint kStart{1h};

ProbeConfig config() {
  ProbeConfig config;
  config.teams = TeamPattern{"jenkins_backend_(.+)"};
  return config;
}

/// One server of this machine for each of the users' four teams, the first `up` of them up.
StatsReceived stats(int up) {
  StatsReceived event;
  for (const char* team : {"devops", "ma", "ba", "tw"}) {
    const ServerClass status = up-- > 0 ? ServerClass::kUp : ServerClass::kDown;
    event.servers.push_back(local(std::string{"jenkins_backend_"} + team, "s", status));
  }
  return event;
}

const StatsReceived kGood = stats(3);
const StatsReceived kBad = stats(1);
const StatsReceived kUncounted{
    {local("jenkins_backend_ma", "s", ServerClass::kUnknown)}};  // as after a reload
const HaproxyGone kGone{"connect /run/haproxy/admin.sock: Connection refused"};
const AnswerUnusable kSilent{"no whole answer in time"};

/// An evaluator whose deadlines are met on the way, as by a driver.
class Played {
 public:
  explicit Played(ProbeConfig config = ::config(), const Standing& before = {},
                  ha::Duration start = 0s)
      : evaluator_{std::move(config), before} {
    evaluator_.handle(LocalAddressesChanged{{{ip("192.0.2.1")}}}, kStart + start);
  }

  /// `event` at `at` after the start.
  Played& at(ha::Duration at, const Event& event) {
    pass_to(kStart + at);
    evaluator_.handle(event, kStart + at);
    return *this;
  }
  /// `event` once a second, from the second `from` up to and including `to`.
  Played& each_second(int from, int to, const Event& event) {
    for (int second = from; second <= to; ++second) at(std::chrono::seconds{second}, event);
    return *this;
  }

  [[nodiscard]] Verdict verdict() const { return evaluator_.report().verdict; }
  [[nodiscard]] const Report& report() const { return evaluator_.report(); }
  [[nodiscard]] std::optional<ha::Duration> deadline() const {
    if (!evaluator_.deadline()) return std::nullopt;
    return *evaluator_.deadline() - kStart;
  }
  Evaluator& evaluator() { return evaluator_; }

 private:
  void pass_to(TimePoint now) {
    while (evaluator_.deadline() && *evaluator_.deadline() <= now) {
      evaluator_.handle(DeadlineReached{}, *evaluator_.deadline());
    }
  }

  Evaluator evaluator_;
};

}  // namespace

TEST_CASE("before the first counted answer nothing is known and nothing demoted") {
  Played played;
  CHECK(played.verdict() == Verdict::kUnknown);
  CHECK(played.report().reason == "HOLD: no answer of HAProxy yet");
  played.at(1s, kUncounted).at(2s, kSilent);
  CHECK(played.verdict() == Verdict::kUnknown);
  CHECK(demotion(config(), played.report()).amount == 0);
}

TEST_CASE("the first good answer is healthy at once") {
  CHECK(Played{}.at(0s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("a first answer that is bad gets the grace, too") {
  Played played;
  played.at(0s, kBad);
  CHECK(played.verdict() == Verdict::kHealthy);
  CHECK(played.report().grace_ends_at == kStart + 30s);
  CHECK(played.each_second(1, 29, kBad).verdict() == Verdict::kHealthy);
  CHECK(played.at(30s, kBad).verdict() == Verdict::kUnhealthy);
}

TEST_CASE("the end of the grace needs no answer, only the deadline") {
  Played played;
  played.each_second(0, 2, kGood).each_second(3, 32, kBad);
  CHECK(played.verdict() == Verdict::kHealthy);
  REQUIRE(played.deadline() == 33s);
  played.evaluator().handle(DeadlineReached{}, kStart + 33s - 1ns);
  CHECK(played.verdict() == Verdict::kHealthy);
  played.evaluator().handle(DeadlineReached{}, kStart + 33s);
  CHECK(played.verdict() == Verdict::kUnhealthy);
  CHECK_FALSE(played.report().grace_ends_at);
}

TEST_CASE("bad with short good spells is unhealthy one grace after it first was bad") {
  Played played;
  for (int second = 0; second < 30; ++second) {
    played.at(std::chrono::seconds{second}, second % 10 == 0 ? kBad : kGood);
    REQUIRE(played.verdict() == Verdict::kHealthy);
  }
  CHECK(played.at(30s, kBad).verdict() == Verdict::kUnhealthy);
}

TEST_CASE("a good spell of recover forgets the grace") {
  Played played;
  played.at(0s, kBad).each_second(1, 10, kGood);
  SECTION("one that is a nanosecond shorter does not") {
    CHECK(played.at(11s - 1ns, kBad).report().grace_ends_at == kStart + 30s);
  }
  SECTION("counted from the first good answer") {
    CHECK(played.at(11s, kBad).report().grace_ends_at == kStart + 41s);
  }
}

TEST_CASE("a maintenance of everything forgets the grace, too") {
  Played played;
  played.at(0s, kBad).each_second(1, 40, kUncounted).at(41s, kBad);
  CHECK(played.verdict() == Verdict::kHealthy);
  CHECK(played.report().grace_ends_at == kStart + 71s);
}

TEST_CASE("unhealthy is healthy again after recover without a bad answer") {
  Played played;
  played.each_second(0, 30, kBad);
  REQUIRE(played.verdict() == Verdict::kUnhealthy);
  played.each_second(31, 40, kGood);
  CHECK(played.verdict() == Verdict::kUnhealthy);
  CHECK(played.deadline() == 41s);
  SECTION("by the deadline alone") {
    played.evaluator().handle(DeadlineReached{}, kStart + 41s);
    CHECK(played.verdict() == Verdict::kHealthy);
  }
  SECTION("but a bad answer starts the wait again") {
    played.at(40500ms, kBad).each_second(41, 50, kGood);
    CHECK(played.verdict() == Verdict::kUnhealthy);
    CHECK(played.at(51s, kGood).verdict() == Verdict::kHealthy);
  }
  SECTION("and after it a new grace is a whole one") {
    played.at(41s, kGood).at(42s, kBad);
    CHECK(played.verdict() == Verdict::kHealthy);
    CHECK(played.report().grace_ends_at == kStart + 72s);
  }
}

TEST_CASE("time in which nothing counts does not lift a demotion") {
  Played played;
  played.each_second(0, 30, kBad).each_second(31, 100, kUncounted);
  CHECK(played.verdict() == Verdict::kUnhealthy);
  CHECK(played.at(101s, kGood).verdict() == Verdict::kUnhealthy);
}

TEST_CASE("HAProxy gone is down at once, from every verdict") {
  CHECK(Played{}.at(0s, kGone).verdict() == Verdict::kDown);
  CHECK(Played{}.at(0s, kGood).at(1ms, kGone).verdict() == Verdict::kDown);
  CHECK(Played{}.at(0s, kBad).at(1s, kGone).verdict() == Verdict::kDown);
  CHECK(Played{}.each_second(0, 30, kBad).at(31s, kGone).verdict() == Verdict::kDown);
}

TEST_CASE("after a restart down stays for recover of good answers") {
  Played played;
  played.at(0s, kGood).at(1s, kGone).each_second(2, 4, kUncounted).each_second(5, 14, kGood);
  CHECK(played.verdict() == Verdict::kDown);
  CHECK(played.deadline() == 15s);
  CHECK(played.at(15s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("out of down a bad answer is unhealthy at once") {
  Played played;
  played.at(0s, kGood).at(1s, kGone).at(2s, kGood).at(3s, kBad);
  CHECK(played.verdict() == Verdict::kUnhealthy);
  played.each_second(4, 13, kGood);
  CHECK(played.verdict() == Verdict::kUnhealthy);
  CHECK(played.at(14s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("silence during the recovery of a restarted HAProxy is down from the start") {
  ProbeConfig slow = config();
  slow.stale_after = 3s;
  Played played{slow};
  played.at(0s, kGood).at(1s, kGone).at(2s, kGood);
  CHECK(played.deadline() == 5s);
  played.at(6s, kGood).each_second(7, 15, kGood);
  CHECK(played.verdict() == Verdict::kDown);
  CHECK(played.at(16s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("unusable answers hold the verdict until stale_after, then it is down") {
  Played played;
  played.each_second(0, 10, kGood).at(11s, kSilent);
  CHECK(played.verdict() == Verdict::kHealthy);
  CHECK(played.report().alarm == "no whole answer in time");
  CHECK(played.deadline() == 15s);
  SECTION("down at the deadline") {
    played.evaluator().handle(DeadlineReached{}, kStart + 15s - 1ns);
    CHECK(played.verdict() == Verdict::kHealthy);
    played.evaluator().handle(DeadlineReached{}, kStart + 15s);
    CHECK(played.verdict() == Verdict::kDown);
    CHECK_FALSE(played.deadline());
  }
  SECTION("an answer in time, even one that counts nothing, starts anew") {
    played.at(14s, kUncounted);
    CHECK(played.deadline() == 19s);
  }
}

TEST_CASE("silence without any event is stale, too, counted from the first event") {
  Played played;
  CHECK(played.deadline() == 5s);
  played.evaluator().handle(DeadlineReached{}, kStart + 5s);
  CHECK(played.verdict() == Verdict::kDown);
  CHECK(played.report().reason == "FAILOVER: no usable answer of HAProxy: nothing was heard of it");
}

TEST_CASE("while answers are unusable neither grace nor recovery ends") {
  ProbeConfig slow = config();
  slow.stale_after = 1h;
  Played bad{slow};
  bad.at(0s, kBad).at(29s, kSilent).at(60s, kSilent);
  CHECK(bad.verdict() == Verdict::kHealthy);
  CHECK(bad.at(61s, kBad).verdict() == Verdict::kUnhealthy);

  Played good{slow};
  good.each_second(0, 30, kBad).at(31s, kGood).at(32s, kSilent).at(60s, kSilent);
  CHECK(good.verdict() == Verdict::kUnhealthy);
  CHECK(good.at(61s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("a process that was stopped does not blame HAProxy for the silence") {
  Played played;
  played.at(0s, kGood);
  REQUIRE(played.deadline() == 5s);
  played.evaluator().handle(DeadlineReached{}, kStart + 20s);
  CHECK(played.verdict() == Verdict::kHealthy);
  REQUIRE(played.deadline() == 21500ms);  // the time of one more poll
  SECTION("the next answer decides") {
    played.at(20100ms, kGood);
    CHECK(played.verdict() == Verdict::kHealthy);
  }
  SECTION("and silence from then on is down") {
    played.evaluator().handle(DeadlineReached{}, kStart + 21500ms);
    CHECK(played.verdict() == Verdict::kDown);
  }
}

TEST_CASE("the decision line says what is decided and why") {
  Played played;
  played.at(0s, stats(4));
  CHECK(played.report().reason == "NO FAILOVER: 100% is not below 50%; 4 healthy teams");
  played.at(1s, stats(3));
  CHECK(played.report().reason == "NO FAILOVER: 75% is not below 50%; 3 healthy teams");
  CHECK(overall_line(played.report()) ==
        "Overall: 3/4 (75%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:UP(1/1) tw:DOWN(0/1)");
  played.at(2s, stats(1));
  CHECK(played.report().reason ==
        "WAIT: 25% is below 50% and 1 healthy team is below the quorum of 2; grace of 30s");
  played.at(3s, kSilent);
  CHECK(played.report().reason ==
        "HOLD: healthy is kept: no usable answer of HAProxy: no whole answer in time");
  CHECK(overall_line(played.report()) ==
        "Overall: 1/4 (25%) | Teams: devops:UP(1/1) ma:DOWN(0/1) ba:DOWN(0/1) tw:DOWN(0/1)");
  played.each_second(4, 32, stats(0));
  CHECK(played.report().reason ==
        "FAILOVER: 0% is below 50% and 0 healthy teams are below the quorum of 2");
  played.at(33s, kGood);
  CHECK(played.report().reason ==
        "HOLD: unhealthy is kept until good for 10s: 75% is not below 50%; 3 healthy teams");
  played.at(34s, kGone);
  CHECK(played.report().reason ==
        "FAILOVER: HAProxy is gone: connect /run/haproxy/admin.sock: Connection refused");
  CHECK(overall_line(played.report()) ==
        "Overall: 0/4 (0%) | Teams: devops:DOWN(0/1) ma:DOWN(0/1) ba:DOWN(0/1) tw:DOWN(0/1)");
  played.at(35s, kUncounted);
  CHECK(played.report().reason ==
        "HOLD: down is kept: every server that could count is in maintenance, drained or not "
        "checked");
  CHECK(overall_line(played.report()) == "Overall: 0/0 (0%) | Teams: ma:UNKNOWN(0/0)");
}

TEST_CASE("the decision line tells the percentage from the quorum") {
  StatsReceived quarter;  // of each of two teams
  for (const char* team : {"jenkins_backend_a", "jenkins_backend_b"}) {
    quarter.servers.push_back(local(team, "1", ServerClass::kUp));
    for (int i = 0; i < 3; ++i) quarter.servers.push_back(local(team, "2", ServerClass::kDown));
  }
  CHECK(Played{}.at(0s, quarter).report().reason ==
        "NO FAILOVER: 25% is below 50%, but 2 healthy teams reach the quorum of 2");
  ProbeConfig either = config();
  either.combine = Combine::kOr;
  CHECK(Played{either}.at(0s, quarter).report().reason == "WAIT: 25% is below 50%; grace of 30s");
  either.threshold = 25;
  either.grace = 1500ms;
  CHECK(Played{either}.at(0s, stats(1)).report().reason ==
        "WAIT: 1 healthy team is below the quorum of 2; grace of 1500ms");
}

TEST_CASE("the report does not change merely because time passes") {
  Played played;
  for (const Event& event : {Event{kGood}, Event{kBad}, Event{kUncounted}, Event{kSilent}}) {
    const Report first = played.at(0s, event).report();
    CHECK(played.at(3s, event).report() == first);
  }
}

TEST_CASE("the quorum is never more than the teams that count, and 0 is always reached") {
  ProbeConfig many = config();
  many.quorum = 9;
  CHECK(Played{many}.at(0s, stats(4)).report().reason ==
        "NO FAILOVER: 100% is not below 50%; 4 healthy teams");
  many.combine = Combine::kOr;
  CHECK(Played{many}.at(0s, stats(4)).report().grace_ends_at == std::nullopt);
  CHECK(Played{many}.at(0s, stats(3)).report().grace_ends_at == kStart + 30s);
  ProbeConfig none = config();
  none.quorum = 0;
  CHECK(Played{none}.at(0s, stats(0)).report().grace_ends_at == std::nullopt);
}

TEST_CASE("a percentage is judged exactly, however it is rounded") {
  ProbeConfig third = config();
  third.threshold = 34;  // one of three is 33.3 %
  third.combine = Combine::kOr;
  third.quorum = 0;
  StatsReceived rows;
  for (const char* server : {"1", "2", "3"}) {
    rows.servers.push_back(
        local("jenkins_backend_a", server, *server == '1' ? ServerClass::kUp : ServerClass::kDown));
  }
  CHECK(Played{third}.at(0s, rows).report().grace_ends_at);
  third.threshold = 33;
  CHECK_FALSE(Played{third}.at(0s, rows).report().grace_ends_at);
  CHECK(Played{third}.at(0s, rows).report().percentage == 33);
}

TEST_CASE("a missing team raises an alarm and changes no verdict") {
  ProbeConfig mapped = config();
  mapped.teams = TeamMap{{"devops", {"jenkins_backend_devops"}}, {"xy", {"jenkins_backend_xy"}}};
  Played played{mapped};
  played.at(0s, stats(4));
  CHECK(played.verdict() == Verdict::kHealthy);
  CHECK(played.report().alarm == "no server in HAProxy's answer for team xy");
}

TEST_CASE("the demotion is the verdict's, with a reason of its own") {
  ProbeConfig priced = config();
  priced.demote_unhealthy = 30;
  priced.demote_down = 90;
  const auto after = [&priced](const Played& played) { return demotion(priced, played.report()); };
  CHECK(after(Played{}) == Demotion{"haproxy", 0, "no answer of HAProxy yet"});
  CHECK(after(Played{}.at(0s, kGood)) == Demotion{"haproxy", 0, "75% up, 3 of 4 teams healthy"});
  CHECK(after(Played{}.each_second(0, 30, kBad)) ==
        Demotion{"haproxy", 30, "25% up, 1 of 4 teams healthy"});
  CHECK(after(Played{}.at(0s, kGone)) ==
        Demotion{"haproxy", 90,
                 "HAProxy is gone: connect /run/haproxy/admin.sock: Connection refused"});
}

TEST_CASE("an alarm lasts as long as its cause") {
  Played played;
  CHECK_FALSE(played.at(0s, kGood).report().alarm);
  CHECK(played.at(1s, kSilent).report().alarm == "no whole answer in time");
  CHECK(played.at(2s, kGone).report().alarm == kGone.reason);
  CHECK(played.at(3s, kUncounted).report().alarm ==
        "every server that could count is in maintenance, drained or not checked");
  CHECK_FALSE(played.at(4s, kBad).report().alarm);
}

TEST_CASE("a restarted evaluator holds the verdict of the one before until it knows better") {
  const Verdict verdict = GENERATE(Verdict::kHealthy, Verdict::kUnhealthy, Verdict::kDown);
  const Standing before{verdict, std::nullopt};
  CHECK(Evaluator{config(), before}.report().verdict == verdict);
  Played played{config(), before};
  CHECK(played.verdict() == verdict);
  CHECK(played.report().reason ==
        fmt::format("HOLD: {} is kept: no answer of HAProxy since the start", name_of(verdict)));
  const int amount = verdict == Verdict::kUnhealthy ? 50 : verdict == Verdict::kDown ? 100 : 0;
  CHECK(
      demotion(config(), played.report()) ==
      Demotion{"haproxy", amount,
               fmt::format("{} is kept: no answer of HAProxy since the start", name_of(verdict))});
  CHECK(played.at(1s, kUncounted).verdict() == verdict);
  CHECK(played.at(2s, kSilent).verdict() == verdict);
}

TEST_CASE("a restart in the middle of the grace does not begin it anew") {
  Played first;
  first.each_second(0, 20, kBad);
  CHECK(first.evaluator().standing() == Standing{Verdict::kHealthy, kStart});
  Played second{config(), first.evaluator().standing(), 21s};
  CHECK(second.each_second(21, 29, kBad).verdict() == Verdict::kHealthy);
  CHECK(second.at(30s, kBad).verdict() == Verdict::kUnhealthy);
}

TEST_CASE("a restart while unhealthy stays unhealthy, and recovers by the usual rule") {
  Played first;
  first.each_second(0, 31, kBad);
  REQUIRE(first.verdict() == Verdict::kUnhealthy);
  const Standing before = first.evaluator().standing();
  CHECK(Played{config(), before, 32s}.at(32s, kBad).verdict() == Verdict::kUnhealthy);
  Played second{config(), before, 32s};
  CHECK(second.each_second(32, 41, kGood).verdict() == Verdict::kUnhealthy);
  CHECK(second.at(42s, kGood).verdict() == Verdict::kHealthy);
}

TEST_CASE("a grace that is forgotten is not handed on") {
  Played played;
  played.at(0s, kBad).each_second(1, 11, kGood);
  CHECK(played.evaluator().standing() == Standing{Verdict::kHealthy, std::nullopt});
}

TEST_CASE("verdicts have the names that tools read") {
  CHECK(name_of(Verdict::kUnknown) == "unknown");
  CHECK(name_of(Verdict::kHealthy) == "healthy");
  CHECK(name_of(Verdict::kUnhealthy) == "unhealthy");
  CHECK(name_of(Verdict::kDown) == "down");
}

TEST_CASE("whatever happens, the next deadline lies ahead and a repeated one changes nothing") {
  const unsigned seed = GENERATE(range(1U, 51U));
  CAPTURE(seed);
  std::mt19937 random{seed};
  ProbeConfig varied = config();
  varied.recover = std::chrono::seconds{random() % 4};
  varied.grace = std::chrono::seconds{random() % 4};
  varied.stale_after = std::chrono::seconds{1 + random() % 4};
  Evaluator evaluator{varied};
  TimePoint now = kStart;
  const std::vector<Event> events = {kGood,
                                     kBad,
                                     kUncounted,
                                     kGone,
                                     kSilent,
                                     DeadlineReached{},
                                     LocalAddressesChanged{{{ip("192.0.2.1")}}}};
  for (int step = 0; step < 1000; ++step) {
    now += std::chrono::milliseconds{random() % 3 == 0 ? random() % 4000 : 0};
    evaluator.handle(events[random() % events.size()], now);
    const auto deadline = evaluator.deadline();
    if (deadline) REQUIRE(*deadline > now);
    const Report before = evaluator.report();
    evaluator.handle(DeadlineReached{}, now);
    REQUIRE(evaluator.report() == before);
    REQUIRE(evaluator.deadline() == deadline);
  }
}
