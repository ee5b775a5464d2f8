#include "vrrpd/ctl/render.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

namespace ha::ctl {
namespace {

using Json = nlohmann::ordered_json;

Json healthy_status() {
  return Json::parse(R"(
    {"node": "jenkins-vm1", "version": "0.1.0", "instances": [
      {"name": "VI_MAIN", "interface": "eth0", "vrid": 51, "state": "master", "priority": 110,
       "effective-priority": 60, "addresses": ["192.168.1.100/24", "192.168.1.101/24"],
       "last-adv-source": null, "last-event": "master-timeout", "since": "2026-01-07T10:15:00Z",
       "tracks": [{"name": "haproxy", "demotion": 50, "reason": "25% up"},
                  {"name": "interface eth1", "demotion": 0, "reason": "up"}], "alarms": []},
      {"name": "VI_6", "interface": "eth0", "vrid": 6, "state": "backup", "priority": 100,
       "effective-priority": 100, "addresses": ["2001:db8::1/64"],
       "last-adv-source": "fe80::1", "last-event": "startup", "since": "2026-01-07T10:15:01Z",
       "tracks": [], "alarms": []}],
     "statistics": {},
     "haproxy": {"verdict": "healthy", "servers-up": 3, "servers": 4, "percentage": 75,
       "healthy-teams": 3, "teams": [{"name": "devops", "up": 1, "servers": 1, "healthy": true},
         {"name": "ba", "up": 0, "servers": 1, "healthy": false},
         {"name": "idle", "up": 0, "servers": 0, "healthy": false}],
       "grace-remaining-ms": 0, "reason": "NO FAILOVER: 75% is not below 50%; 3 healthy teams"}})");
}

Output present_status(const Json& status, Form form = Form::kText) {
  return present(Command::kStatus, Json{{"ok", true}, {"status", status}}.dump(), form);
}

TEST_CASE("requests are one line of JSON, and names cannot break out of it") {
  CHECK(request_line(Command::kStatus, "") == R"({"command":"status"})");
  CHECK(request_line(Command::kReload, "") == R"({"command":"reload"})");
  CHECK(request_line(Command::kReload, "60s") == R"({"command":"reload","confirm":"60s"})");
  CHECK(request_line(Command::kConfirm, "") == R"({"command":"confirm"})");
  CHECK(request_line(Command::kExplain, "") == R"({"command":"explain"})");
  CHECK(request_line(Command::kExplain, "a\"\n\xff") ==
        "{\"command\":\"explain\",\"instance\":\"a\\\"\\n\xef\xbf\xbd\"}");
}

TEST_CASE("status is a table of the instances, then HAProxy and its teams") {
  CHECK(present_status(healthy_status()) ==
        Output{kDone,
               "jenkins-vm1, vrrpd 0.1.0\n"
               "\n"
               "INSTANCE  STATE   PRIORITY   INTERFACE  VRID  LAST HEARD  SINCE                 "
               "ADDRESSES\n"
               "VI_MAIN   master  60 of 110  eth0       51    -           2026-01-07T10:15:00Z  "
               "192.168.1.100/24 and 1 more\n"
               "VI_6      backup  100        eth0       6     fe80::1     2026-01-07T10:15:01Z  "
               "2001:db8::1/64\n"
               "\n"
               "Demotions:\n"
               "  VI_MAIN: less 50 for haproxy (25% up)\n"
               "\n"
               "HAProxy: healthy, 3 of 4 servers up (75%), 3 healthy teams\n"
               "  NO FAILOVER: 75% is not below 50%; 3 healthy teams\n"
               "  devops  1/1  up\n"
               "  ba      0/1  down\n"
               "  idle    0/0  not counted\n",
               ""});
}

TEST_CASE("colours mark the state and do not move the columns") {
  Json status = healthy_status();
  status["instances"][1]["state"] = "fault";
  const std::string plain = present_status(status).out;
  std::string coloured = present_status(status, Form::kColouredText).out;

  CHECK(coloured.find("\x1b[32mmaster\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[31mfault\x1b[0m") != std::string::npos);
  CHECK(plain.find('\x1b') == std::string::npos);
  for (const std::string code : {"\x1b[32m", "\x1b[31m", "\x1b[0m"}) {
    for (std::size_t at = 0; (at = coloured.find(code)) != std::string::npos;) {
      coloured.erase(at, code.size());
    }
  }
  CHECK(coloured == plain);
}

TEST_CASE("status --json is the status itself, in its order") {
  const Output output = present_status(healthy_status(), Form::kJson);
  CHECK(output.out == healthy_status().dump(2) + '\n');
  CHECK(output.exit_code == kDone);
}

TEST_CASE("whatever is unhealthy is named and makes the exit code 1, in every form") {
  Json status = healthy_status();
  std::string reason;
  std::string shown;
  SECTION("an instance in fault") {
    status["instances"][1]["state"] = "fault";
    status["instances"][1]["reason"] = "interface eth0 is down";
    shown = "Faults:\n  VI_6: interface eth0 is down\n";
    reason = "VI_6 is in fault: interface eth0 is down";
  }
  SECTION("an alarm") {
    status["instances"][0]["alarms"].push_back({{"kind", "interval-mismatch"},
                                                {"peer", "10.0.0.12"},
                                                {"ours", "1s"},
                                                {"theirs", "2s"},
                                                {"since", "2026-01-07T10:16:00Z"}});
    reason = "VI_MAIN has the alarm interval-mismatch";
    shown =
        "\nAlarms:\n  VI_MAIN: interval-mismatch with 10.0.0.12: ours 1s, theirs 2s, since "
        "2026-01-07T10:16:00Z\n";
  }
  SECTION("an alarm that is about packets only") {
    status["instances"][0]["alarms"].push_back({{"kind", "invalid-packets"},
                                                {"peer", "10.0.0.12"},
                                                {"ours", ""},
                                                {"theirs", "checksum-errors"},
                                                {"since", "2026-01-07T10:16:00Z"}});
    reason = "VI_MAIN has the alarm invalid-packets";
    shown =
        "\nAlarms:\n  VI_MAIN: invalid-packets from 10.0.0.12: checksum-errors, since "
        "2026-01-07T10:16:00Z\n";
  }
  SECTION("an alarm that no other machine is the cause of") {
    status["instances"][0]["alarms"].push_back({{"kind", "address-removed"},
                                                {"peer", nullptr},
                                                {"ours", "10.0.0.1/24"},
                                                {"theirs", "removed by somebody else"},
                                                {"since", "2026-01-07T10:16:00Z"}});
    reason = "VI_MAIN has the alarm address-removed";
    shown =
        "\nAlarms:\n  VI_MAIN: address-removed: 10.0.0.1/24 removed by somebody else, since "
        "2026-01-07T10:16:00Z\n";
  }
  SECTION("HAProxy, once the grace is over") {
    status["haproxy"]["verdict"] = "unhealthy";
    reason = "HAProxy is unhealthy";
  }
  SECTION("a dead HAProxy") {
    status["haproxy"]["verdict"] = "down";
    reason = "HAProxy is down";
  }
  SECTION("a HAProxy that does not answer as it should") {
    status["haproxy"]["alarm"] = "no answer for 2 s";
    reason = "HAProxy: no answer for 2 s";
    shown = "\nAlarms:\n  HAProxy: no answer for 2 s\n";
  }
  for (const Form form : {Form::kText, Form::kColouredText, Form::kJson}) {
    const Output output = present_status(status, form);
    CHECK(output.exit_code == kRefused);
    CHECK(output.err == "vrrpctl: unhealthy: " + reason + '\n');
  }
  CHECK(present_status(status).out.find(shown) != std::string::npos);
}

TEST_CASE("many complaints make one line") {
  Json status = healthy_status();
  status["instances"] = Json::array();
  for (int i = 0; i < 5; ++i) {
    status["instances"].push_back(
        {{"name", "VI_" + std::to_string(i)}, {"state", "fault"}, {"reason", "no link"}});
  }
  CHECK(present_status(status).err ==
        "vrrpctl: unhealthy: VI_0 is in fault: no link; VI_1 is in fault: no link; VI_2 is in "
        "fault: no link; and 2 more\n");
}

TEST_CASE("a running grace period is shown") {
  Json status = healthy_status();
  status["haproxy"]["grace-remaining-ms"] = 12'300;
  CHECK(present_status(status).out.find("  the grace period ends in 12.3 s\n") !=
        std::string::npos);
}

TEST_CASE("unknown fields are ignored, missing and mistyped ones shown as they come") {
  const auto [status, expected] = GENERATE(table<std::string, std::string>({
      {R"({"instances": [{"name": "A", "colour": "red"}], "new": [1]})",
       "-, vrrpd -\n\n"
       "INSTANCE  STATE  PRIORITY  INTERFACE  VRID  LAST HEARD  SINCE  ADDRESSES\n"
       "A         -      -         -          -     -           -      -\n"},
      {R"({"node": "n", "version": "1", "instances": 7, "haproxy": null})",
       "n, vrrpd 1\n\nNo instance is configured.\n"},
      {R"([])", "-, vrrpd -\n\nNo instance is configured.\n"},
      {R"({"node": "a\u001b[2Jb\n", "instances": []})",
       "a?[2Jb?, vrrpd -\n\nNo instance is configured.\n"},
  }));
  CHECK(present_status(Json::parse(status)).out == expected);
}

TEST_CASE("explain prints its sentences") {
  const std::string answer = R"({"ok": true, "explain": ["One.", "Two."]})";
  CHECK(present(Command::kExplain, answer, Form::kText) == Output{kDone, "One.\nTwo.\n", ""});
  CHECK(present(Command::kExplain, answer, Form::kJson) ==
        Output{kDone, "[\n  \"One.\",\n  \"Two.\"\n]\n", ""});
}

TEST_CASE("reload prints the diagnostics, and refusal is exit code 1") {
  CHECK(present(Command::kReload, R"({"ok": true, "diagnostics": ["f:1:1: warning: w"]})",
                Form::kText) == Output{kDone, "reloaded\n", "f:1:1: warning: w\n"});

  const std::string refused = R"({"ok": false, "error": "no", "diagnostics": ["f:1:1: error: e"]})";
  CHECK(present(Command::kReload, refused, Form::kText) ==
        Output{kRefused, "", "f:1:1: error: e\nvrrpctl: refused: no\n"});
  CHECK(present(Command::kReload, refused, Form::kJson) ==
        Output{kRefused, Json::parse(refused).dump(2) + '\n', "vrrpctl: refused: no\n"});
}

TEST_CASE("a refusal of any command is exit code 1 with the reason") {
  const Command command = GENERATE(Command::kStatus, Command::kExplain, Command::kReload);
  CHECK(present(command, R"({"ok": false, "error": "no instance \"X\""})", Form::kText) ==
        Output{kRefused, "", "vrrpctl: refused: no instance \"X\"\n"});
}

TEST_CASE("whatever does not answer like vrrpd is no daemon") {
  const std::string answer = GENERATE(as<std::string>{}, "", "HTTP/1.1 400", "[]", "{}", "\xff");
  const Output output = present(Command::kStatus, answer, Form::kText);
  CHECK(output.exit_code == kNoDaemon);
  CHECK(output.err == "vrrpctl: the answer is not one of vrrpd's\n");
}

TEST_CASE("a reload on trial says what has to be done, and the status how long there is for it") {
  CHECK(present(Command::kReload, R"({"ok":true,"diagnostics":[],"confirm-within-ms":90000})",
                Form::kText) ==
        Output{kDone,
               "reloaded; without `vrrpctl confirm` within 90 s the configuration before it comes "
               "back\n",
               ""});
  CHECK(present(Command::kConfirm, R"({"ok":true})", Form::kText) ==
        Output{kDone, "confirmed\n", ""});
  CHECK(present(Command::kConfirm, R"({"ok":false,"error":"no reload waits"})", Form::kText) ==
        Output{kRefused, "", "vrrpctl: refused: no reload waits\n"});

  Json status = healthy_status();
  const Output without = present_status(status);
  status["pending-confirmation"] = Json{{"remaining-ms", 41'400}};
  const Output with = present_status(status);
  CHECK(with.exit_code == without.exit_code);
  CHECK(with.out == without.out +
                        "\nA reload waits for `vrrpctl confirm`: in 41 s the "
                        "configuration before it comes back.\n");
}

}  // namespace
}  // namespace ha::ctl
