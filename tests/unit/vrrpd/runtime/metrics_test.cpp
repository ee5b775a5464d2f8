#include "vrrpd/runtime/metrics.hpp"

#include <cstdio>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/runtime/sample_status.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using test::sample_status;

bool has(const std::string& text, const std::string& line) {
  return text.find('\n' + line + '\n') != std::string::npos;
}

/// Something of every kind.
Status rich_status() {
  Status status = sample_status();
  RouterStatus second = test::sample_master();
  second.name = "VI_6";
  second.state = "backup";
  second.effective_priority = Priority{60};
  second.tracks = {{"haproxy", 50, "…"}, {"interface eth1", 0, "up"}};
  second.alarms = {{"interval-mismatch", "10.0.0.12", "1s", "2s", test::kSince},
                   {"interval-mismatch", "10.0.0.13", "1s", "3s", test::kSince}};
  second.statistics.addresses_restored = 2;
  second.statistics.errors[static_cast<std::size_t>(PacketError::kInterval)] = 7;
  status.instances.push_back(second);
  status.errors[static_cast<std::size_t>(PacketError::kChecksum)] = 3;
  status.haproxy->failovers_triggered = 4;
  status.loop_lag.add(50us);
  status.loop_lag.add(2ms);
  status.loop_lag.add(10s);
  return status;
}

}  // namespace

TEST_CASE("what the status says is in the metrics", "[metrics]") {
  const std::string text = to_metrics(rich_status());
  for (const char* line : {
           R"(vrrpd_instance_state{instance="VI_MAIN",state="master"} 1)",
           R"(vrrpd_instance_state{instance="VI_MAIN",state="backup"} 0)",
           R"(vrrpd_instance_state{instance="VI_6",state="backup"} 1)",
           R"(vrrpd_effective_priority{instance="VI_6"} 60)",
           R"(vrrpd_demotion{instance="VI_6",source="haproxy"} 50)",
           R"(vrrpd_demotion{instance="VI_6",source="interface eth1"} 0)",
           R"(vrrpd_master_transitions_total{instance="VI_MAIN"} 1)",
           R"(vrrpd_advertisements_sent_total{instance="VI_MAIN"} 42)",
           R"(vrrpd_advertisements_received_total{instance="VI_MAIN"} 0)",
           R"(vrrpd_packet_errors_total{instance="VI_6",kind="interval-errors"} 7)",
           R"(vrrpd_packet_errors_total{instance="",kind="checksum-errors"} 3)",
           R"(vrrpd_alarms{instance="VI_6",kind="interval-mismatch"} 2)",
           R"(vrrpd_alarms{instance="",kind="haproxy"} 0)",
           R"(vrrpd_address_restored_total{instance="VI_6"} 2)",
           "vrrpd_backend_health_percentage 75",
           "vrrpd_healthy_teams_count 3",
           R"(vrrpd_team_servers_up{team="ba"} 0)",
           "vrrpd_grace_period_active 0",
           "vrrpd_failover_triggered_total 4",
       }) {
    INFO(line);
    CHECK(has(text, line));
  }
}

TEST_CASE("the lag's buckets add up", "[metrics]") {
  const std::string text = to_metrics(rich_status());
  CHECK(has(text, R"(vrrpd_loop_lag_seconds_bucket{le="0.0001"} 1)"));
  CHECK(has(text, R"(vrrpd_loop_lag_seconds_bucket{le="0.001"} 1)"));
  CHECK(has(text, R"(vrrpd_loop_lag_seconds_bucket{le="0.005"} 2)"));
  CHECK(has(text, R"(vrrpd_loop_lag_seconds_bucket{le="5"} 2)"));
  CHECK(has(text, R"(vrrpd_loop_lag_seconds_bucket{le="+Inf"} 3)"));
  CHECK(has(text, "vrrpd_loop_lag_seconds_count 3"));
  CHECK(has(text, "vrrpd_loop_lag_seconds_sum 10.00205"));
}

TEST_CASE("where HAProxy is not tracked, nothing is said about it", "[metrics]") {
  Status status = rich_status();
  status.haproxy.reset();
  const std::string text = to_metrics(status);
  CHECK(text.find("\nvrrpd_backend_health_percentage ") == std::string::npos);
  CHECK(text.find("kind=\"haproxy\"") == std::string::npos);
}

TEST_CASE("a name cannot end its quotes", "[metrics]") {
  Status status = sample_status();
  status.haproxy->teams = {{"a\"b\\c\nd\xff", 1, 1, true}};
  CHECK(has(to_metrics(status), R"(vrrpd_team_servers_up{team="a\"b\\c?d?"} 1)"));
}

TEST_CASE("promtool finds nothing to complain about", "[metrics]") {
  Status without_haproxy = rich_status();
  without_haproxy.haproxy.reset();
  for (const Status& status : {rich_status(), without_haproxy, Status{}}) {
    std::FILE* promtool = popen("promtool check metrics 2>&1", "w");
    REQUIRE(promtool != nullptr);
    const std::string text = to_metrics(status);
    std::fwrite(text.data(), 1, text.size(), promtool);
    CHECK(pclose(promtool) == 0);
  }
}

}  // namespace ha::vrrp
