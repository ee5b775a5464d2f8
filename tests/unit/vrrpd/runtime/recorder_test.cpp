#include "vrrpd/runtime/recorder.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "tests/support/catch.hpp"
#include "vrrpd/runtime/events.hpp"

namespace ha::vrrp {
namespace {

using Json = nlohmann::json;

struct Sample {
  std::vector<std::uint64_t> memory = std::vector<std::uint64_t>(64 * 1024);
  std::vector<std::uint64_t> other = std::vector<std::uint64_t>(64 * 1024);
  Recorder recorder{Ring{std::as_writable_bytes(std::span{memory}), 1}};
  Events events{Ring{std::as_writable_bytes(std::span{other}), 1}, recorder};
  const RecordedInterface eth0{IfIndex{2}, "eth0"};

  Json records(std::uint64_t after = 0) const { return Json::parse(recorder.json(after).json); }
};

IpAddress address(const char* text) { return boost::asio::ip::make_address(text); }

const std::vector<std::uint8_t> kMessage{0x31, 51, 100, 1, 0, 100, 0xab, 0xcd, 10, 0, 0, 1};

}  // namespace

TEST_CASE("a message that is sent over IPv4 is recorded as it is on the wire", "[recorder]") {
  Sample sample;
  sample.recorder.sent(sample.eth0, address("10.0.0.2"), address("224.0.0.18"), kMessage);
  const Json record = sample.records()[0];
  CHECK(record["interface"] == "eth0");
  CHECK(record["index"] == 2);
  CHECK(record["direction"] == "out");
  CHECK(record["protocol"] == 0x0800);
  CHECK(record["comment"] == "sent");
  CHECK(record["data"] ==
        "45c0002000000000ff70d0990a000002e0000012"
        "313364010064abcd0a000001");
}

TEST_CASE("a message over IPv6 gets its header back", "[recorder]") {
  Sample sample;
  const Datagram datagram{address("fe80::1"), address("ff02::12"), 255, kMessage};
  sample.recorder.received(sample.eth0, datagram, "VI_6", std::nullopt);
  const Json record = sample.records()[0];
  CHECK(record["protocol"] == 0x86dd);
  CHECK(record["direction"] == "in");
  CHECK(record["comment"] == "VI_6: accepted");
  CHECK(record["data"] ==
        "6c000000000c70ff"
        "fe800000000000000000000000000001"
        "ff020000000000000000000000000012"
        "313364010064abcd0a000001");
}

TEST_CASE("what is dropped is recorded with the reason, and announcements with their sender") {
  Sample sample;
  sample.recorder.received(sample.eth0, std::span{kMessage}, "VI_MAIN", PacketError::kTtl);
  sample.recorder.received(sample.eth0, std::span{kMessage}, "", PacketError::kVrid);
  sample.recorder.unreadable(sample.eth0, kMessage);
  std::vector<std::uint8_t> frame(14, 0xff);
  frame[6] = 2;
  frame[12] = 8;
  frame[13] = 6;
  frame.push_back(7);
  sample.recorder.sent_frame(sample.eth0, frame);
  sample.recorder.failed("1 announcements: Network is down");
  const Json records = sample.records();
  CHECK(records[0]["comment"] == "VI_MAIN: dropped, ip-ttl-errors");
  CHECK(records[1]["comment"] == "dropped, vrid-errors");
  CHECK(records[2]["comment"] == "dropped, no VRRP packet");
  CHECK(records[3]["source-mac"] == "02ffffffffff");
  CHECK(records[3]["protocol"] == 0x0806);
  CHECK(records[3]["data"] == "07");
  CHECK(records[4]["decision"] ==
        "what was sent last may not have left: 1 announcements: Network is down");
}

TEST_CASE("an answer is bounded, and the next one goes on where it ends", "[recorder]") {
  Sample sample;
  for (int i = 0; i < 3000; ++i) {
    sample.recorder.sent(sample.eth0, address("10.0.0.2"), address("224.0.0.18"), kMessage);
  }
  std::uint64_t after = 0;
  std::uint64_t seen = 0;
  for (int answers = 0;; ++answers) {
    REQUIRE(answers < 10);
    const RingExtract extract = sample.recorder.json(after);
    CHECK(extract.json.size() < 300 * 1024);
    const Json records = Json::parse(extract.json);
    if (records.empty()) break;
    if (seen != 0) REQUIRE(records.front()["number"] == seen + 1);
    seen = records.back()["number"];
    CHECK(extract.last == seen);
    after = extract.last;
  }
  CHECK(seen == 3000);
  CHECK(sample.recorder.json(4000).last != 4000);
}

TEST_CASE("an event tells the arithmetic, and the recorder why", "[events]") {
  Sample sample;
  const std::vector<Demotion> demotions{{"haproxy", 50, "25% \xff up"},
                                        {"interface eth1", 0, "up"}};
  sample.events.note("transition", {"VI_MAIN", "backup", Priority{110}, Priority{60}, demotions},
                     "somebody better");
  sample.events.note("reload", "done");
  const Json events = Json::parse(sample.events.json(0).json);
  REQUIRE(events.size() == 2);
  CHECK(events[0]["number"] == 1);
  CHECK(events[0]["instance"] == "VI_MAIN");
  CHECK(events[0]["effective-priority"] == 60);
  CHECK(events[0]["demotions"].size() == 1);
  CHECK(events[0]["demotions"][0]["reason"] == "25% \xef\xbf\xbd up");
  CHECK(events[1]["text"] == "done");
  CHECK_FALSE(events[1].contains("instance"));
  CHECK(Json::parse(sample.events.json(1).json).size() == 1);
  const Json records = sample.records();
  CHECK(records[0]["decision"] == "(VI_MAIN) backup, priority 60 of 110: somebody better");
  CHECK(records[1]["decision"] == "done");
}

TEST_CASE("an event that would be too long is cut", "[events]") {
  Sample sample;
  const std::vector<Demotion> demotions(
      100, Demotion{std::string(1000, 's'), 1, std::string(9999, 'r')});
  sample.events.note("priority", {"VI_MAIN", "backup", Priority{110}, Priority{60}, demotions},
                     std::string(100'000, 't'));
  const Json events = Json::parse(sample.events.json(0).json);
  REQUIRE(events.size() == 1);
  CHECK(events[0]["text"].get<std::string>().size() < 5000);
}

}  // namespace ha::vrrp
