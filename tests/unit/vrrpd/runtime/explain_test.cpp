#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/runtime/sample_status.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {
namespace {

using Sentences = std::vector<std::string>;

/// Of a machine without HAProxy and with this one virtual router.
Sentences explained(const RouterStatus& router) {
  return explain({"jenkins-vm1", "0.1.0", {router}, {}, std::nullopt}, router.name).value();
}

RouterStatus backup() {
  RouterStatus router = test::sample_master();
  router.state = "backup";
  router.why = "10.0.0.12 (priority 120) has the better claim; ours is 110";
  router.last_adv_source = "10.0.0.12";
  router.last_adv_priority = Priority{120};
  router.last_adv_age = std::chrono::milliseconds{400};
  router.tracks.clear();
  return router;
}

TEST_CASE("a demoted master explains its state and each part of its priority") {
  RouterStatus router = test::sample_master();
  router.effective_priority = Priority{30};
  router.last_adv_source.clear();
  router.tracks = {{"haproxy", 50, "25% up, 1 of 4 teams healthy"},
                   {"interface eth1", 30, "the link is down"},
                   {"interface eth2", 0, "the link is up"},
                   {"glusterd", 0, ""}};

  CHECK(explained(router) ==
        Sentences{"VI_MAIN is master on eth0 (VRID 51, version 3) since 2026-01-07T10:15:00Z: no "
                  "advertisement from 10.0.0.11 for 3570 ms.",
                  "Its effective priority is 30: 110 configured, less 50 for haproxy (25% up, 1 of "
                  "4 teams healthy) and 30 for interface eth1 (the link is down).",
                  "It is not demoted by interface eth2 (the link is up) or glusterd.",
                  "It hears nobody else."});
}

TEST_CASE("promotions, and what keeps a router out of the election, are explained as well") {
  RouterStatus router = test::sample_master();
  router.effective_priority = Priority{92};
  router.tracks = {{"check a", 20, "took too long"}, {"check b", -2, "is there"}};
  CHECK(explained(router)[1] ==
        "Its effective priority is 92: 110 configured, less 20 for check a (took too long), plus 2 "
        "for check b (is there).");

  router.effective_priority = Priority{254};
  router.tracks = {{"check b", -200, ""}, {"check c", 0, "not active", true}};
  CHECK(
      explained(router)[1] ==
      "Its effective priority is 254: 110 configured, plus 200 for check b, and never above 254.");
  CHECK(explained(router)[2] == "It is kept out of the election by check c (not active).");
}

TEST_CASE("a master tells the one it hears from the one it heard once") {
  RouterStatus router = test::sample_master();
  router.tracks.clear();

  router.last_adv_age = std::chrono::milliseconds{400};
  CHECK(explained(router).back() ==
        "The last advertisement heard came from 10.0.0.11, priority 100, 0.4 s ago.");

  router.last_adv_age = std::chrono::minutes{3};
  CHECK(explained(router).back() ==
        "It hears nobody else: the last advertisement came from 10.0.0.11, priority 100, 3 min "
        "ago.");
}

TEST_CASE("a backup says whom it follows and when it would take over") {
  CHECK(explained(backup()) ==
        Sentences{"VI_MAIN is backup on eth0 (VRID 51, version 3) since 2026-01-07T10:15:00Z: "
                  "10.0.0.12 (priority 120) has the better claim; ours is 110.",
                  "Its priority is 110, as configured.",
                  "It follows 10.0.0.12, priority 120, heard 0.4 s ago, and would take over after "
                  "3570.3 ms of silence."});
}

TEST_CASE("a backup with the higher priority says what keeps it back") {
  RouterStatus router = backup();
  router.last_adv_priority = Priority{100};
  CHECK(explained(router).back() ==
        "Its own priority is higher: with `preempt: true` it takes over when its timer runs out.");

  router.preempt_delay = std::chrono::seconds{5};
  CHECK(explained(router).back() ==
        "Its own priority is higher: with `preempt: true` it takes over once it has heard it for "
        "the `preempt_delay` of 5.0 s.");

  router.preempt = Preempt::kNo;
  CHECK(explained(router).back() ==
        "Its own priority is higher: with `preempt: false` it leaves a living master in place.");

  router.preempt = Preempt::kDegraded;
  CHECK(explained(router).back() ==
        "Its own priority is higher: with `preempt: degraded` it leaves the master in place until "
        "that one's priority drops.");

  router.priority = kPriorityOwner;
  router.effective_priority = kPriorityOwner;
  CHECK(explained(router).back() ==
        "Its own priority is higher: as the owner it takes over when its timer runs out.");
}

TEST_CASE("a backup whose master let go, or that hears none, says so") {
  RouterStatus router = backup();
  router.last_adv_priority = kPriorityRelease;
  CHECK(explained(router).back() ==
        "10.0.0.12 has let go 0.4 s ago; it takes over after its skew time of 570.3 ms.");

  router.last_adv_source.clear();
  CHECK(explained(router).back() ==
        "It hears no master and takes over after 3570.3 ms of silence.");
}

TEST_CASE("the clamp and the owner's priority are explained") {
  RouterStatus router = backup();
  router.effective_priority = Priority{1};
  router.tracks = {{"haproxy", 200, "HAProxy is down"}};
  CHECK(explained(router)[1] ==
        "Its effective priority is 1: 110 configured, less 200 for haproxy (HAProxy is down), and "
        "never below 1.");

  router.priority = kPriorityOwner;
  router.effective_priority = kPriorityOwner;
  CHECK(explained(router)[1] ==
        "Its priority is 255: it owns its addresses, and nothing demotes it.");
}

TEST_CASE("a backup whose time has come before that of its group says what it waits for") {
  RouterStatus router = backup();
  router.group = "G1";
  router.waits_for_group = true;
  CHECK(explained(router).back() ==
        "It hears no master, and takes over when the others of its group G1 can, too.");
}

TEST_CASE("a fault is explained by what is missing") {
  RouterStatus router = test::sample_master();
  router.state = "fault";
  router.why = "the link of eth0 is down.";
  router.tracks.clear();

  CHECK(explained(router) == Sentences{"VI_MAIN is in fault on eth0 (VRID 51, version 3) since "
                                       "2026-01-07T10:15:00Z: the link of eth0 is down.",
                                       "Its priority is 110, as configured.",
                                       "It takes no part in the election until that is mended."});
}

TEST_CASE("an instance that has not started says only that") {
  RouterStatus router = test::sample_master();
  router.state = "initialize";
  router.interface.clear();
  router.why.clear();
  router.tracks.clear();

  CHECK(explained(router) ==
        Sentences{"VI_MAIN has not started (VRID 51, version 3) since 2026-01-07T10:15:00Z.",
                  "Its priority is 110, as configured."});
}

TEST_CASE("alarms are sentences with both values") {
  RouterStatus router = backup();
  router.alarms = {
      {"interval-mismatch", "10.0.0.12", "1s", "2s", test::kSince},
      {"invalid-packets", "10.0.0.13", "", "peer-source-errors", test::kSince},
      {"address-removed", "", "192.168.1.100/24", "removed by somebody else", test::kSince}};

  const Sentences all = explained(router);

  REQUIRE(all.size() == 6);
  CHECK(Sentences{all.begin() + 3, all.end()} ==
        Sentences{"Alarm: interval mismatch with 10.0.0.12 since 2026-01-07T10:15:00Z: ours is 1s, "
                  "theirs is 2s.",
                  "Alarm: invalid packets from 10.0.0.13 since 2026-01-07T10:15:00Z: "
                  "peer-source-errors.",
                  "Alarm: address removed since 2026-01-07T10:15:00Z: 192.168.1.100/24, removed by "
                  "somebody else."});
}

TEST_CASE("HAProxy is explained with the instances it matters to") {
  Status status = test::sample_status();
  RouterStatus other = backup();
  other.name = "VI_6";
  status.instances.push_back(other);
  status.haproxy->teams.push_back({"idle", 0, 0, false});
  const std::string sentence =
      "HAProxy is healthy: 3 of 4 servers up (75%), 3 of 4 teams healthy; NO FAILOVER: 75% is not "
      "below 50%; 3 healthy teams.";

  CHECK(explain(status, "VI_MAIN")->back() == sentence);
  CHECK(explain(status, "")->back() == sentence);
  CHECK(explain(status, "VI_6") == explained(other));

  status.haproxy->grace_remaining = std::chrono::milliseconds{12'300};
  status.haproxy->alarm = "no answer for 2 s";
  const Sentences all = explain(status, "").value();
  CHECK(Sentences{all.end() - 2, all.end()} ==
        Sentences{"Its grace period ends in 12.3 s.", "Alarm: HAProxy: no answer for 2 s."});
}

TEST_CASE("all instances are explained in turn, and one that does not exist is not") {
  Status status = test::sample_status();
  status.haproxy.reset();
  status.instances = {backup(), backup()};
  status.instances[1].name = "VI_6";

  const Sentences all = explain(status, "").value();
  REQUIRE(all.size() == 6);
  CHECK(all[3].substr(0, 15) == "VI_6 is backup ");
  CHECK(explain(status, "VI_7") == std::nullopt);

  status.instances.clear();
  CHECK(explain(status, "") == Sentences{"No instance is configured."});
}

}  // namespace
}  // namespace ha::vrrp
