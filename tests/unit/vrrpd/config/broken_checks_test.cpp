// Checks, groups, notifications and what tracks them: values that are wrong or do not fit.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"

using namespace ha::vrrp;

namespace {

/// A good file that tracks check c, whose line 7, from column 6 on, is its map.
[[nodiscard]] std::string check_with(const std::string& map,
                                     const std::string& effect = "demote: 5") {
  return instance_with("track: [{check: c, " + effect + "}]") + "checks:\n  c: {" + map + "}\n";
}

/// A good file whose line 6, from column 5 on, is the content of `notify`.
[[nodiscard]] std::string notify_with(const std::string& map) {
  return instance_with("notify: {" + map + "}");
}

}  // namespace

TEST_CASE("a check watches exactly one thing", "[config]") {
  check_all({
      {check_with("interval: 5s"),
       {"7:6: error: check 'c' needs one of process, tcp, http, unit, script, file, interface"}},
      {check_with("process: a, tcp: \"10.0.0.1:1\""),
       {"7:24: error: check 'c' has both 'process' and 'tcp'"}},
      {check_with("process: a, expect: 200, present: healthy"),
       {"7:27: error: expect is for 'http' only", "7:41: error: present is for 'file' only"}},
      {check_with("proces: a"),
       {"7:6: error: check 'c' needs one of process, tcp, http, unit, script, file, interface",
        "7:7: error: unknown key 'proces'; did you mean 'process'?"}},
      {check_with("interface: eth1, timeout: 1s"),
       {"7:33: error: timeout has no meaning for 'interface', which never waits"}},
      {instance_with("") + "checks: []\n", {"6:9: error: checks has to be a map, not a list"}},
      {instance_with("track: [{check: c, demote: 5}]") + "checks: {c: 5}\n",
       {"6:13: error: check 'c' has to be a map, not a single value"}},
  });
}

TEST_CASE("what a check watches has to be something that can be watched", "[config]") {
  const std::string tcp = "is not ADDRESS:PORT, IPv6 in []";
  const std::string http = "is not ADDRESS[:PORT], IPv6 in []";
  check_all({
      {check_with("process: /usr/sbin/haproxy"),
       {"7:16: error: process '/usr/sbin/haproxy' is a path; with 'match: any' processes are "
        "compared by their name alone"}},
      {check_with("process: a, match: some"),
       {"7:26: error: match 'some' is not any, exact, beginning or initial"}},
      {check_with("process: a, match: any, arguments: [b]"),
       {"7:42: error: arguments have no meaning beside 'match: any'"}},
      {check_with("unit: a.service, arguments: [b]"),
       {"7:35: error: arguments is for 'process' only"}},
      {check_with("process: a, at_least: 3, at_most: 2"),
       {"7:41: error: at_most 2 is less than at_least, 3"}},
      {check_with("process: a, at_least: 65536"),
       {"7:29: error: at_least 65536 is not in 0-65535"}},
      {check_with("tcp: localhost:3306"), {"7:12: error: tcp 'localhost:3306' " + tcp}},
      {check_with("tcp: \"10.0.0.1\""), {"7:12: error: tcp 10.0.0.1 " + tcp}},
      {check_with("tcp: \"::1:80\""), {"7:12: error: tcp ::1:80 " + tcp}},
      {check_with("tcp: \"[::1:80\""), {"7:12: error: tcp '[::1:80' " + tcp}},
      {check_with("tcp: \"[10.0.0.1]:80\""), {"7:12: error: tcp '[10.0.0.1]:80' " + tcp}},
      {check_with("tcp: \"10.0.0.1:65536\""),
       {"7:12: error: tcp 10.0.0.1:65536 has a port that is not in 1-65535"}},
      {check_with("tcp: \"0.0.0.0:80\""),
       {"7:12: error: tcp 0.0.0.0:80 is no address that answers"}},
      {check_with("http: \"https://10.0.0.1/\""),
       {"7:13: error: http 'https://10.0.0.1/' is not http://ADDRESS[:PORT][/PATH] without "
        "blanks"}},
      {check_with("http: \"http://jenkins/\""), {"7:13: error: http 'http://jenkins/' " + http}},
      {check_with("http: \"http://10.0.0.1/a#b\""),
       {"7:13: error: http 'http://10.0.0.1/a#b' has a '#', which is not part of a request"}},
      {check_with("http: \"http://10.0.0.1\", expect: 399-200"),
       {"7:40: error: expect 399-200 is not a status code or a range of them in 100-599"}},
      {check_with("unit: slurmctld"),
       {"7:13: error: unit 'slurmctld' is not the name of a systemd unit such as "
        "slurmctld.service"}},
      {check_with("unit: --help.service"),
       {"7:13: error: unit --help.service is not the name of a systemd unit such as "
        "slurmctld.service"}},
      {check_with("script: check.sh"),
       {"7:15: error: script 'check.sh' is not an absolute path, 1-4095 bytes"}},
      {check_with("script: [check.sh, a]"),
       {"7:16: error: script 'check.sh' is not an absolute path, 1-4095 bytes"}},
      {check_with("script: /bin/check -v"),
       {"7:15: error: script '/bin/check -v' has blanks; arguments are given as a list: [PATH, "
        "ARGUMENT]"}},
      {check_with("script: []"), {"7:15: error: script is an empty list"}},
      {check_with("script: /bin/true, user: a b"),
       {"7:32: error: user 'a b' is not 1-32 printable ASCII characters without blanks"}},
      {check_with("file: /x"), {"7:6: error: 'present' is required"}},
      {check_with("file: x, present: gone"),
       {"7:13: error: file 'x' is not an absolute path, 1-4095 bytes",
        "7:25: error: present 'gone' is not healthy, unhealthy or number"}},
      {check_with("file: /x, present: healthy, create: 1"),
       {"7:43: error: create is for 'present: number' only"}},
      {check_with("file: /x, present: number, create: 1000001"),
       {"7:42: error: create 1000001 is not a whole number in -1000000 to 1000000"}},
      {check_with("interface: a/b"),
       {"7:18: error: interface 'a/b' is not an interface name: 1-15 characters without '/', ':' "
        "and blanks"}},
  });
}

TEST_CASE("how often a check is made and what it takes to believe it has limits", "[config]") {
  check_all({
      {check_with("unit: a.service, interval: 9ms, timeout: 3h"),
       {"7:34: error: interval 9ms is not in 10ms-2h",
        "7:48: error: timeout 3h is not in 10ms-2h"}},
      {check_with("unit: a.service, fall: 0, rise: 10001, recover: 25h, initial: healthy"),
       {"7:30: error: fall 0 is not in 1-10000", "7:39: error: rise 10001 is not in 1-10000",
        "7:55: error: recover 25h is not in 0s-24h",
        "7:69: error: initial 'healthy' is not unknown or unhealthy"}},
  });
}

TEST_CASE("a track names one thing that is watched and one effect that fits it", "[config]") {
  const std::string subject = "track needs one of interface, check, sync";
  const std::string effect = "track needs one of demote, promote, fault, weight";
  check_all({
      {instance_with("track: [{check: c, demote: 5}]"),
       {"5:13: error: track check 'c' is not among 'checks'"}},
      {instance_with("") + "checks: {c: {unit: a.service}}\n",
       {"6:10: warning: check 'c' has no effect: no instance has it in 'track'"}},
      {instance_with("track: [{}]"), {"5:13: error: " + subject, "5:13: error: " + effect}},
      {instance_with("track: [{interface: eth1}]"), {"5:13: error: " + effect}},
      {instance_with("track: [{demote: 5}]"), {"5:13: error: " + subject}},
      {check_with("unit: a.service", "interface: eth1, demote: 5"),
       {"5:21: error: track has both 'interface' and 'check'"}},
      {check_with("unit: a.service", "demote: 5, promote: 5"),
       {"5:44: error: track has both 'demote' and 'promote'"}},
      {check_with("unit: a.service", "demote: 0"), {"5:32: error: demote 0 is not in 1-254"}},
      {check_with("unit: a.service", "promote: 255"), {"5:33: error: promote 255 is not in 1-254"}},
      {check_with("unit: a.service", "fault: false"),
       {"5:31: error: fault false is no effect; give demote or promote instead"}},
      {check_with("unit: a.service", "demote: 5, when: down"),
       {"5:41: error: when 'down' is not healthy or unhealthy"}},
      {check_with("unit: a.service", "weight: 2"),
       {"5:13: error: track check 'c' gives no number that a weight could multiply"}},
      {check_with("file: /x, present: number"),
       {"5:13: error: track check 'c' gives a number: give its 'weight', or 'fault'"}},
      {check_with("file: /x, present: number", "fault: true"), {}},
      {check_with("file: /x, present: number", "weight: -255"),
       {"5:32: error: weight -255 is not a whole number in -254 to 254, without 0"}},
      {check_with("file: /x, present: number", "weight: 0"),
       {"5:32: error: weight 0 is not a whole number in -254 to 254, without 0"}},
      {check_with("file: /x, present: number", "weight: 1, when: healthy"),
       {"5:41: error: when has no meaning beside weight"}},
      {instance_with("track: [{interface: eth1, weight: 2}]"),
       {"5:39: error: weight is for checks that give a number; an interface gives none"}},
      {check_with("unit: a.service", "demote: 1}, {check: c, fault: true"),
       {"5:36: error: track check 'c' is listed twice"}},
      {instance_with("priority: 255\n    track: [{interface: a, fault: true}]"), {}},
  });
}

TEST_CASE("groups are made of known instances, each in one of them", "[config]") {
  check_all({
      {instance_with("") + "groups: [{name: G, instances: [A, B]}, {name: H, instances: [A]}]\n",
       {"6:35: error: instance 'B' is not among 'instances'",
        "6:62: error: instance 'A' is already in group 'G'"}},
      {instance_with("") + "groups: [{name: G, instances: [A]}, {name: G, instances: []}]\n",
       {"6:44: error: name 'G' is already that of a group",
        "6:58: error: instances is an empty list"}},
      {instance_with("") + "groups: [{}]\n",
       {"6:10: error: 'name' is required", "6:10: error: 'instances' is required"}},
      {instance_with("") + "groups: [{name: G, instances: [A], notify: {lower_priority: /x}}]\n",
       {"6:45: error: unknown key 'lower_priority'; known here: master, backup, fault, stop, any, "
        "mail"}},
  });
}

TEST_CASE("notifications are commands", "[config]") {
  check_all({
      {notify_with("master: on-master"),
       {"5:22: error: master 'on-master' is not an absolute path, 1-4095 bytes"}},
      {notify_with("any: /bin/x INSTANCE"),
       {"5:19: error: any '/bin/x INSTANCE' has blanks; arguments are given as a list: [PATH, "
        "ARGUMENT]"}},
      {notify_with("any: {user: a}"), {"5:19: error: 'command' is required"}},
      {notify_with("any: {command: /x, timeout: 2h, user: \"\"}"),
       {"5:42: error: timeout 2h is not in 100ms-1h",
        "5:52: error: user '' is not 1-32 printable ASCII characters without blanks"}},
      {notify_with("priority_changes: 1"),
       {"5:32: error: priority_changes 1 is neither true nor false"}},
      {notify_with("mastr: /x"), {"5:14: error: unknown key 'mastr'; did you mean 'master'?"}},
      {notify_with("mail: true"),
       {"5:20: error: mail needs the section 'mail', with 'to' at least"}},
      {notify_with("mail: false") + "mail: {to: [a@x]}\n",
       {"6:7: warning: mail has no effect: no 'notify' has 'mail: true'"}},
      {notify_with("mail: true") + "mail: {to: [a@x, a b, \"a>\"], from: \"x\\ty\", server: "
                                   "\"10.0.0.1:25\", port: 0, helo: "
                                   "a/b, name: \"\", timeout: 1ms, faults: 1, cc: b}\n",
       {"6:18: error: recipient 'a b' is not a mail address of 1-254 plain characters",
        "6:23: error: recipient 'a>' is not a mail address of 1-254 plain characters",
        "6:36: error: a value with a line break or another control character",
        "6:52: error: server 10.0.0.1:25 is not a host name or an address",
        "6:73: error: port 0 is not in 1-65535",
        "6:82: error: helo 'a/b' is not a host name or an address",
        "6:93: error: name '' is not 1-100 printable ASCII characters",
        "6:106: error: timeout 1ms is not in 1s-600s",
        "6:119: error: faults 1 is neither true nor false",
        "6:122: error: unknown key 'cc'; known here: to, from, server, port, helo, name, timeout, "
        "faults"}},
      {instance_with("") + "notify_fifo: {reader: {command: x, timeout: 1s}}\n",
       {"6:14: error: 'path' is required",
        "6:33: error: command 'x' is not an absolute path, 1-4095 bytes",
        "6:36: error: unknown key 'timeout'; known here: command, user, group"}},
  });
}
