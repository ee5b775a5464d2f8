/// A machine that stood still: what a router does that wakes up long after its time.
#include "sample_router.hpp"
#include "tests/support/catch.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using namespace test;

TEST_CASE("a master that stood still listens before it speaks") {
  const State master = master_of(config(), 100);
  const TimePoint thaw = std::get<Master>(master).next_advert_at + 3s + 609'375us + 1us;

  SECTION("and steps down without a word if anybody else speaks") {
    for (const int priority : {1, 100, 200}) {
      const Step heard = step(config(), master, advert(priority, kThird), thaw);
      REQUIRE(std::holds_alternative<Backup>(heard.next));
      CHECK_FALSE(has<SendAdvert>(heard.actions));
      CHECK_FALSE(has<Announce>(heard.actions));
      CHECK(std::get<Transitioned>(heard.actions.back()).stalled);
    }
  }
  SECTION("and goes on if nobody does for an interval") {
    const Step listening = step(config(), master, DeadlineReached{}, thaw);
    CHECK(listening.actions.empty());
    CHECK(deadline(listening.next) == thaw + 1s);
    CHECK(std::holds_alternative<Backup>(
        step(config(), listening.next, advert(1), thaw + 500ms).next));
    const Step resumed = on_time(config(), listening.next);
    CHECK(has<SendAdvert>(resumed.actions));
    CHECK(std::holds_alternative<Master>(
        step(config(), resumed.next, advert(1), thaw + 1100ms).next));
  }
  SECTION("and neither a new priority nor an announcement escapes meanwhile") {
    CHECK(step(config(), master, PriorityChanged{Priority{1}}, thaw).actions.empty());
    CHECK(step(config(), master, AnnouncementDue{}, thaw).actions.empty());
  }
}

TEST_CASE("a master that stood still leaves without a word before it has listened") {
  const State master = master_of(config(), 100);
  const TimePoint thaw = kStart + 1min;
  const Faulted fault{Faulted::Cause::kInterfaceDown};
  for (const Event& event : {Event{ShutDown{}}, Event{fault}, Event{StepAside{}}}) {
    const Step left = step(config(), master, event, thaw);
    CHECK_FALSE(has<SendAdvert>(left.actions));
    CHECK(has<ReleaseAddresses>(left.actions));
    CHECK(has<SendAdvert>(step(config(), master, event, kStart).actions));
  }
}

TEST_CASE("a master that stood still takes no address back before it has listened") {
  const State master = master_of(config(), 100);
  const TimePoint thaw = kStart + 1min;
  CHECK(step(config(), master, AddressesLost{}, thaw).actions.empty());
  const Step listening = step(config(), master, DeadlineReached{}, thaw);
  CHECK(step(config(), listening.next, AddressesLost{}, thaw + 500ms).actions.empty());

  const Step resumed = on_time(config(), listening.next);
  CHECK(resumed.actions ==
        std::vector<Action>{SendAdvert{Priority{100}}, RestoreAddresses{}, Announce{}});
}

TEST_CASE("a master that was silent for three intervals yields to whoever is heard then") {
  const State master = master_of(config(), 100);
  const TimePoint late = kStart + 3s;
  CHECK(std::holds_alternative<Master>(step(config(), master, advert(1), late).next));
  const Step yielded = step(config(), master, advert(1), late + 1ns);
  REQUIRE(std::holds_alternative<Backup>(yielded.next));
  CHECK(std::get<Transitioned>(yielded.actions.back()).stalled);
  CHECK(step(config(), master, AddressesLost{}, late + 1ns).actions.empty());

  SECTION("and goes on, with its addresses, if nobody is") {
    CHECK(step(config(), master, DeadlineReached{}, late + 1ns).actions ==
          std::vector<Action>{SendAdvert{Priority{100}}, RestoreAddresses{}, Announce{}});
  }
}

TEST_CASE("a master that was silent for three intervals speaks only by its timer") {
  const State master = master_of(config(), 100);
  const std::vector<Event> events{PriorityChanged{Priority{50}}, Reconfigured{}, advert(0)};
  for (const Event& event : events) {
    CHECK(has<SendAdvert>(step(config(), master, event, kStart + 3s).actions));
    CHECK(step(config(), master, event, kStart + 3s + 1ns).actions.empty());
  }
}

TEST_CASE("the three intervals count from every advertisement") {
  const State answered = step(config(), master_of(config(), 100), advert(1), kStart + 900ms).next;
  const TimePoint last = kStart + 3s + 900ms;
  CHECK(std::holds_alternative<Master>(step(config(), answered, advert(1), last).next));
  CHECK(std::holds_alternative<Backup>(step(config(), answered, advert(1), last + 1ns).next));
}

TEST_CASE("a longer interval does not hide that a master stood still") {
  RouterConfig slow = config();
  slow.advertisement_interval = 40s;
  const TimePoint thaw = kStart + 1min;
  const Step reloaded = step(slow, master_of(config(), 100), Reconfigured{}, thaw);
  CHECK(reloaded.actions.empty());
  CHECK(deadline(reloaded.next) == thaw + 40s);
  const Step heard = step(slow, reloaded.next, advert(1), thaw + 1s);
  CHECK(std::holds_alternative<Backup>(heard.next));
}

TEST_CASE("standing still again does not end a master's listening") {
  const State master = master_of(config(), 100);
  const TimePoint thaw = kStart + 1min;
  const State listening = step(config(), master, DeadlineReached{}, thaw).next;
  const Step heard = step(config(), listening, advert(1, kThird), thaw + 3s);
  CHECK(std::holds_alternative<Backup>(heard.next));
  CHECK_FALSE(has<SendAdvert>(heard.actions));
}

TEST_CASE("a take-over that is a little late is not put off by the next drop") {
  const State following = step(config(), backup_of(config(), 3), advert(50), kStart).next;
  const State relieving = step(config(), following, advert(2), kStart + 1s).next;
  const TimePoint late = *deadline(relieving) + 5ms;
  CHECK(deadline(step(config(), relieving, advert(2), late).next) == deadline(relieving));
}

TEST_CASE("a backup that stood still listens for an interval and its skew time") {
  const State backup = backup_of(config(), 100);
  const TimePoint thaw = *deadline(backup) + 3s + 609'375us + 1us;
  const Step listening = step(config(), backup, DeadlineReached{}, thaw);
  CHECK(listening.actions.empty());
  CHECK(deadline(listening.next) == thaw + 1s + 609'375us);
}

TEST_CASE("a member of a group that stood still while it waited has to decide anew", "[group]") {
  const State backup = backup_of(config(), 100);
  const State waiting = step(config(), backup, TakeOverDeferred{}, *deadline(backup)).next;
  const TimePoint thaw = *deadline(waiting) + 1min;
  CHECK(step(config(), waiting, TakeOver{}, thaw).next == waiting);
  const Step listening = step(config(), waiting, DeadlineReached{}, thaw);
  CHECK(deadline(listening.next) == thaw + 1s + 609'375us);
  CHECK(step(config(), listening.next, TakeOver{}, thaw).next == listening.next);
}

}  // namespace
}  // namespace ha::vrrp
