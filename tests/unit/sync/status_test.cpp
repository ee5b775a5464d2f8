#include "sync/status.hpp"

#include <nlohmann/json.hpp>

#include "sync/server.hpp"
#include "tests/support/catch.hpp"

using namespace ha::sync;
using Catch::Contains;

namespace {

MirrorStatus mirror(const std::string& team, const std::string& env,
                    std::optional<std::int64_t> lag_ms) {
  MirrorStatus status;
  status.team = team;
  status.env = env;
  status.role = "writer";
  status.lag_ms = lag_ms;
  status.target = {12, 3};
  status.applied = {12, 3};
  status.pending = 0;
  return status;
}

VolumeStatus volume() {
  VolumeStatus status;
  status.name = "gv0";
  status.mount = "/var/jenkins";
  status.state = MountState::kUsable;
  status.bricks = {3, 3, true};
  status.cluster = {{0, 0}, UpCount{3, 3}, UpCount{2, 2}, ""};
  return status;
}

Status all_is_well() {
  Status status;
  status.node = "vm1";
  status.alert_after_ms = 600'000;
  status.mirrors = {mirror("devops", "blue", 245'000), mirror("devops", "green", 12'000)};
  status.volumes = {volume()};
  return status;
}

}  // namespace

TEST_CASE("a team's lag is said in the words that people's tools read", "[sync]") {
  CHECK(lag_line({"devops", 245'999}, 600'000) == "OK: Team devops sync lag: 245s");
  CHECK(lag_line({"qa", 600'000}, 600'000) == "OK: Team qa sync lag: 600s");
  CHECK(lag_line({"qa", 650'000}, 600'000) == "ALERT: Team qa sync lag: 650s (threshold: 600s)");
  CHECK(lag_line({"qa", {}}, 600'000) == "ALERT: Team qa sync lag: unknown (threshold: 600s)");
}

TEST_CASE("a team is as late as the latest of its environments", "[sync]") {
  Status status = all_is_well();
  status.mirrors.push_back(mirror("qa", "blue", std::nullopt));
  const auto lags = team_lags(status);
  REQUIRE(lags.size() == 2);
  CHECK(lags[0].lag_ms == 245'000);
  CHECK_FALSE(lags[1].lag_ms);
}

TEST_CASE("whatever needs attention is an alarm", "[sync]") {
  CHECK_FALSE(has_alarm(all_is_well()));
  Status status = all_is_well();
  status.mirrors[1].lag_ms = 600'001;
  CHECK(has_alarm(status));
  status = all_is_well();
  status.mirrors[1].alarm = "another machine holds the epoch";
  CHECK(has_alarm(status));
  status = all_is_well();
  status.volumes[0].state = MountState::kStale;
  CHECK(has_alarm(status));
  status = all_is_well();
  status.volumes[0].cluster.bricks = UpCount{2, 3};
  CHECK(has_alarm(status));
}

TEST_CASE("what is not known is null in JSON, and has no line in the metrics", "[sync]") {
  Status status = all_is_well();
  status.mirrors[0].lag_ms.reset();
  status.volumes[0].cluster = {};
  status.volumes[0].bricks = {};
  const auto json = nlohmann::json::parse(to_json(status));
  CHECK(json["volumes"][0]["bricks"].is_null());
  CHECK(json["volumes"][0]["bricks-connected"].is_null());
  CHECK_THAT(to_text(status), Contains("usable, bricks unknown, heal pending unknown"));
  CHECK(json["mirrors"][0]["lag-ms"].is_null());
  CHECK(json["volumes"][0]["heal-pending"].is_null());
  const std::string metrics = to_metrics(status);
  CHECK_THAT(metrics, !Contains(R"(gluster_sync_lag_seconds{team="devops",env="blue"})"));
  CHECK_THAT(metrics, Contains(R"(gluster_sync_lag_seconds{team="devops",env="green"} 12)"));
  CHECK_THAT(metrics, !Contains("gluster_heal_pending{"));
  CHECK_THAT(metrics, Contains(R"(gluster_mount_healthy{path="/var/jenkins"} 1)"));
}

TEST_CASE("every documented metric is there", "[sync]") {
  const std::string metrics = to_metrics(all_is_well());
  for (const char* const name :
       {"gluster_sync_lag_seconds", "gluster_sync_success_total", "gluster_sync_failures_total",
        "gluster_recovery_total", "gluster_heal_pending", "gluster_split_brain_files",
        "gluster_mount_healthy"}) {
    CHECK_THAT(metrics, Contains(std::string{"# TYPE "} + name + " "));
    CHECK_THAT(metrics, Contains(std::string{"\n"} + name + "{"));
  }
}

TEST_CASE("the text has the lag lines first", "[sync]") {
  const std::string text = to_text(all_is_well());
  CHECK(text.substr(0, text.find('\n')) == "OK: Team devops sync lag: 245s");
}

TEST_CASE("there are two pages, and only to be read", "[sync]") {
  const Pages pages{[] { return std::string{"a_metric 1\n"}; }, [] { return std::string{"{}"}; }};
  CHECK_THAT(http_answer("GET /metrics HTTP/1.1\r\n\r\n", pages), Contains("a_metric 1"));
  CHECK_THAT(http_answer("GET /status?x HTTP/1.0\r\n\r\n", pages), Contains("application/json"));
  CHECK_THAT(http_answer("GET /other HTTP/1.1\r\n\r\n", pages), Contains(" 404 "));
  CHECK_THAT(http_answer("POST /status HTTP/1.1\r\n\r\n", pages), Contains(" 405 "));
  CHECK_THAT(http_answer("\x16\x03\x01", pages), Contains(" 400 "));
}
