/// The state table row by row: reference RFC 9568 section 6.4, and what the daemon adds to it.
#include "vrrpd/engine/router.hpp"

#include "sample_router.hpp"
#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST_CASE("skew time and down interval are those of the RFC's formulas", "[rfc9568-6.1]") {
  CHECK(skew_time(Version::k3, Priority{100}, 1s) == 609'375us);
  CHECK(skew_time(Version::k3, Priority{254}, 1s) == 7812500ns);
  CHECK(skew_time(Version::k3, Priority{1}, 40950ms) == 40790039062ns);
  CHECK(master_down_interval(Version::k3, Priority{100}, 100ms) == 360'937'500ns);
  SECTION("version 2 does not scale the skew time by the interval") {
    CHECK(skew_time(Version::k2, Priority{100}, 10s) == 609'375us);
    CHECK(master_down_interval(Version::k2, Priority{100}, 10s) == 30'609'375us);
  }
}

TEST_CASE("the owner of the address is master from the start", "[rfc9568-6.4.1]") {
  const Step started = step(config(), Initialize{}, Started{kPriorityOwner, kOurs}, kStart);

  CHECK(started.actions ==
        std::vector<Action>{
            SendAdvert{kPriorityOwner}, AcquireAddresses{}, Announce{},
            Transitioned{"master", LastEvent::kStartup, NewMasterReason::kPriority, {}, false}});
  CHECK(deadline(started.next) == kStart + kAnnouncementSpacing);
}

TEST_CASE("everybody else starts as backup and waits a whole down interval", "[rfc9568-6.4.1]") {
  const Step started = step(config(), Initialize{}, Started{Priority{100}, kOurs}, kStart);

  CHECK(started.actions ==
        std::vector<Action>{
            Transitioned{"backup", LastEvent::kStartup, NewMasterReason::kNotMaster, {}, false}});
  CHECK(deadline(started.next) == kStart + 3s + 609'375us);
}

TEST_CASE("a router that is not started ignores adverts and timers", "[rfc9568-6.4.1]") {
  for (const State& state : {State{Initialize{}}, State{Fault{}}}) {
    CHECK(step(config(), state, advert(255), kStart).next == state);
    CHECK(step(config(), state, DeadlineReached{}, kStart).actions.empty());
    CHECK_FALSE(deadline(state));
  }
}

TEST_CASE("a backup takes over when the master goes silent", "[rfc9568-6.4.2]") {
  const State backup = step(config(), backup_of(config(), 100), advert(110), kStart).next;
  const TimePoint takeover = kStart + 3s + 609'375us;

  REQUIRE(deadline(backup) == takeover);
  CHECK(step(config(), backup, DeadlineReached{}, takeover - 1us).next == backup);
  CHECK(on_time(config(), backup).actions ==
        std::vector<Action>{
            SendAdvert{Priority{100}}, AcquireAddresses{}, Announce{},
            Transitioned{"master", LastEvent::kMasterTimeout, NewMasterReason::kNoResponse,
                         Claim{kPeer, Priority{110}}, false}});
}

TEST_CASE("a backup sends nothing when it is shut down", "[rfc9568-6.4.2]") {
  const Step stopped = step(config(), backup_of(config(), 100), ShutDown{}, kStart);
  CHECK(stopped.next == State{Initialize{}});
  CHECK_FALSE(has<SendAdvert>(stopped.actions));
  CHECK_FALSE(has<ReleaseAddresses>(stopped.actions));
}

TEST_CASE("priority 0 leaves a backup only its skew time to wait", "[rfc9568-6.4.2]") {
  const State following = step(config(), backup_of(config(), 100), advert(110), kStart).next;
  const State vacant = step(config(), following, advert(0), kStart + 1s).next;
  REQUIRE(deadline(vacant) == kStart + 1s + 609'375us);

  SECTION("and repeating it does not put the take-over off") {
    const State again = step(config(), vacant, advert(0), kStart + 1500ms).next;
    CHECK(deadline(again) == deadline(vacant));
  }
  SECTION("and the reason is the priority, not silence") {
    const Step taken = on_time(config(), vacant);
    CHECK(std::get<Transitioned>(taken.actions.back()).reason == NewMasterReason::kPriority);
  }
}

TEST_CASE("an equal or higher priority restarts the down timer with its interval",
          "[rfc9568-6.4.2]") {
  for (const int priority : {100, 101, 255}) {
    const State next =
        step(config(), backup_of(config(), 100), advert(priority, kPeer, 2s), kStart + 1s).next;
    CHECK(deadline(next) == kStart + 1s + master_down_interval(Version::k3, Priority{100}, 2s));
  }
}

TEST_CASE("a lower priority is discarded and so preempted", "[rfc9568-6.4.2]") {
  const State backup = backup_of(config(), 100);
  const State heard = step(config(), backup, advert(90), kStart + 3s).next;

  CHECK(deadline(heard) == deadline(backup));
  const Step taken = on_time(config(), heard);
  const auto& why = std::get<Transitioned>(taken.actions.back());
  CHECK(why.reason == NewMasterReason::kPreempted);
  CHECK(why.event == LastEvent::kLowerPriorityMaster);
  CHECK(why.claim == Claim{kPeer, Priority{90}});
}

TEST_CASE("without preemption a lower priority is followed", "[rfc9568-6.4.2]") {
  for (const Preempt preempt : {Preempt::kNo, Preempt::kDegraded}) {
    const RouterConfig settings = config(preempt);
    const State heard = step(settings, backup_of(settings, 100), advert(90), kStart + 3s).next;
    CHECK(deadline(heard) == kStart + 3s + 3s + 609'375us);
  }
}

TEST_CASE("a backup relieves a master whose priority drops below its own after its skew time") {
  for (const Preempt preempt : {Preempt::kYes, Preempt::kDegraded}) {
    const RouterConfig settings = config(preempt);
    const State following = step(settings, backup_of(settings, 100), advert(110), kStart).next;
    const State relieving = step(settings, following, advert(60), kStart + 1s).next;
    REQUIRE(deadline(relieving) == kStart + 1s + 609'375us);

    const State again = step(settings, relieving, advert(60), kStart + 1500ms).next;
    CHECK(deadline(again) == deadline(relieving));

    const State recovered = step(settings, relieving, advert(110), kStart + 1500ms).next;
    CHECK(deadline(recovered) == kStart + 1500ms + 3s + 609'375us);
  }
}

TEST_CASE("with preempt no, not even a drop takes the address from the master") {
  const RouterConfig settings = config(Preempt::kNo);
  const State following = step(settings, backup_of(settings, 100), advert(110), kStart).next;
  const State heard = step(settings, following, advert(60), kStart + 1s).next;
  CHECK(deadline(heard) == kStart + 1s + 3s + 609'375us);
}

TEST_CASE("a drop is measured against the best the same master ever claimed") {
  const RouterConfig settings = config(Preempt::kDegraded);
  // Both are degraded at first, then we recover.
  State state = step(settings, backup_of(settings, 50), advert(110), kStart).next;
  state = step(settings, state, advert(60), kStart + 1s).next;
  state = step(settings, state, PriorityChanged{Priority{100}}, kStart + 2s).next;
  state = step(settings, state, advert(60), kStart + 2s).next;
  CHECK(deadline(state) == kStart + 2s + 609'375us);

  SECTION("another master starts with a clean sheet") {
    const State other = step(settings, state, advert(90, kThird), kStart + 2s).next;
    CHECK(deadline(other) == kStart + 2s + 3s + 609'375us);
  }
}

TEST_CASE("a preempt delay leaves a lower master in place for that long") {
  RouterConfig settings = config();
  settings.preempt_delay = 10s;
  State state = backup_of(settings, 100);
  state = step(settings, state, advert(90), kStart + 1s).next;
  CHECK(deadline(state) == kStart + 1s + 3s + 609'375us);
  state = step(settings, state, advert(90), kStart + 10999ms).next;
  const auto last_accepted = deadline(state);
  state = step(settings, state, advert(90), kStart + 11s).next;
  CHECK(deadline(state) == last_accepted);
  CHECK(std::get<Transitioned>(on_time(settings, state).actions.back()).event ==
        LastEvent::kPreemptHoldTimeout);

  SECTION("a better master cancels it") {
    State other = step(settings, state, advert(110), kStart + 12s).next;
    other = step(settings, other, advert(90, kThird), kStart + 13s).next;
    CHECK(deadline(other) == kStart + 13s + 3s + 609'375us);
  }
}

TEST_CASE("a backup's running timer moves by the change of its skew time") {
  const State backup = backup_of(config(), 100);
  const State raised = step(config(), backup, PriorityChanged{Priority{228}}, kStart + 2s).next;
  CHECK(deadline(raised) == *deadline(backup) - 500ms);
}

TEST_CASE("a backup that drops below the master that it was about to displace lets it be") {
  SECTION("which had dropped itself") {
    const State following = step(config(), backup_of(config(), 100), advert(110), kStart).next;
    const State relieving = step(config(), following, advert(10), kStart + 1s).next;
    REQUIRE(deadline(relieving) == kStart + 1s + 609'375us);
    const auto drop_to = [&](Priority priority) {
      return step(config(), relieving, PriorityChanged{priority}, kStart + 1200ms).next;
    };
    CHECK(deadline(drop_to(Priority{11})) < kStart + 2s);
    CHECK(deadline(drop_to(Priority{10})) > kStart + 1s + 3s);
    const State lower = drop_to(Priority{1});
    CHECK(deadline(lower) == kStart + 1s + 3s + 996'093us + 750ns);
    // And takes over if that is silent after all.
    CHECK(std::get<Transitioned>(on_time(config(), lower).actions.back()).event ==
          LastEvent::kMasterTimeout);
  }
  SECTION("which had only been outbid") {
    const State outbidding = step(config(), backup_of(config(), 100), advert(90), kStart).next;
    const State outbid =
        step(config(), outbidding, PriorityChanged{Priority{80}}, kStart + 900ms).next;
    CHECK(deadline(outbid) == kStart + 3s + 687'500us);
  }
}

TEST_CASE("a master advertises on the grid of its interval", "[rfc9568-6.4.3]") {
  RouterConfig settings = config();
  settings.announcements = {0, 0s, 0s};
  const State master = master_of(settings, 100);
  const TimePoint due = *deadline(master);
  const Step late = step(settings, master, DeadlineReached{}, due + 300ms);
  CHECK(late.actions == std::vector<Action>{SendAdvert{Priority{100}}});
  CHECK(deadline(late.next) == due + 1s);
  CHECK(step(settings, late.next, DeadlineReached{}, due + 300ms).actions.empty());
}

TEST_CASE("a master lets go with priority 0 before its addresses", "[rfc9568-6.4.3]") {
  const State master = master_of(config(), 100);
  SECTION("when it is shut down") {
    const Step stopped = step(config(), master, ShutDown{}, kStart);
    CHECK(stopped.next == State{Initialize{}});
    CHECK(stopped.actions[0] == Action{SendAdvert{kPriorityRelease}});
    CHECK(stopped.actions[1] == Action{ReleaseAddresses{}});
  }
  SECTION("when its interface goes down") {
    const Step faulted = step(config(), master, Faulted{Faulted::Cause::kInterfaceDown}, kStart);
    CHECK(faulted.next == State{Fault{}});
    CHECK(faulted.actions[0] == Action{SendAdvert{kPriorityRelease}});
    CHECK(faulted.actions[1] == Action{ReleaseAddresses{}});
  }
}

TEST_CASE("a master yields to a greater priority, and to an equal one from a greater address",
          "[rfc9568-6.4.3]") {
  const State master = master_of(config(), 100);
  for (const auto& better : {advert(101, kThird), advert(100, kPeer)}) {
    const Step yielded = step(config(), master, better, kStart);
    REQUIRE(std::holds_alternative<Backup>(yielded.next));
    CHECK(yielded.actions.front() == Action{ReleaseAddresses{}});
    CHECK_FALSE(has<SendAdvert>(yielded.actions));
    CHECK(deadline(yielded.next) == kStart + 3s + 609'375us);
  }
  for (const auto& lesser : {advert(99, kPeer), advert(100, kThird), advert(100, kOurs)}) {
    CHECK(std::holds_alternative<Master>(step(config(), master, lesser, kStart).next));
  }
}

TEST_CASE("a master answers priority 0 with an advertisement", "[rfc9568-6.4.3]") {
  const Step answered = step(config(), master_of(config(), 100), advert(0), kStart);
  CHECK(answered.actions == std::vector<Action>{SendAdvert{Priority{100}}});
  CHECK(std::get<Master>(answered.next).next_advert_at == kStart + 1s);
}

TEST_CASE("a losing advertisement is answered at once and announced over", "[rfc9568-6.4.3]") {
  const State master = master_of(config(), 100);
  const Step answered = step(config(), master, advert(90), kStart);
  CHECK(answered.actions == std::vector<Action>{LosingAdvertHeard{{kPeer, Priority{90}}},
                                                SendAdvert{Priority{100}}, Announce{}});
  SECTION("at most four times an interval, and announced at most twice a second") {
    int adverts = 0;
    int announcements = 0;
    State state = master;
    for (int ms = 0; ms < 1000; ++ms) {
      Step next = step(config(), state, advert(90), kStart + std::chrono::milliseconds{ms});
      adverts += has<SendAdvert>(next.actions) ? 1 : 0;
      announcements += has<Announce>(next.actions) ? 1 : 0;
      state = next.next;
    }
    CHECK(adverts == kAnswersPerInterval);
    CHECK(announcements == 1);
  }
  SECTION("and once more when the other has stepped down") {
    CHECK(*std::get<Master>(answered.next).announce_at <= kStart + 1s);
  }
}

TEST_CASE("a change of priority is advertised at once") {
  const State master = master_of(config(), 110);
  const Step changed = step(config(), master, PriorityChanged{Priority{60}}, kStart);
  CHECK(changed.actions == std::vector<Action>{SendAdvert{Priority{60}}});
  CHECK(step(config(), changed.next, PriorityChanged{Priority{60}}, kStart).actions.empty());
}

TEST_CASE("announcements come in bursts and then as a refresh") {
  RouterConfig settings = config();
  settings.advertisement_interval = 100ms;
  settings.announcements = {2, 1s, 10s};
  State state = master_of(settings, 100);
  const TimePoint entered = std::get<Master>(state).answer_from;
  std::vector<Duration> rounds;
  while (*deadline(state) <= entered + 25s) {
    const TimePoint now = *deadline(state);
    const Step next = step(settings, state, DeadlineReached{}, now);
    if (has<Announce>(next.actions)) rounds.push_back(now - entered);
    state = next.next;
  }
  CHECK(rounds == std::vector<Duration>{50ms, 1000ms, 1050ms, 11050ms, 21050ms});
}

/// When rounds of announcements leave from `begin` on, and what they are about.
std::vector<std::pair<Duration, Announced>> rounds_of(const RouterConfig& settings, State state,
                                                      TimePoint begin, Duration length) {
  std::vector<std::pair<Duration, Announced>> rounds;
  while (*deadline(state) <= begin + length) {
    const TimePoint now = *deadline(state);
    Step next = step(settings, state, DeadlineReached{}, now);
    for (const Action& action : next.actions) {
      const auto* announce = std::get_if<Announce>(&action);
      if (announce != nullptr) rounds.emplace_back(now - begin, announce->addresses);
    }
    state = std::move(next.next);
  }
  return rounds;
}

TEST_CASE(
    "addresses that a running master is given are announced alone, as often as on its start") {
  using Rounds = std::vector<std::pair<Duration, Announced>>;
  constexpr Announced kAll = Announced::kAll;
  constexpr Announced kNew = Announced::kNew;
  RouterConfig settings = config();
  settings.announcements = {2, 1s, 10s};
  const State entered = master_of(settings, 100);

  SECTION("in a quiet time") {
    State quiet = entered;
    while (in_a_burst(std::get<Master>(quiet))) quiet = on_time(settings, quiet).next;
    const TimePoint now = kStart + 3s;
    while (*deadline(quiet) <= now) quiet = on_time(settings, quiet).next;
    const State given = step(settings, quiet, AnnouncementDue{kNew}, now).next;
    CHECK(rounds_of(settings, given, now, 12s) ==
          Rounds{{0ms, kNew}, {50ms, kNew}, {1000ms, kNew}, {1050ms, kNew}, {11050ms, kAll}});
    SECTION("unless all are to be announced meanwhile") {
      const State all = step(settings, given, AnnouncementDue{}, now).next;
      CHECK(rounds_of(settings, all, now, 2s) ==
            Rounds{{0ms, kAll}, {50ms, kAll}, {1000ms, kAll}, {1050ms, kAll}});
    }
    SECTION("and after a losing advertisement all are") {
      const Step answered = step(settings, given, advert(90), now);
      CHECK(std::get<Announce>(answered.actions.back()) == Announce{kAll});
      for (const auto& round : rounds_of(settings, answered.next, now, 2s)) {
        CHECK(round.second == kAll);
      }
    }
  }
  SECTION("along with the others while those are still being announced") {
    const State given = step(settings, entered, AnnouncementDue{kNew}, kStart).next;
    CHECK(rounds_of(settings, given, kStart, 2s) ==
          Rounds{{0ms, kAll}, {50ms, kAll}, {1000ms, kAll}, {1050ms, kAll}});
  }
  SECTION("or not at all where nothing is to be announced") {
    settings.announcements = {0, 0s, 0s};
    const State given = step(settings, entered, AnnouncementDue{kNew}, kStart).next;
    CHECK(given == entered);
  }
}

TEST_CASE("a master puts lost addresses back at once and announces them again") {
  const Step lost = step(config(), master_of(config(), 100), AddressesLost{}, kStart + 500ms);
  CHECK(lost.actions == std::vector<Action>{RestoreAddresses{}});
  CHECK(deadline(lost.next) == kStart + 500ms);
  CHECK(step(config(), lost.next, DeadlineReached{}, kStart + 500ms).actions ==
        std::vector<Action>{Announce{}});
  CHECK(step(config(), backup_of(config(), 100), AddressesLost{}, kStart).actions.empty());
}

TEST_CASE("a process that replaces a dead master goes on while nobody can have noticed") {
  const RouterConfig settings = config();
  const Started started{Priority{100}, kOurs, kStart};
  const Step succeeded = step(settings, Initialize{}, started, kStart + 3s);
  REQUIRE(std::holds_alternative<Master>(succeeded.next));
  CHECK(succeeded.actions ==
        std::vector<Action>{SendAdvert{Priority{100}}, AcquireAddresses{}, Announce{},
                            Transitioned{"master", LastEvent::kStartup, NewMasterReason::kPriority,
                                         std::nullopt, false, true}});

  SECTION("and is a backup like any other after that") {
    const Step late = step(settings, Initialize{}, started, kStart + 3s + 1ns);
    CHECK(late.next == backup_of(settings, 100, kStart + 3s + 1ns));
  }
  SECTION("but not after a fault, which ends a mastership") {
    CHECK(std::holds_alternative<Backup>(step(settings, Fault{}, started, kStart).next));
  }
}

TEST_CASE("a losing advertisement soon after an announcement is still announced over") {
  RouterConfig settings = config();
  settings.advertisement_interval = 100ms;
  settings.announcements = {1, 0s, 0s};
  State state = step(settings, master_of(settings, 100), advert(90), kStart).next;
  while (std::get<Master>(state).announce_at) {
    state = step(settings, state, DeadlineReached{}, *deadline(state)).next;
  }
  const TimePoint now = *deadline(state);
  state = step(settings, state, advert(90), now).next;
  REQUIRE(std::get<Master>(state).announce_at);
  CHECK(*std::get<Master>(state).announce_at <= now + kConflictAnnouncementInterval);
}

TEST_CASE("a fault ends when everything is there again") {
  const State fault =
      step(config(), backup_of(config(), 100), Faulted{Faulted::Cause::kNoPrimaryIpAddress}, kStart)
          .next;
  REQUIRE(fault == State{Fault{}});
  const Step again = step(config(), fault, Started{Priority{100}, kOurs}, kStart);
  CHECK(std::get<Transitioned>(again.actions.back()).event == LastEvent::kInterfaceUp);
}

}  // namespace
}  // namespace ha::vrrp
