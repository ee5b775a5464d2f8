#include "vrrpd/runtime/tracks.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using Kind = TrackEffect::Kind;
using Verdict = Health::Verdict;

const Health kHealthy{Verdict::kHealthy, 0, "fine"};
const Health kUnhealthy{Verdict::kUnhealthy, 0, "broken"};
const Health kUnknown{Verdict::kUnknown, 0, "no result yet"};

Demotion made(TrackEffect effect, const Health& health) {
  return demotion_of("check it", effect, health);
}

TEST_CASE("a demotion is in force while the check is not healthy, known or not", "[tracks]") {
  const TrackEffect effect{Kind::kDemote, 20, false};
  CHECK(made(effect, kHealthy) == Demotion{"check it", 0, "fine", false});
  CHECK(made(effect, kUnhealthy) == Demotion{"check it", 20, "broken", false});
  CHECK(made(effect, kUnknown) == Demotion{"check it", 20, "no result yet", false});
}

TEST_CASE("a promotion is in force while it is healthy, and both can be turned round", "[tracks]") {
  CHECK(made({Kind::kPromote, 2, true}, kHealthy).amount == -2);
  CHECK(made({Kind::kPromote, 2, true}, kUnknown).amount == 0);
  CHECK(made({Kind::kPromote, 2, false}, kUnhealthy).amount == -2);
  CHECK(made({Kind::kDemote, 9, true}, kHealthy).amount == 9);
  CHECK(made({Kind::kDemote, 9, true}, kUnhealthy).amount == 0);
}

TEST_CASE("a fault costs no priority and keeps out of the election", "[tracks]") {
  CHECK(made({Kind::kFault, 0, false}, kUnhealthy) == Demotion{"check it", 0, "broken", true});
  CHECK(made({Kind::kFault, 0, false}, kUnknown).fault);
  CHECK_FALSE(made({Kind::kFault, 0, false}, kHealthy).fault);
}

TEST_CASE("a number other than 0 is a fault, or 0 is, if turned round", "[tracks]") {
  const auto fault = [](int number, bool when_healthy) {
    return made({Kind::kFault, 0, when_healthy}, {Verdict::kHealthy, number, "says"}).fault;
  };
  CHECK_FALSE(fault(0, false));
  CHECK(fault(1, false));
  CHECK(fault(-1, false));
  CHECK(fault(0, true));
  CHECK_FALSE(fault(1, true));
}

TEST_CASE("a weight multiplies the number, and 254 less is a fault", "[tracks]") {
  const auto weighed = [](int weight, int number) {
    return made({Kind::kWeight, weight, false}, {Verdict::kHealthy, number, "says"});
  };
  CHECK(weighed(-2, 5).amount == 10);
  CHECK(weighed(3, 5).amount == -15);
  CHECK(weighed(254, 1'000'000).amount == -254);
  CHECK_FALSE(weighed(-1, 253).fault);
  CHECK(weighed(-1, 254).fault);
  CHECK(weighed(-254, 1'000'000) == Demotion{"check it", 254, "says", true});
  CHECK(made({Kind::kWeight, 1, false}, kUnhealthy).amount == 254);
}

TEST_CASE("a copy that is too old, or of unknown age, demotes a standby and no master",
          "[tracks]") {
  using namespace std::chrono_literals;
  const TrackSync track{"devops", 40, 10min};
  CHECK(demotion_of(track, 600'000ms) ==
        Demotion{"sync devops", 0, "the copy is 600 s old", false, true});
  const Demotion late = demotion_of(track, 600'001ms);
  CHECK(late == Demotion{"sync devops", 40, "the copy is 600 s old, more than 600 s", false, true});
  const Demotion unknown = demotion_of(track, std::nullopt);
  CHECK(unknown.amount == 40);
  CHECK(unknown.reason == "gluster-sync does not say how old the copy is");

  const Demotion check{"check it", 20, "broken"};
  CHECK(claims_on({check, late}, false) == std::vector<Demotion>{check, late});
  const auto as_master = claims_on({check, late}, true);
  CHECK(as_master[0] == check);
  CHECK(as_master[1].amount == 0);
  CHECK(as_master[1].reason ==
        "the copy is 600 s old, more than 600 s, which counts only while not master");
}

TEST_CASE("nothing raises the priority of a machine that is drained", "[tracks]") {
  const Demotion drain{std::string{kDrainSource}, 254, "by the operator"};
  const Demotion promotion{"check it", -200, "healthy"};
  const Demotion check{"check that", 20, "broken"};
  CHECK(claims_on({promotion, check}, true)[0].amount == -200);
  const auto claims = claims_on({promotion, check, drain}, true);
  CHECK(claims[0].amount == 0);
  CHECK(claims[0].reason == "healthy, which does not count while drained");
  CHECK(claims[1] == check);
  CHECK(claims[2] == drain);
}

InstanceConfig instance(const std::string& name, std::vector<Track> tracks, int priority = 110) {
  InstanceConfig config;
  config.name = name;
  config.router.priority = Priority{static_cast<std::uint8_t>(priority)};
  config.tracks = std::move(tracks);
  return config;
}

const Track kCheck20 = TrackCheck{"it", {Kind::kDemote, 20, false}};
const Track kCheck5 = TrackCheck{"it", {Kind::kDemote, 5, false}};
const Track kLink = TrackInterface{"eth1", {Kind::kDemote, 7, false}};

TEST_CASE("what one member of a group tracks its other members track, unless they do so anyway",
          "[tracks]") {
  const auto shared = share_tracks({instance("A", {kCheck20, TrackHaproxy{}}),
                                    instance("B", {kCheck5, kLink}), instance("C", {})},
                                   {{"G", {"A", "B"}, {}}});
  CHECK(shared[0].tracks == std::vector<Track>{kCheck20, TrackHaproxy{}, kLink});
  CHECK(shared[1].tracks == std::vector<Track>{kCheck5, kLink, TrackHaproxy{}});
  CHECK(shared[2].tracks.empty());
}

const IpAddress kOurs = boost::asio::ip::make_address("10.0.0.11");
const Claim kPeer100{boost::asio::ip::make_address("10.0.0.12"), Priority{100}};

TEST_CASE("tracks that cannot move the addresses from here are warned of", "[tracks]") {
  CHECK(powerless(instance("A", {kCheck5}), 0, kOurs, kPeer100) ==
        "what it tracks cannot move its addresses: with all of it unhealthy its priority is 105, "
        "still better than the 100 of 10.0.0.12");
  CHECK(powerless(instance("A", {TrackHaproxy{}}), 9, kOurs, kPeer100).has_value());
  const IpAddress higher = boost::asio::ip::make_address("10.0.0.13");
  const Track ten = TrackCheck{"it", {Kind::kDemote, 10, false}};
  CHECK(powerless(instance("A", {ten}), 0, higher, kPeer100).has_value());
  // It is the promotion that makes this one master, and losing it changes nothing.
  const Track promotion = TrackCheck{"it", {Kind::kPromote, 2, true}};
  CHECK(powerless(instance("A", {promotion}, 105), 0, kOurs, kPeer100).has_value());
}

TEST_CASE("nobody is warned where something could move them, or nothing has to", "[tracks]") {
  const auto warned = [](std::vector<Track> tracks, int haproxy = 0, int priority = 110) {
    return powerless(instance("A", std::move(tracks), priority), haproxy, kOurs, kPeer100)
        .has_value();
  };
  CHECK_FALSE(warned({}));
  CHECK_FALSE(warned({kCheck20}));
  CHECK_FALSE(warned({kCheck5, kLink}));  // together
  CHECK_FALSE(warned({TrackHaproxy{}}, 50));
  CHECK_FALSE(
      warned({TrackCheck{"it", {Kind::kDemote, 10, false}}}));  // the other address is higher
  CHECK_FALSE(warned({kCheck5, TrackCheck{"f", {Kind::kFault, 0, false}}}));
  CHECK_FALSE(warned({kCheck5, TrackCheck{"w", {Kind::kWeight, 1, false}}}));
  CHECK_FALSE(warned({kCheck5}, 0, 99));   // the other leads anyway
  CHECK_FALSE(warned({kCheck5}, 0, 255));  // has been said when the file was read
  CHECK_FALSE(warned({TrackCheck{"it", {Kind::kPromote, 20, true}}}, 0, 90));
  CHECK_FALSE(warned({TrackSync{"devops", 5}}));
}

}  // namespace
}  // namespace ha::vrrp
