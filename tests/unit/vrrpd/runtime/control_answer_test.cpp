/// The answers to single lines; control_test.cpp has the socket.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/runtime/sample_daemon.hpp"
#include "vrrpd/runtime/control.hpp"

namespace ha::vrrp {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("status is answered with the status") {
  test::Daemon daemon;
  CHECK(answer(R"({"command": "status"})", daemon.handlers()) ==
        R"({"ok":true,"status":)" + to_json(daemon.status) + "}");
}

TEST_CASE("explain is answered for one instance or all") {
  test::Daemon daemon;
  const std::string expected =
      Json{{"ok", true}, {"explain", *explain(daemon.status, "VI_MAIN")}}.dump();
  CHECK(answer(R"({"command": "explain", "instance": "VI_MAIN"})", daemon.handlers()) == expected);
  CHECK(answer(R"({"command": "explain"})", daemon.handlers()) == expected);
}

TEST_CASE("explain of an unknown instance names those that exist") {
  test::Daemon daemon;
  const std::string line = R"({"command": "explain", "instance": "VI_X"})";
  CHECK(answer(line, daemon.handlers()) ==
        R"({"ok":false,"error":"no instance \"VI_X\"; there is VI_MAIN"})");

  daemon.status.instances.assign(1020, test::sample_master());
  const std::string many = answer(line, daemon.handlers());
  CHECK(many.find("VI_MAIN and 1010 more\"}") != std::string::npos);
  CHECK(many.size() < 200);
}

TEST_CASE("reload is answered with its diagnostics, refused or not") {
  test::Daemon daemon;
  daemon.outcome = {true, {}, {"vrrpd.yaml:3:1: warning: odd"}};
  CHECK(answer(R"({"command": "reload"})", daemon.handlers()) ==
        R"({"ok":true,"diagnostics":["vrrpd.yaml:3:1: warning: odd"]})");

  daemon.outcome = {false, "vrrpd.yaml has errors", {"vrrpd.yaml:3:1: error: wrong"}};
  CHECK(answer(R"({"command": "reload"})", daemon.handlers()) ==
        R"({"ok":false,"error":"vrrpd.yaml has errors",)"
        R"("diagnostics":["vrrpd.yaml:3:1: error: wrong"]})");
}

TEST_CASE("a reload may have to be confirmed, within 1 s to 1 h") {
  using namespace std::chrono_literals;
  test::Daemon daemon;
  CHECK(answer(R"({"command": "confirm"})", daemon.handlers()) ==
        R"({"ok":false,"error":"no reload waits for confirmation"})");

  const auto [text, time] = GENERATE(
      table<std::string, Duration>({{"1s", 1s}, {"90s", 90s}, {"1500ms", 1500ms}, {"1h", 1h}}));
  CHECK(answer(R"({"command": "reload", "confirm": ")" + text + "\"}", daemon.handlers()) ==
        fmt::format(R"({{"ok":true,"diagnostics":[],"confirm-within-ms":{}}})",
                    std::chrono::duration_cast<std::chrono::milliseconds>(time).count()));
  CHECK(daemon.trial == time);
  CHECK(answer(R"({"command": "confirm"})", daemon.handlers()) == R"({"ok":true})");
  CHECK_FALSE(daemon.trial);
}

TEST_CASE("a time to confirm that is none, or too long, reloads nothing") {
  const std::string time = GENERATE("60", "0s", "999ms", "3601s", "2h", "-5s", "s", "1 s", "x");
  test::Daemon daemon;
  const Json json = Json::parse(
      answer(R"({"command": "reload", "confirm": ")" + time + "\"}", daemon.handlers()));
  CAPTURE(json.dump());
  CHECK(json["ok"] == false);
  const std::string error = json["error"];
  CHECK(error.find('"' + time + '"') != std::string::npos);
  CHECK(error.find("1s-1h") != std::string::npos);
  CHECK(daemon.calls == 0);
}

TEST_CASE("a drain and its end are passed on") {
  test::Daemon daemon;
  CHECK(answer(R"({"command": "drain"})", daemon.handlers()) == R"({"ok":true})");
  CHECK(daemon.drained);
  CHECK(answer(R"({"command": "undrain"})", daemon.handlers()) == R"({"ok":true})");
  CHECK_FALSE(daemon.drained);
}

TEST_CASE("events and packets are asked for from a number on") {
  test::Daemon daemon;
  CHECK(answer(R"({"command": "events"})", daemon.handlers()) ==
        R"({"ok":true,"last":1,"events":[{"asked-after":0}]})");
  CHECK(answer(R"({"command": "events", "after": "1767780900123"})", daemon.handlers()) ==
        R"({"ok":true,"last":1767780900124,"events":[{"asked-after":1767780900123}]})");
  CHECK(answer(R"({"command": "capture", "after": "7"})", daemon.handlers()) ==
        R"({"ok":true,"last":7,"records":[]})");
}

TEST_CASE("a number that is none is refused with the range, and nobody is asked") {
  const std::string number = GENERATE("-1", "x", "1x", " 1", "1.0", "18446744073709551616");
  test::Daemon daemon;
  const std::string refused =
      answer(R"({"command": "events", "after": ")" + number + "\"}", daemon.handlers());
  CHECK(refused == R"({"ok":false,"error":"\"after\" \")" + number +
                       R"(\" is not in 0-18446744073709551615"})");
  CHECK(daemon.calls == 0);
}

TEST_CASE("a report of gluster-sync is passed on, and told whether anybody tracks the team") {
  test::Daemon daemon;
  CHECK(answer(R"({"command": "sync", "team": "devops", "lag-ms": 245000})", daemon.handlers()) ==
        R"({"ok":true,"tracked":true})");
  CHECK(daemon.lags.at("devops") == std::chrono::seconds{245});
  CHECK(answer(R"({"command": "sync", "team": "ma", "lag-ms": 0})", daemon.handlers()) ==
        R"({"ok":true,"tracked":false})");
}

TEST_CASE("what is no request is refused, named, and calls nothing") {
  const auto [line, reason] = GENERATE(table<std::string, std::string>({
      {"", "not a JSON object"},
      {"status", "not a JSON object"},
      {R"({"command": "status")", "not a JSON object"},
      {R"({"command": "status"} x)", "not a JSON object"},
      {R"(["status"])", "not a JSON object"},
      {"null", "not a JSON object"},
      {"{\"command\": \"st\xff\"}", "not a JSON object"},
      {std::string{"{\"command\": \"status\0\"}", 22}, "not a JSON object"},
      {"{}", "unknown command \"\""},
      {R"({"command": "stop"})", "unknown command \"stop\""},
      {R"({"command": 7})", "\"command\" is not a string"},
      {R"({"command": ["status"]})", "\"command\" is not a string"},
      {R"({"command": "explain", "instance": null})", "\"instance\" is not a string"},
      {R"({"command": "explain", "instnace": "VI_MAIN"})", "unknown key \"instnace\""},
      {R"({"command": "reload", "instance": "VI_MAIN"})", "\"reload\" takes no instance"},
      {R"({"command": "status", "confirm": "60s"})", "\"status\" takes no confirm"},
      {R"({"command": "confirm", "confirm": "60s"})", "\"confirm\" takes no confirm"},
      {R"({"command": "reload", "confirm": 60})", "\"confirm\" is not a string"},
      {R"({"command": "events", "confirm": "60s"})", "\"events\" takes no confirm"},
      {R"({"command": "drain", "after": "1"})", "\"drain\" takes no after"},
      {R"({"command": "events", "": "1"})", "unknown key \"\""},
      {R"({"command": "sync", "lag-ms": 5})", "\"sync\" needs team"},
      {R"({"command": "sync", "team": "devops"})", "\"sync\" needs lag-ms"},
      {R"({"command": "sync", "team": 7, "lag-ms": 5})", "\"team\" is not a string"},
      {R"({"command": "sync", "team": "a", "lag-ms": "5"})", "\"lag-ms\" is not a whole number"},
      {R"({"command": "sync", "team": "a", "lag-ms": -1})", "\"lag-ms\" is not a whole number"},
      {R"({"command": "sync", "team": "a", "lag-ms": 1.5})", "\"lag-ms\" is not a whole number"},
      {R"({"command": "sync", "team": "a", "lag-ms": 3162240000001})",
       "\"lag-ms\" is not a whole number in 0-3162240000000"},
      {R"({"command": "status", "team": "a"})", "\"status\" takes no team"},
      {R"({"command": {"a": {"b": {"c": 1}}}})", "\"command\" is not a string"},
  }));
  test::Daemon daemon;

  const Json json = Json::parse(answer(line, daemon.handlers()));

  CAPTURE(line);
  CHECK(json["ok"] == false);
  const std::string error = json["error"];
  CHECK(error.substr(0, reason.size()) == reason);
  CHECK(error.find(R"({"command": "status"})") != std::string::npos);
  CHECK(daemon.calls == 0);
}

TEST_CASE("64 KiB of brackets are refused like any other nonsense") {
  test::Daemon daemon;
  const std::string open(65'000, '[');
  const std::string closed = std::string(32'000, '[') + std::string(32'000, ']');
  std::string objects;
  while (objects.size() < 60'000) objects += R"({"a":)";
  for (const std::string& line :
       {open, closed, objects, R"({"command":)" + closed + "}", R"({"command":)" + open}) {
    CHECK(Json::parse(answer(line, daemon.handlers()))["ok"] == false);
  }
}

TEST_CASE("an answer is one line of UTF-8 whatever the names hold, and echoes little") {
  test::Daemon daemon;
  daemon.status.node = "a\nb\xff";
  const std::string status = answer(R"({"command": "status"})", daemon.handlers());
  CHECK(status.find('\n') == std::string::npos);
  CHECK(Json::parse(status)["status"]["node"] == "a\nb\xef\xbf\xbd");

  const std::string command(60'000, 'x');
  CHECK(answer(R"({"command": ")" + command + "\"}", daemon.handlers()).size() < 600);
}

}  // namespace
}  // namespace ha::vrrp
