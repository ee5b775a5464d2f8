#include "vrrpd/runtime/status.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/runtime/sample_status.hpp"

namespace ha::vrrp {
namespace {

using Json = nlohmann::ordered_json;

Json parsed(const Status& status) { return Json::parse(to_json(status)); }

void set(std::array<std::uint64_t, kPacketErrorCount>& counters, PacketError kind,
         std::uint64_t value) {
  counters[static_cast<std::size_t>(kind)] = value;
}

TEST_CASE("the status has the names, the order and the nesting of RFC 8347's leaves") {
  Status status = test::sample_status();
  status.haproxy->teams.resize(1);
  status.instances[0].alarms = {{"interval-mismatch", "10.0.0.12", "1s", "2s", test::kSince}};

  CHECK(to_json(status) == Json::parse(R"(
    {"node": "jenkins-vm1", "version": "0.1.0", "instances": [
      {"name": "VI_MAIN", "interface": "eth0", "vrid": 51, "version": 3, "state": "master",
       "priority": 110, "effective-priority": 110, "addresses": ["192.168.1.100/24"],
       "last-adv-source": "10.0.0.11", "master-down-interval-ms": 3570.3, "skew-time-ms": 570.3,
       "last-event": "master-timeout", "new-master-reason": "no-response",
       "reason": "no advertisement from 10.0.0.11 for 3570 ms", "since": "2026-01-07T10:15:00Z",
       "tracks": [{"name": "haproxy", "demotion": 0, "reason": "75% up, 3 of 4 teams healthy"}],
       "alarms": [{"kind": "interval-mismatch", "peer": "10.0.0.12", "ours": "1s", "theirs": "2s",
                   "since": "2026-01-07T10:15:00Z"}],
       "statistics": {"master-transitions": 1, "advertisement-rcvd": 0, "advertisement-sent": 42,
         "priority-zero-pkts-rcvd": 0, "priority-zero-pkts-sent": 0, "interval-errors": 0,
         "address-list-errors": 0, "packet-length-errors": 0, "invalid-type-pkts-rcvd": 0,
         "auth-type-mismatches": 0, "auth-failures": 0, "peer-source-errors": 0,
         "mode-mismatch-errors": 0, "addresses-restored": 0}}],
     "statistics": {"checksum-errors": 0, "version-errors": 0, "vrid-errors": 0, "ip-ttl-errors": 0,
       "packet-length-errors": 0, "invalid-type-pkts-rcvd": 0},
     "haproxy": {"verdict": "healthy", "servers-up": 3, "servers": 4, "percentage": 75,
       "healthy-teams": 3, "teams": [{"name": "devops", "up": 1, "servers": 1, "healthy": true}],
       "grace-remaining-ms": 0,
       "reason": "NO FAILOVER: 75% is not below 50%; 3 healthy teams"},
     "last-event-number": 0})")
                               .dump());
}

TEST_CASE("each counter is shown under its own name") {
  RouterStatistics statistics;
  statistics.master_transitions = 1;
  statistics.advertisement_rcvd = 2;
  statistics.advertisement_sent = 3;
  statistics.priority_zero_pkts_rcvd = 4;
  statistics.priority_zero_pkts_sent = 5;
  set(statistics.errors, PacketError::kInterval, 6);
  set(statistics.errors, PacketError::kAddressList, 7);
  set(statistics.errors, PacketError::kLength, 8);
  set(statistics.errors, PacketError::kType, 9);
  set(statistics.errors, PacketError::kAuthType, 10);
  set(statistics.errors, PacketError::kAuthentication, 11);
  set(statistics.errors, PacketError::kSource, 12);
  set(statistics.errors, PacketError::kMode, 13);
  statistics.addresses_restored = 14;
  Status status = test::sample_status();
  status.instances[0].statistics = statistics;
  set(status.errors, PacketError::kChecksum, 1);
  set(status.errors, PacketError::kVersion, 2);
  set(status.errors, PacketError::kVrid, 3);
  set(status.errors, PacketError::kTtl, 4);
  set(status.errors, PacketError::kLength, 5);
  set(status.errors, PacketError::kType, 6);

  const Json json = parsed(status);

  CHECK(json["instances"][0]["statistics"].dump() ==
        R"({"master-transitions":1,"advertisement-rcvd":2,"advertisement-sent":3,)"
        R"("priority-zero-pkts-rcvd":4,"priority-zero-pkts-sent":5,"interval-errors":6,)"
        R"("address-list-errors":7,"packet-length-errors":8,"invalid-type-pkts-rcvd":9,)"
        R"("auth-type-mismatches":10,"auth-failures":11,"peer-source-errors":12,)"
        R"("mode-mismatch-errors":13,"addresses-restored":14})");
  CHECK(json["statistics"].dump() ==
        R"({"checksum-errors":1,"version-errors":2,"vrid-errors":3,"ip-ttl-errors":4,)"
        R"("packet-length-errors":5,"invalid-type-pkts-rcvd":6})");
}

TEST_CASE("what is not known is null, and what is not there is left out") {
  Status status = test::sample_status();
  status.haproxy.reset();
  status.instances[0].last_adv_source.clear();
  status.instances[0].alarms = {{"address-removed", "", "192.168.1.100/24", "", test::kSince}};

  const Json json = parsed(status);

  CHECK(json["instances"][0]["last-adv-source"].is_null());
  CHECK(json["instances"][0]["alarms"][0]["peer"].is_null());
  CHECK_FALSE(json.contains("haproxy"));
}

TEST_CASE("names and reasons may hold anything") {
  const auto [text, shown] = GENERATE(table<std::string, std::string>({
      {"a \" quote", "a \" quote"},
      {"a \\ backslash", "a \\ backslash"},
      {"a \n newline", "a \n newline"},
      {"a \x7f delete", "a \x7f delete"},
      {"caf\u00e9", "caf\u00e9"},
      {"not UTF-8: \xff", "not UTF-8: \ufffd"},
  }));
  Status status = test::sample_status();
  status.instances[0].name = text;

  CHECK(parsed(status)["instances"][0]["name"] == shown);
  CHECK(to_json(status).find('\n') == std::string::npos);
}

TEST_CASE("HAProxy's alarm is shown for as long as there is one") {
  Status status = test::sample_status();
  CHECK_FALSE(parsed(status)["haproxy"].contains("alarm"));
  status.haproxy->alarm = "no answer for 2 s";
  CHECK(parsed(status)["haproxy"]["alarm"] == "no answer for 2 s");
}

TEST_CASE("times are in milliseconds with one decimal, rounded") {
  const auto [duration, text] = GENERATE(table<std::chrono::nanoseconds, std::string>({
      {std::chrono::nanoseconds{0}, "0.0"},
      {std::chrono::nanoseconds{3'609'375'000}, "3609.4"},
      {std::chrono::nanoseconds{300'000'000}, "300.0"},
      {std::chrono::nanoseconds{123'449'999}, "123.4"},
      {std::chrono::nanoseconds{163'640'625'000}, "163640.6"},
  }));
  Status status = test::sample_status();
  status.instances[0].skew_time = duration;

  CHECK(parsed(status)["instances"][0]["skew-time-ms"].dump() == text);
}

TEST_CASE("a reload that waits for confirmation shows how long it still will") {
  Status status = test::sample_status();
  CHECK(to_json(status).find("pending-confirmation") == std::string::npos);
  status.confirm_within = std::chrono::milliseconds{41'250};
  CHECK(to_json(status).find(R"("pending-confirmation":{"remaining-ms":41250})") !=
        std::string::npos);
}

TEST_CASE("a drain shows since when, and whether a restart would end it") {
  Status status = test::sample_status();
  CHECK(to_json(status).find("drained") == std::string::npos);
  status.drained = Drained{test::kSince, false, "/var/lib/vrrpd/drained: No space left on device"};
  CHECK(parsed(status)["drained"] ==
        Json{{"since", "2026-01-07T10:15:00Z"},
             {"saved", false},
             {"trouble", "/var/lib/vrrpd/drained: No space left on device"}});
}

TEST_CASE("times of day are UTC in whole seconds, rounded down") {
  CHECK(to_utc(test::kSince) == "2026-01-07T10:15:00Z");
  CHECK(to_utc(test::kSince + std::chrono::milliseconds{59'999}) == "2026-01-07T10:15:59Z");
  CHECK(to_utc(WallClock{}) == "1970-01-01T00:00:00Z");
  CHECK(to_utc(WallClock{} - std::chrono::milliseconds{1}) == "1969-12-31T23:59:59Z");
  CHECK(to_utc(WallClock::min()).size() == 20);
  CHECK(to_utc(WallClock::max()).size() == 20);
}

}  // namespace
}  // namespace ha::vrrp
