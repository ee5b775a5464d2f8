/// Stories of two or three routers, each with one thing that happens to them.
#include "scenario.hpp"
#include "tests/support/catch.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;
using vrrp::Preempt;
using Masters = std::vector<NodeId>;

TEST_CASE("the highest priority becomes master first and stays alone", "[rfc9568-6.4.2]") {
  Scenario lan{{router(100), router(200), router(150)}};
  lan.start_all();
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{1});
  CHECK(lan.master_changes() == 1);
}

TEST_CASE("a backup takes over when the master goes silent", "[rfc9568-6.4.2]") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  REQUIRE(lan.masters() == Masters{0});

  const std::uint64_t sent = lan.adverts_sent(0);
  lan.until([&] { return lan.adverts_sent(0) > sent; }, 2s);
  lan.crash(0);
  const Duration took = lan.until([&] { return lan.node(1).is_master(); }, 10s);
  CHECK(took <= 3s + 609'375us + Scenario::kDelay + 10us);
  CHECK(took >= 3s + 609'375us - 20us);
}

TEST_CASE("a master that shuts down is replaced after the skew time", "[rfc9568-6.4.3]") {
  Scenario lan{{router(200), router(150), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.shut_down(0);
  const Duration took = lan.until([&] { return lan.master().has_value(); }, 10s);
  CHECK(took <= 414'062500ns + Scenario::kDelay + 10us);
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("one or two lost advertisements change nothing") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.cut(0, 1);
  lan.run_for(2s);
  lan.mend(0, 1);
  lan.run_for(10s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.master_changes() == 1);
}

TEST_CASE("when a partition heals the better claim is alone within an interval",
          "[rfc9568-6.4.3]") {
  Scenario lan{{router(100), router(200)}};
  lan.start_all();
  lan.run_for(10s);
  lan.cut_both(0, 1);
  lan.run_for(20s);
  REQUIRE(lan.masters() == Masters{0, 1});

  lan.mend_all();
  const Duration took = lan.until([&] { return lan.master().has_value(); }, 10s);
  CHECK(took <= 1s + 2 * Scenario::kDelay);
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("of equal priorities the higher address ends as master", "[rfc9568-6.4.3]") {
  Scenario lan{{router(100), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("a link that hides the better router makes two masters until it is mended") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.cut(0, 1);
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{0, 1});
  lan.mend(0, 1);
  lan.run_for(1s + Scenario::kDelay);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("a link that hides the lesser router changes nothing") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.cut(1, 0);
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.master_changes() == 1);
}

TEST_CASE("with preempt the better router takes the addresses back, without it does not") {
  const Preempt preempt = GENERATE(Preempt::kYes, Preempt::kNo, Preempt::kDegraded);
  Scenario lan{{router(200, preempt), router(100)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(30s);
  CHECK(lan.masters() == (preempt == Preempt::kYes ? Masters{0} : Masters{1}));
}

TEST_CASE("without preempt a better router still takes over from a silent master") {
  Scenario lan{{router(200, Preempt::kNo), router(100)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(10s);
  lan.crash(1);
  lan.run_for(4s);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("preempt_delay leaves a lesser master in place for that long") {
  vrrp::RouterConfig patient = router(200);
  patient.preempt_delay = 20s;
  Scenario lan{{patient, router(100)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(20s);
  CHECK(lan.masters() == Masters{1});
  lan.run_for(1s + 3s + 218'750us);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("preempt_delay does not delay the replacement of a silent master") {
  vrrp::RouterConfig patient = router(200);
  patient.preempt_delay = 300s;
  Scenario lan{{patient, router(100)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(10s);
  lan.crash(1);
  lan.run_for(3s + 218'750us + Scenario::kDelay);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("a demoted master hands over after a skew time and never leaves the addresses alone") {
  const Preempt preempt = GENERATE(Preempt::kYes, Preempt::kDegraded);
  Scenario lan{{router(200, preempt), router(150, preempt)}};
  lan.start_all();
  lan.run_for(10s);
  lan.watch_ownership();
  lan.set_priority(0, Priority{100});
  lan.run_for(Scenario::kDelay + 414'062500ns);
  CHECK(lan.node(1).is_master());
  lan.run_for(Scenario::kDelay);
  CHECK(lan.masters() == Masters{1});
  CHECK(lan.ownership().fewest() == 1);
}

TEST_CASE("without preempt a demoted master stays") {
  Scenario lan{{router(200, Preempt::kNo), router(150, Preempt::kNo)}};
  lan.start_all();
  lan.run_for(10s);
  lan.set_priority(0, Priority{1});
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("preempt degraded leaves a lesser master alone until its priority drops") {
  Scenario lan{{router(200, Preempt::kDegraded), router(100, Preempt::kDegraded)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(60s);
  REQUIRE(lan.masters() == Masters{1});
  lan.set_priority(1, Priority{50});
  lan.run_for(1s);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("two demoted routers do not hand the addresses back and forth") {
  Scenario lan{{router(200), router(150)}};
  lan.start_all();
  lan.run_for(10s);
  const std::uint64_t changes = lan.master_changes();
  lan.set_priority(1, Priority{50});
  lan.set_priority(0, Priority{100});
  lan.run_for(60s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.master_changes() == changes);
}

TEST_CASE("a frozen master that was replaced wakes up and steps down without a word") {
  const Preempt preempt = GENERATE(Preempt::kYes, Preempt::kNo, Preempt::kDegraded);
  Scenario lan{{router(200, preempt), router(100, preempt)}};
  lan.start_all();
  lan.run_for(10s);
  lan.pause(0);
  lan.run_for(30s);
  REQUIRE(lan.masters() == Masters{0, 1});

  const std::uint64_t sent = lan.adverts_sent(0);
  lan.resume(0);
  CHECK(lan.masters() == Masters{1});
  CHECK(lan.adverts_sent(0) == sent);
  CHECK(lan.last_announcer() == 1U);

  SECTION("and lets the ordinary rules decide") {
    lan.run_for(30s);
    CHECK(lan.masters() == (preempt == Preempt::kYes ? Masters{0} : Masters{1}));
  }
}

TEST_CASE("a frozen master that nobody replaced goes on after it has listened") {
  Scenario lan{{router(200)}};
  lan.start_all();
  lan.run_for(10s);
  lan.pause(0);
  lan.run_for(30s);
  const std::uint64_t sent = lan.adverts_sent(0);
  lan.resume(0);
  lan.run_for(999ms);
  CHECK(lan.adverts_sent(0) == sent);
  lan.run_for(1ms);
  CHECK(lan.adverts_sent(0) == sent + 1);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("a frozen backup does not take over from a master that is alive") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.pause(1);
  lan.run_for(60s);
  lan.resume(1);
  lan.run_for(10s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.master_changes() == 1);
}

TEST_CASE("a short freeze of the master is nobody's business") {
  Scenario lan{{router(200), router(100)}};
  lan.start_all();
  lan.run_for(10s);
  lan.pause(0);
  lan.run_for(2s);
  lan.resume(0);
  lan.run_for(10s);
  CHECK(lan.masters() == Masters{0});
  CHECK(lan.master_changes() == 1);
}

TEST_CASE("a fault hands over like a shutdown where the link still works") {
  using Cause = vrrp::Faulted::Cause;
  Scenario lan{{router(200), router(150)}};
  lan.start_all();
  lan.run_for(10s);
  SECTION("after the skew time without virtual addresses") {
    lan.fault(0, Cause::kNoVirtualIpAddresses);
    lan.run_for(Scenario::kDelay + 414'062500ns);
  }
  SECTION("after the down interval without the interface") {
    lan.fault(0, Cause::kInterfaceDown);
    lan.run_for(3s + 414'062500ns + Scenario::kDelay);
  }
  CHECK(lan.masters() == Masters{1});
  lan.restore(0);
  lan.run_for(10s);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("the address owner is master at once, and again after a restart", "[rfc9568-6.4.1]") {
  Scenario lan{{router(255, Preempt::kNo), router(100)}};
  lan.start(1);
  lan.run_for(10s);
  lan.start(0);
  lan.run_for(Scenario::kDelay);
  CHECK(lan.masters() == Masters{0});
}

TEST_CASE("a backup follows the interval of its master in version 3", "[rfc9568-6.1]") {
  vrrp::RouterConfig fast = router(100);
  fast.advertisement_interval = 100ms;
  Scenario lan{{router(200), fast}};
  lan.start(0);
  lan.run_for(10s);
  lan.start(1);
  lan.run_for(2s);
  REQUIRE(lan.masters() == Masters{0});
  const std::uint64_t changes = lan.master_changes();
  lan.run_for(60s);
  CHECK(lan.master_changes() == changes);
}

TEST_CASE("a member of a group is master only while the others could be, too") {
  Scenario lan{{router(200), router(100)}};
  lan.set_others(0, Others::kUnready);
  lan.start_all();
  lan.run_for(30s);
  CHECK(lan.masters() == Masters{1});
  lan.set_others(0, Others::kReady);
  lan.run_for(Scenario::kDelay);
  CHECK(lan.masters() == Masters{0});
  lan.set_others(0, Others::kUnready);
  lan.run_for(Scenario::kDelay + 609'375us);
  CHECK(lan.masters() == Masters{1});
}

TEST_CASE("a flood of losing advertisements is answered four times an interval") {
  Scenario lan{{router(200)}};
  lan.start_all();
  lan.run_for(10s);
  const std::uint64_t sent = lan.adverts_sent(0);
  for (int packet = 0; packet < 10'000; ++packet) {
    lan.inject(0, {address(7), Priority{1}, 1s});
    lan.run_for(100us);
  }
  CHECK(lan.adverts_sent(0) - sent <= 4 + 1 + 1);
  CHECK(lan.adverts_sent(0) - sent >= 4);
}

TEST_CASE("the winner of a conflict is the last to announce itself") {
  Scenario lan{{router(100), router(200)}};
  lan.start_all();
  lan.run_for(20s);
  lan.cut_both(0, 1);
  lan.run_for(3s + 700ms);
  REQUIRE(lan.masters() == Masters{0, 1});
  REQUIRE(lan.last_announcer() == 0U);
  lan.mend_all();
  lan.run_for(3s);
  CHECK(lan.last_announcer() == 1U);
}

}  // namespace
}  // namespace ha::sim
