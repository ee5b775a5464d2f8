/// Stories of machines that stand still, die and are tampered with: guard, lease and kernel.
#include "scenario.hpp"
#include "tests/support/catch.hpp"
#include "vrrpd/guard/guard.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;
using Masters = std::vector<NodeId>;

/// Two routers; the first has been master for 10 s, with a lease of 3 s.
class Pair : public Scenario {
 public:
  Pair() : Scenario{{router(200), router(100)}} {
    start_all();
    run_for(10s);
    watch_ownership();
  }
};

TEST_CASE("an engine that dies is succeeded, and nobody notices") {
  Pair lan;
  lan.kill_engine(0, 50ms);
  CHECK_FALSE(lan.node(0).is_master());
  CHECK(lan.node(0).serves());
  lan.run_for(50ms);
  CHECK(lan.masters() == Masters{0});
  lan.run_for(30s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.ownership().fewest() == 1);
  CHECK(lan.ownership().longest_with_several(lan.now()) == 0s);
}

TEST_CASE("an engine whose successor comes too late is a backup, without its addresses") {
  Pair lan;
  lan.kill_engine(0, 5s);
  lan.run_for(5s);
  CHECK(lan.masters() == Masters{1});
  CHECK_FALSE(lan.node(0).holds_addresses);
}

TEST_CASE("for an engine that dies again within ten seconds its guard lets go") {
  Pair lan;
  lan.kill_engine(0, 0s);
  lan.run_for(1s);
  REQUIRE(lan.masters() == Masters{0});
  lan.kill_engine(0, 0s);
  CHECK_FALSE(lan.node(0).holds_addresses);
  lan.run_for(Scenario::kDelay + 609'375us);
  CHECK(lan.masters() == Masters{1});

  SECTION("but not for one that dies later") {
    lan.start(0);
    lan.run_for(20s);
    lan.kill_engine(0, 0s);
    lan.run_for(vrrp::kRestartInterval);
    lan.kill_engine(0, 0s);
    lan.run_for(1ms);
    CHECK(lan.masters() == Masters{0});
  }
}

TEST_CASE("an engine may die between any two of its actions, and is succeeded") {
  for (int actions = 0; actions < 4; ++actions) {
    Pair lan;
    lan.kill_engine_after(0, actions, 100ms);
    lan.run_for(30s);
    CHECK(lan.masters() == Masters{0});
  }
}

TEST_CASE("guard and engine that die together leave the addresses until the lease ends") {
  Pair lan;
  lan.kill(0);
  CHECK(lan.node(0).serves());
  lan.run_for(3s + Lan::kLeaseSlack);
  CHECK_FALSE(lan.node(0).serves());
  CHECK(lan.masters() == Masters{1});
  CHECK(lan.ownership().longest_with_several(lan.now()) <= Lan::kLeaseSlack);
}

TEST_CASE("without a lease they stay for ever") {
  Scenario lan{{}};
  lan.add(router(200), address(0), {}, std::nullopt);
  lan.start(0);
  lan.run_for(10s);
  lan.kill(0);
  lan.run_for(1h);
  CHECK(lan.node(0).serves());

  SECTION("until the next engine removes them, since it is a backup first") {
    lan.start(0);
    CHECK_FALSE(lan.node(0).serves());
  }
}

TEST_CASE("a frozen process loses its addresses with the lease, and does not take them back") {
  Pair lan;
  lan.pause(0, Freeze::kProcesses);
  lan.run_for(30s);
  CHECK_FALSE(lan.node(0).serves());
  lan.resume(0);
  CHECK_FALSE(lan.node(0).serves());
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("nobody reaches a frozen machine, and it wakes up with addresses that it then gives up") {
  Pair lan;
  lan.pause(0, Freeze::kMachine);
  CHECK_FALSE(lan.node(0).serves());
  lan.run_for(30s);
  CHECK(lan.ownership().longest_with_several(lan.now()) == 0s);
  lan.resume(0);
  CHECK(lan.node(0).serves());
  lan.run_for(1s);
  CHECK_FALSE(lan.node(0).serves());
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("a frozen process that nobody replaces goes on with its addresses") {
  Scenario lan{{router(200)}};
  lan.start(0);
  lan.run_for(10s);
  lan.pause(0, Freeze::kProcesses);
  lan.run_for(30s);
  CHECK_FALSE(lan.node(0).serves());
  lan.resume(0);
  lan.run_for(1s);
  CHECK(lan.node(0).serves());
}

TEST_CASE("addresses that somebody removes are put back, and the peer sees nothing of it") {
  Pair lan;
  lan.remove_addresses(0);
  CHECK(lan.ownership().fewest() == 0);
  lan.run_for(0s);
  CHECK(lan.node(0).serves());
  CHECK(lan.restorations(0) == 1);
  lan.run_for(30s);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("a reload moves nothing, and the new lease counts from then on") {
  Pair lan;
  lan.reload(0, {10s});
  lan.run_for(25s);
  CHECK(lan.node(0).lease() == 30s);
  lan.reload(0, {1s});
  CHECK(lan.restorations(0) == 0);
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.ownership().fewest() == 1);
  CHECK(lan.restorations(0) == 0);
}

TEST_CASE("a reload that was waiting for a frozen process comes after what its socket holds") {
  Pair lan;
  lan.pause(0, Freeze::kProcesses);
  lan.reload(0, {10s});
  lan.run_for(30s);
  const std::uint64_t sent = lan.adverts_sent(0);
  lan.resume(0);
  CHECK(lan.masters() == Masters{1});
  CHECK_FALSE(lan.node(0).serves());
  CHECK(lan.adverts_sent(0) == sent);
}

}  // namespace
}  // namespace ha::sim
