#include "vrrpd/keepalived/dumps.hpp"

#include <nlohmann/json.hpp>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"

namespace ha::keepalived {
namespace {

using namespace ha::vrrp;

constexpr const char* kText =
    "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\npriority 100\nnopreempt\n"
    "authentication {\nauth_type PASS\nauth_pass s3cret\n}\n"
    "virtual_ipaddress {\n10.0.0.9/24 label eth0:1\n10.0.0.10\n}\n"
    "virtual_ipaddress_excluded {\n10.0.1.9\n}\nnotify_master \"/bin/x a\"\n}\n";

Status master_status() {
  RouterStatus router;
  router.name = "VI_1";
  router.interface = "eth0";
  router.vrid = Vrid{51};
  router.state = "master";
  router.effective_priority = Priority{102};
  router.since = WallClock{std::chrono::microseconds{1'795'280'050'190'343}};
  router.statistics.master_transitions = 3;
  router.statistics.advertisement_rcvd = 7;
  router.statistics.advertisement_sent = 42;
  router.statistics.errors[static_cast<std::size_t>(PacketError::kTtl)] = 5;
  Status status;
  status.instances.push_back(router);
  return status;
}

TEST_CASE("the statistics have keepalived's labels", "[keepalived]") {
  CHECK(stats_text(master_status()) ==
        "VRRP Instance: VI_1\n"
        "  Advertisements:\n"
        "    Received: 7\n"
        "    Sent: 42\n"
        "  Became master: 3\n"
        "  Released master: 2\n"
        "  Packet Errors:\n"
        "    Length: 0\n"
        "    TTL: 5\n"
        "    Invalid Type: 0\n"
        "    Advertisement Interval: 0\n"
        "    Address List: 0\n"
        "  Authentication Errors:\n"
        "    Invalid Type: 0\n"
        "    Type Mismatch: 0\n"
        "    Failure: 0\n"
        "  Priority Zero:\n"
        "    Received: 0\n"
        "    Sent: 0\n");
}

TEST_CASE("statistics that were cleared count from there", "[keepalived]") {
  const Baseline baseline = baseline_of(master_status());
  Status later = master_status();
  later.instances[0].statistics.advertisement_sent = 50;
  later.instances[0].statistics.errors[static_cast<std::size_t>(PacketError::kTtl)] = 6;
  const std::string text = stats_text(since(baseline, later));
  CHECK(text.find("    Sent: 8\n") != std::string::npos);
  CHECK(text.find("    Received: 0\n") != std::string::npos);
  CHECK(text.find("    TTL: 1\n") != std::string::npos);
}

TEST_CASE("the data has the lines that people search for, and no password", "[keepalived]") {
  const std::string text = data_text(config_of(kText), master_status());
  for (const char* const line :
       {"------< VRRP Topology >------", " VRRP Instance = VI_1", "   VRRP Version = 2",
        "   State = MASTER", "   Interface = eth0", "   Virtual Router ID = 51",
        "   Priority = 100", "   Effective priority = 102", "   Advert interval = 1 sec",
        "   Preempt = disabled",
        "   Virtual IP (2):", "     10.0.0.9/24 dev eth0 scope global label eth0:1 set",
        "     10.0.0.10 dev eth0 scope global set",
        "   Virtual IP Excluded :", "     10.0.1.9 dev eth0 scope global set",
        "   Master state transition script = '/bin/x' 'a'"}) {
    INFO(text);
    CHECK(text.find(std::string{line} + '\n') != std::string::npos);
  }
  CHECK(text.find("s3cret") == std::string::npos);
}

TEST_CASE("the JSON has keepalived's keys, types and states, and no password", "[keepalived]") {
  const std::string text = json_text(config_of(kText), master_status());
  const auto json = nlohmann::json::parse(text);
  REQUIRE(json.size() == 1);
  const auto& data = json[0]["data"];
  CHECK(data["iname"] == "VI_1");
  CHECK(data["state"] == 2);
  CHECK(data["vrid"] == 51);
  CHECK(data["base_priority"] == 100);
  CHECK(data["effective_priority"] == 102);
  CHECK(data["vipset"] == true);
  CHECK(data["nopreempt"] == true);
  CHECK(data["adver_int"] == 1);
  CHECK(data["last_transition"] == 1795280050.190343);
  CHECK(data["vips"] == nlohmann::json{"10.0.0.9/24 dev eth0 scope global label eth0:1 set",
                                       "10.0.0.10 dev eth0 scope global set"});
  CHECK(data["evips"] == nlohmann::json{"10.0.1.9 dev eth0 scope global set"});
  CHECK(json[0]["stats"]["advert_sent"] == 42);
  CHECK(json[0]["stats"]["become_master"] == 3);
  CHECK(json[0]["stats"]["release_master"] == 2);
  CHECK(json[0]["stats"]["ip_ttl_err"] == 5);
  CHECK(text.find("s3cret") == std::string::npos);
}

TEST_CASE("each state has keepalived's number", "[keepalived]") {
  for (const auto& [state, number] : {std::pair{"initialize", 0}, std::pair{"backup", 1},
                                      std::pair{"master", 2}, std::pair{"fault", 3}}) {
    Status status = master_status();
    status.instances[0].state = state;
    CHECK(nlohmann::json::parse(json_text(config_of(kText), status))[0]["data"]["state"] == number);
  }
}

}  // namespace
}  // namespace ha::keepalived
