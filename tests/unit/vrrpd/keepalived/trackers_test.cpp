#include <chrono>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;
using namespace ha::vrrp;
using namespace ha::checks;
using Lines = std::vector<std::string>;
using Kind = TrackEffect::Kind;

/// A file whose instance tracks the script `c` with `options`.
std::string script_with(const std::string& lines, const std::string& options = "") {
  return instance_with("track_script { c " + options + " }") + "vrrp_script c {\n" + lines +
         "\n}\n";
}

CheckConfig check_of(const std::string& text, const FakeMachine& machine = {}) {
  return config_of(text, machine).checks.at(0);
}

TrackEffect effect_of(const std::string& text) {
  return *vrrp::effect_of(instance_of(text).tracks.at(0));
}

TEST_CASE("a script becomes a check with keepalived's defaults", "[keepalived]") {
  CHECK(check_of(script_with("script \"killall -0 haproxy\"")) ==
        CheckConfig{"c", ScriptProbe{{{"/usr/bin/killall", "-0", "haproxy"}, "root", "", 1s}}, 1s,
                    1s, 1, 1, 0s, Initial::kUnknown});
  CHECK(check_of(script_with("script \"/x 'a b' c\"\ninterval 2.5\ntimeout 1\nfall 3\nrise 4\n"
                             "user ops adm\ninit_fail")) ==
        CheckConfig{"c", ScriptProbe{{{"/x", "a b", "c"}, "ops", "adm", 1s}}, 2500ms, 1s, 3, 4, 0s,
                    Initial::kUnknown});
  CHECK(check_of(script_with("script /x\ninterval 5")).timeout == 5s);
}

TEST_CASE("a script runs as script_user, as keepalived_script where there is one, or as root",
          "[keepalived]") {
  const auto command = [](const std::string& globals, const FakeMachine& machine) {
    const CheckConfig check =
        check_of(script_with("script /x") + "global_defs {\n" + globals + "\n}\n", machine);
    return std::get<ScriptProbe>(check.probe).command;
  };
  FakeMachine with_account;
  with_account.accounts = {"keepalived_script"};
  CHECK(command("", {}).user == "root");
  CHECK(command("", with_account).user == "keepalived_script");
  CHECK(command("script_user ops adm", with_account).user == "ops");
  CHECK(command("script_user ops adm", with_account).group == "adm");
}

TEST_CASE("a script's weight adds while it is well, subtracts while it is not, or is a fault",
          "[keepalived]") {
  CHECK(effect_of(script_with("script /x")) == TrackEffect{Kind::kFault, 0, false});
  CHECK(effect_of(script_with("script /x\nweight 2")) == TrackEffect{Kind::kPromote, 2, true});
  CHECK(effect_of(script_with("script /x\nweight -20")) == TrackEffect{Kind::kDemote, 20, false});
  CHECK(effect_of(script_with("script /x\nweight 2", "weight -3")) ==
        TrackEffect{Kind::kDemote, 3, false});
  CHECK(effect_of(script_with("script /x\nweight 2 reverse")) ==
        TrackEffect{Kind::kDemote, 2, true});
  CHECK(effect_of(script_with("script /x\nweight -2", "weight -3 reverse")) ==
        TrackEffect{Kind::kPromote, 3, false});
  CHECK(effect_of(script_with("script /x", "weight 0 reverse")) ==
        TrackEffect{Kind::kFault, 0, true});
}

TEST_CASE("what is wrong with a script is said", "[keepalived]") {
  CHECK(
      diagnose(script_with("script \"pidof haproxy\"")) ==
      Lines{"7: warning: 'pidof' is not a program on this machine; '/usr/bin/pidof' is tried, and "
            "fails until it is there"});
  CHECK(
      diagnose(script_with("script /x -a")) ==
      Lines{
          "7: note: script takes one word, in quotes if it has arguments; the rest of the line is "
          "left out, as by keepalived"});
  CHECK(diagnose(script_with("script \"/x 'a\"")) ==
        Lines{"6: error: 'c' does not say what it looks at",
              "7: error: 'script' needs a command whose quotes are closed"});
  CHECK(diagnose(script_with("script /x\nweight 254\nfall 0\nrise x\ninterval 0")) ==
        Lines{"8: error: weight 254 is not a whole number in -253 to 253",
              "9: error: fall 0 is not a whole number in 1 to 999999999",
              "10: error: rise 'x' is not a whole number in 1 to 999999999",
              "11: error: interval 0 is not a number of seconds in 0.001-4294"});
  CHECK(diagnose(instance_with("track_script {\nnope\n}")) ==
        Lines{"5: warning: 'nope' is not defined; it is left out, as by keepalived"});
  CHECK(diagnose(instance_with("") + "vrrp_script c {\nscript /x\n}\n") ==
        Lines{"6: note: 'c' is not tracked and left out"});
}

TEST_CASE("an interface is tracked by its link", "[keepalived]") {
  const auto tracks =
      instance_of(instance_with("track_interface {\neth0\neth1 weight 10\neth2 weight "
                                "-10\n}"))
          .tracks;
  CHECK(tracks == std::vector<Track>{TrackInterface{"eth0", {Kind::kFault, 0, false}},
                                     TrackInterface{"eth1", {Kind::kPromote, 10, true}},
                                     TrackInterface{"eth2", {Kind::kDemote, 10, false}}});
}

TEST_CASE("a tracked file's number is multiplied by the weight", "[keepalived]") {
  const auto file = [](const std::string& lines, const std::string& options) {
    return instance_with("track_file { f " + options + " }") + "track_file f {\n" + lines + "\n}\n";
  };
  CHECK(check_of(file("file /run/f", "")) ==
        CheckConfig{"f", FileProbe{"/run/f", FileProbe::Present::kNumber}, 1s, 1s, 1, 1, 0s,
                    Initial::kUnknown});
  CHECK(effect_of(file("file /run/f", "")) == TrackEffect{Kind::kWeight, 1, false});
  CHECK(effect_of(file("file /run/f\nweight -254", "")) == TrackEffect{Kind::kWeight, -254, false});
  CHECK(effect_of(file("file /run/f", "weight 2 reverse")) ==
        TrackEffect{Kind::kWeight, -2, false});
  CHECK(effect_of(file("file /run/f\nweight 0", "")) == TrackEffect{Kind::kFault, 0, false});
  CHECK(effect_of(file("file /run/f\nweight 0", "reverse")) == TrackEffect{Kind::kFault, 0, true});
}

TEST_CASE("a tracked file is made at the start where init_file says so", "[keepalived]") {
  const auto made = [](const std::string& line) {
    const std::string text =
        instance_with("track_file { f }") + "track_file f {\nfile /run/f\n" + line + "\n}\n";
    return std::pair{std::get<FileProbe>(check_of(text).probe).create, diagnose(text)};
  };
  CHECK(made("") == std::pair{std::optional<int>{}, Lines{}});
  CHECK(made("init_file") == std::pair{std::optional{0}, Lines{}});
  CHECK(made("init_file -7") == std::pair{std::optional{-7}, Lines{}});
  CHECK(
      made("init_file 3 overwrite") ==
      std::pair{std::optional{3}, Lines{"8: warning: init_file overwrite: a file that is there is "
                                        "kept"}});
  CHECK(diagnose(instance_with("track_file { f }") +
                 "track_file f {\nfile /run/f\ninit_file x\n}\n") ==
        Lines{"8: error: init_file 'x' is not a whole number in -1000000 to 1000000"});
}

TEST_CASE("a tracked process is counted by its command line where that is asked for",
          "[keepalived]") {
  using Match = ProcessProbe::Match;
  const auto probe = [](const std::string& lines) {
    return std::get<ProcessProbe>(check_of(instance_with("track_process { p }") +
                                           "vrrp_track_process p {\n" + lines + "\n}\n")
                                      .probe);
  };
  CHECK(probe("process /sbin/x -a \"b c\"") ==
        ProcessProbe{"/sbin/x", 1, 65535, Match::kExact, {"-a", "b c"}});
  CHECK(probe("param_match partial\nprocess x -a") ==
        ProcessProbe{"x", 1, 65535, Match::kBeginning, {"-a"}});
  CHECK(probe("process x -a\nparam_match initial") ==
        ProcessProbe{"x", 1, 65535, Match::kInitial, {"-a"}});
  // Then it must have no arguments.
  CHECK(probe("process x\nparam_match initial") ==
        ProcessProbe{"x", 1, 65535, Match::kInitial, {}});
  CHECK(probe("process /sbin/x\nfull_command") ==
        ProcessProbe{"/sbin/x", 1, 65535, Match::kBeginning, {}});
  CHECK(diagnose(instance_with("track_process { p }") +
                 "vrrp_track_process p {\nprocess x\nparam_match most\n}\n") ==
        Lines{"8: error: param_match 'most' is not exact, partial or initial"});
}

TEST_CASE("a tracked process may come and go for as long as its delays say", "[keepalived]") {
  const auto delays = [](const std::string& lines) {
    const CheckConfig check = check_of(instance_with("track_process { p }") +
                                       "vrrp_track_process p {\nprocess x\n" + lines + "\n}\n");
    return std::pair{check.recover, check.grace};
  };
  CHECK(delays("fork_delay 1") == std::pair<Duration, Duration>{1s, 0s});
  CHECK(delays("terminate_delay 1.5") == std::pair<Duration, Duration>{0s, 1500ms});
  CHECK(delays("delay 2") == std::pair<Duration, Duration>{2s, 2s});
}

TEST_CASE("a tracked process is counted by name", "[keepalived]") {
  const std::string text =
      instance_with("track_process { p }") +
      "vrrp_track_process p {\nprocess /usr/sbin/haproxy\nquorum 2\nquorum_max "
      "9\nfork_delay 3\nweight -7\n}\n";
  CHECK(check_of(text) ==
        CheckConfig{"p", ProcessProbe{"haproxy", 2, 9}, 1s, 1s, 1, 1, 3s, Initial::kUnknown});
  CHECK(effect_of(text) == TrackEffect{Kind::kDemote, 7, false});
  CHECK(diagnose(text) == Lines{"7: note: process '/usr/sbin/haproxy' is looked for by its name, "
                                "'haproxy'"});
}

TEST_CASE("a script and a process of the same name stay apart", "[keepalived]") {
  const Config config =
      config_of(instance_with("track_script { x }\ntrack_process { x }") +
                "vrrp_script x {\nscript /x\n}\nvrrp_track_process x {\nprocess haproxy\n}\n");
  REQUIRE(config.checks.size() == 2);
  CHECK(config.checks[0].name == "x");
  CHECK(config.checks[1].name == "x_process");
  CHECK(std::get<TrackCheck>(config.instances[0].tracks.at(1)).check == "x_process");
}

TEST_CASE("a group shares its trackers, and takes the weights of its members away",
          "[keepalived]") {
  const std::string rest =
      instance_with("track_script {\nc weight 5\nd\n}") +
      "vrrp_script c {\nscript /c\n}\nvrrp_script d {\nscript /d\nweight 3\n}\n"
      "vrrp_script e {\nscript /e\n}\n";
  const auto group = [&](const std::string& lines) {
    return instance_of(rest + "vrrp_sync_group G {\ngroup { A }\ntrack_script { e }\n" + lines +
                       "\n}\n")
        .tracks;
  };
  CHECK(group("") == std::vector<Track>{TrackCheck{"e", {Kind::kFault, 0, false}}});
  CHECK(group("sync_group_tracking_weight") ==
        std::vector<Track>{TrackCheck{"e", {Kind::kFault, 0, false}},
                           TrackCheck{"c", {Kind::kPromote, 5, true}},
                           TrackCheck{"d", {Kind::kPromote, 3, true}}});
}

TEST_CASE("a group is its members, in lines or in one", "[keepalived]") {
  const std::string two =
      instance_with("") +
      "vrrp_instance B {\nvirtual_router_id 2\nvirtual_ipaddress { 10.0.0.8 }\n}\n";
  const auto groups = config_of(two + "vrrp_sync_group G {\ngroup {\nA B\n}\nnotify \"/n a\"\n}\n");
  REQUIRE(groups.groups.size() == 1);
  CHECK(groups.groups[0].name == "G");
  CHECK(groups.groups[0].instances == Lines{"A", "B"});
  CHECK(groups.groups[0].notify.any == Command{{"/n", "a"}, "", "", 30s});
  CHECK(diagnose(two + "vrrp_sync_group G {\ngroup {\nA\nC\n}\n}\n") ==
        Lines{"10: warning: 'C' is no vrrp_instance; the group goes without it, as in keepalived"});
  CHECK(diagnose(two + "vrrp_sync_group G {\ngroup { C }\n}\n").size() == 2);
}

TEST_CASE("notify commands keep their arguments, user and group", "[keepalived]") {
  const NotifyConfig notify =
      instance_of(instance_with("notify_master \"/m a 'b c'\" ops adm\nnotify_backup /b\n"
                                "notify_fault /f\nnotify_stop /s\nnotify \"/any x\"\n"
                                "notify_master_rx_lower_pri /l\nnotify_priority_changes"))
          .notify;
  CHECK(notify.master == Command{{"/m", "a", "b c"}, "ops", "adm", 30s});
  CHECK(notify.backup == Command{{"/b"}, "", "", 30s});
  CHECK(notify.fault == Command{{"/f"}, "", "", 30s});
  CHECK(notify.stop == Command{{"/s"}, "", "", 30s});
  CHECK(notify.any == Command{{"/any", "x"}, "", "", 30s});
  CHECK(notify.lower_priority == Command{{"/l"}, "", "", 30s});
  CHECK(notify.priority_changes);
}

TEST_CASE("the pipe for VRRP goes before the one for all", "[keepalived]") {
  CHECK(config_of(globals_with("notify_fifo /run/f\nnotify_fifo_script \"/r a\"")).notify_fifo ==
        NotifyFifo{"/run/f", Command{{"/r", "a"}, "", "", 0s}});
  CHECK(config_of(globals_with("notify_fifo /run/f\nvrrp_notify_fifo /run/v")).notify_fifo ==
        NotifyFifo{"/run/v", {}});
  CHECK(diagnose(globals_with("notify_fifo /run/f\nvrrp_notify_fifo /run/v")) ==
        Lines{"warning: notify_fifo '/run/f' is left out: there is one pipe, '/run/v'"});
}

TEST_CASE("a script that others may write to is warned of, since it will not be run",
          "[keepalived]") {
  FakeMachine machine;
  machine.untrusted[{"/x/check", "root"}] = "/x is writable by everybody";
  machine.untrusted[{"/x/notify", "jim"}] = "/x is writable by everybody";
  CHECK(diagnose("vrrp_script c {\nscript \"/x/check\"\n}\n" +
                     instance_with("track_script { c }\nnotify \"/x/notify\" jim"),
                 machine) ==
        std::vector<std::string>{
            "1: warning: '/x/check' will not be run: /x is writable by everybody; keepalived runs "
            "it unless enable_script_security is set",
            "4: warning: '/x/notify' will not be run: /x is writable by everybody; keepalived runs "
            "it unless enable_script_security is set"});
}

}  // namespace
}  // namespace ha::keepalived
