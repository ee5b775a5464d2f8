#include "vrrpd/ctl/events.hpp"

#include "tests/support/catch.hpp"

namespace ha::ctl {
namespace {

using namespace std::chrono_literals;

/// 2026-01-07T10:15:00Z.
const std::chrono::system_clock::time_point kNow{
    std::chrono::sys_days{std::chrono::year{2026} / 1 / 7} + 10h + 15min};

const std::string kAnswer = R"({"ok": true, "last": 9, "events": [
  {"number": 7, "time": "2026-01-07T10:14:59.001Z", "kind": "priority", "instance": "VI_MAIN",
   "state": "master", "priority": 110, "effective-priority": 1, "text": "…",
   "demotions": [{"name": "haproxy", "demotion": 50, "reason": "25% up"},
                 {"name": "drain", "demotion": 254, "reason": "by the operator"}]},
  {"number": 8, "time": "2026-01-07T10:15:00.000Z", "kind": "transition", "instance": "VI_MAIN",
   "state": "backup", "priority": 110, "effective-priority": 60, "text": "10.0.0.11 is better",
   "demotions": [{"name": "haproxy", "demotion": 50, "reason": "25% up"}]},
  {"number": 9, "time": "2026-01-07T10:15:01.000Z", "kind": "reload", "text": "done\u001b[2J"}]})";

}  // namespace

TEST_CASE("events are lines with the arithmetic of the priority", "[ctl]") {
  const EventsPart part = present_events(kAnswer, "", Form::kText);
  CHECK(part.last == "9");
  CHECK(part.output ==
        Output{kDone,
               "2026-01-07T10:14:59.001Z VI_MAIN priority 1 = 110 - 50 (haproxy: 25% up) - 254 "
               "(drain: by the operator), never below 1, master\n"
               "2026-01-07T10:15:00.000Z VI_MAIN backup, priority 60 = 110 - 50 (haproxy): "
               "10.0.0.11 is better\n"
               "2026-01-07T10:15:01.000Z reload: done?[2J\n",
               ""});
}

TEST_CASE("events as JSON are objects, one a line", "[ctl]") {
  const std::string text = present_events(kAnswer, "2026-01-07T10:15:01", Form::kJson).output.out;
  CHECK(text ==
        R"({"number":9,"time":"2026-01-07T10:15:01.000Z","kind":"reload","text":"done\u001b[2J"})"
        "\n");
}

TEST_CASE("what --since takes is a span or a time, whole or not", "[ctl]") {
  CHECK(parse_since("", kNow) == "");
  CHECK(parse_since("15m", kNow) == "2026-01-07T10:00:00.000Z");
  CHECK(parse_since("1500ms", kNow) == "2026-01-07T10:14:58.500Z");
  CHECK(parse_since("2026-01-07T10", kNow) == "2026-01-07T10");
  CHECK(parse_since("2026-01-07T10:15:00Z", kNow) == "2026-01-07T10:15:00");
  CHECK(parse_since("2026-01-07T10:15:00.000Z", kNow) == "2026-01-07T10:15:00.000");
  for (const char* text : {"yesterday", "10", "2026_01", "2026-01-07T10:15:00.000Z+1", "-5m"}) {
    CHECK_FALSE(parse_since(text, kNow));
  }
}

TEST_CASE("what is no answer to events is a failure", "[ctl]") {
  CHECK(present_events("nonsense", "", Form::kText).output.exit_code == kNoDaemon);
  const EventsPart refused =
      present_events(R"({"ok": false, "error": "unknown command \"events\"; …"})", "", Form::kText);
  CHECK(refused.output.exit_code == kRefused);
  CHECK(refused.output.err.find("older than this command") != std::string::npos);
  CHECK(refused.last.empty());
}

}  // namespace ha::ctl
