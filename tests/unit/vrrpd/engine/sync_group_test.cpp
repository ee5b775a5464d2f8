#include "vrrpd/engine/sync_group.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

using Places = std::vector<Place>;
using Moves = std::vector<Move>;

constexpr Move kStay = Move::kNone;

const TimePoint kStart{1000s};
const IpAddress kOurs = boost::asio::ip::make_address("10.0.0.11");
const IpAddress kPeer = boost::asio::ip::make_address("10.0.0.12");

State backup() { return step({}, Initialize{}, Started{Priority{100}, kOurs}, kStart).next; }
State waiting() { return step({}, backup(), TakeOverDeferred{}, kStart + 3s).next; }

TEST_CASE("a member whose time has come waits for that of the others", "[group]") {
  CHECK(settle(Places{Place::kWaiting, Place::kUndecided}) == Moves{kStay, kStay});
  CHECK(settle(Places{Place::kWaiting, Place::kFollowing}) == Moves{kStay, kStay});
  CHECK(settle(Places{Place::kWaiting, Place::kFault}) == Moves{kStay, kStay});
  CHECK(settle(Places{Place::kWaiting, Place::kStopped}) == Moves{kStay, kStay});
}

TEST_CASE("when the time of all has come all take over", "[group]") {
  CHECK(settle(Places{Place::kWaiting, Place::kWaiting}) ==
        Moves{Move::kTakeOver, Move::kTakeOver});
  CHECK(settle(Places{Place::kMaster, Place::kWaiting}) == Moves{kStay, Move::kTakeOver});
  CHECK(settle(Places{Place::kOwner, Place::kWaiting}) == Moves{kStay, Move::kTakeOver});
  CHECK(settle(Places{Place::kWaiting}) == Moves{Move::kTakeOver});
}

TEST_CASE("a member that follows another master, or is in fault, takes the others with it",
          "[group]") {
  CHECK(settle(Places{Place::kFollowing, Place::kMaster}) == Moves{kStay, Move::kStepAside});
  CHECK(settle(Places{Place::kMaster, Place::kFault}) == Moves{Move::kStepAside, kStay});
}

TEST_CASE("a master stays for a member that has yet to decide, and an owner for any", "[group]") {
  CHECK(settle(Places{Place::kMaster, Place::kUndecided}) == Moves{kStay, kStay});
  CHECK(settle(Places{Place::kOwner, Place::kFollowing}) == Moves{kStay, kStay});
  CHECK(settle(Places{}).empty());
}

TEST_CASE("a group is what all of its members are", "[group]") {
  CHECK(group_state(Places{Place::kMaster, Place::kOwner}) == GroupState::kMaster);
  CHECK(group_state(Places{Place::kMaster, Place::kWaiting}) == GroupState::kBackup);
  CHECK(group_state(Places{Place::kFollowing, Place::kUndecided}) == GroupState::kBackup);
  CHECK(group_state(Places{Place::kMaster, Place::kFault}) == GroupState::kFault);
  CHECK(group_state(Places{Place::kFault, Place::kStopped}) == GroupState::kInitialize);
  CHECK(name_of(GroupState::kMaster) == "master");
  CHECK(name_of(GroupState::kInitialize) == "initialize");
}

TEST_CASE("the place of a member is read from its state", "[group]") {
  CHECK(place_of(Initialize{}) == Place::kStopped);
  CHECK(place_of(Fault{}) == Place::kFault);
  CHECK(place_of(backup()) == Place::kUndecided);
  CHECK(place_of(waiting()) == Place::kWaiting);
  const AdvertReceived advert{kPeer, Priority{100}, 1s};
  CHECK(place_of(step({}, backup(), advert, kStart).next) == Place::kFollowing);
  CHECK(place_of(step({}, waiting(), TakeOver{}, kStart + 3s).next) == Place::kMaster);
  RouterConfig owner;
  owner.priority = kPriorityOwner;
  CHECK(place_of(step(owner, Initialize{}, Started{kPriorityOwner, kOurs}, kStart).next) ==
        Place::kOwner);
}

TEST_CASE("a waiting member asks again after an interval and forgets it when a master is heard",
          "[group]") {
  const State state = waiting();
  CHECK(deadline(state) == kStart + 4s);
  const AdvertReceived better{kPeer, Priority{200}, 1s};
  const Step heard = step({}, state, better, kStart + 3500ms);
  CHECK(place_of(heard.next) == Place::kFollowing);
  CHECK(step({}, heard.next, TakeOver{}, kStart + 3500ms).actions.empty());

  // One that it would displace does not stop it from waiting.
  const AdvertReceived lesser{kPeer, Priority{50}, 1s};
  CHECK(place_of(step({}, state, lesser, kStart + 3500ms).next) == Place::kWaiting);
}

TEST_CASE("a member that steps aside lets go as if it stopped, and an owner does not", "[group]") {
  const State master = step({}, waiting(), TakeOver{}, kStart + 3s).next;
  const Step aside = step({}, master, StepAside{}, kStart + 3500ms);
  CHECK(aside.actions ==
        std::vector<Action>{
            SendAdvert{kPriorityRelease}, ReleaseAddresses{},
            Transitioned{"backup", LastEvent::kHeldBack, NewMasterReason::kNotMaster, {}}});
  CHECK(place_of(aside.next) == Place::kUndecided);

  const Step stalled = step({}, master, StepAside{}, kStart + 60s);
  CHECK(stalled.actions.front() == Action{ReleaseAddresses{}});

  RouterConfig config;
  config.priority = kPriorityOwner;
  const State owner = step(config, Initialize{}, Started{kPriorityOwner, kOurs}, kStart).next;
  CHECK(step(config, owner, StepAside{}, kStart).next == owner);
  for (const State& other : {State{Initialize{}}, State{Fault{}}, backup()}) {
    CHECK(step({}, other, StepAside{}, kStart).next == other);
    CHECK(step({}, other, TakeOver{}, kStart).next == other);
  }
}

}  // namespace
}  // namespace ha::vrrp
