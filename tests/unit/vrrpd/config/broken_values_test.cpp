// Values that are wrong by themselves or do not fit each other.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"

using namespace ha::vrrp;

TEST_CASE("what a machine has besides its instances is refused where it says nothing sensible",
          "[config]") {
  const auto file = [](const std::string& lines) {
    return instance_with("") + "static:\n" + lines + "\n";
  };
  check_all({
      {file("  addresses: [10.9.0.1/24]"),
       {"7:15: error: address has to be a map, not a single value"}},
      {file("  addresses: [{address: 10.9.0.1/24}]"), {"7:15: error: 'interface' is required"}},
      {file("  addresses: [{address: x, interface: eth1, advertise: true}]"),
       {"7:25: error: address 'x' is not an IPv4 or IPv6 address",
        "7:45: error: unknown key 'advertise'; known here: address, interface, label, "
        "noprefixroute, scope, broadcast"}},
      {file("  addresses: [{address: \"fd77::1\", interface: eth1, broadcast: 10.0.0.255}]"),
       {"7:64: error: broadcast is for IPv4 only"}},
      {file("  addresses: [{address: 10.9.0.1, interface: eth1, broadcast: \"fd77::1\"}]"),
       {"7:63: error: broadcast fd77::1 is not an IPv4 address"}},
      {file("  routes: [nowhere]"),
       {"7:12: error: routes 'nowhere' has 'nowhere', which is neither an option that is supported "
        "nor an address or network"}},
      {file("  addresses: [{address: 10.0.0.1/24, interface: eth1}]"),
       {"7:3: warning: static address 10.0.0.1 is also a virtual one, of instance 'A'"}},
  });
}

TEST_CASE("names that logs, the kernel or HAProxy could not carry are refused", "[config]") {
  const std::string long_name(65, 'x');
  check_all({
      {"node: my host\n" + instance_with(""),
       {"1:7: error: node 'my host' is not 1-64 printable ASCII characters without blanks"}},
      {"instances: [{name: " + long_name + ", vrid: 1, addresses: [10.0.0.1]}]\n",
       {"1:20: error: name '" + std::string(60, 'x') +
        "…' is not 1-64 printable ASCII characters without blanks"}},
      {instance_with("interface: eth0:1"),
       {"5:16: error: interface 'eth0:1' is not an interface name: 1-15 characters without '/', "
        "':' and blanks"}},
      {instance_with("interface: sixteen-letters-"),
       {"5:16: error: interface 'sixteen-letters-' is not an interface name: 1-15 characters "
        "without '/', ':' and "
        "blanks"}},
      {instance_with("") + "control: {socket: control.sock, group: a b}\n",
       {"6:19: error: socket 'control.sock' is not the absolute path of a Unix socket, 1-107 bytes",
        "6:40: error: group 'a b' is not 1-32 printable ASCII characters without blanks"}},
      {haproxy_with("teams: {a b: [x], c: [\"y z\"], d: []}"),
       {"7:11: error: team 'a b' is not 1-64 printable ASCII characters without blanks",
        "7:25: error: backend 'y z' is not a name of HAProxy: 1-255 letters, digits and '-_.:'",
        "7:36: error: team 'd' is an empty list"}},
  });
}

TEST_CASE("numbers and words outside their range are refused with the range", "[config]") {
  check_all({
      {"instances: [{name: A, vrid: 0, addresses: [10.0.0.1]}]\n",
       {"1:29: error: vrid 0 is not in 1-255"}},
      {"instances: [{name: A, vrid: 256, addresses: [10.0.0.1]}]\n",
       {"1:29: error: vrid 256 is not in 1-255"}},
      {instance_with("priority: 300"), {"5:15: error: priority 300 is not in 1-255"}},
      {instance_with("priority: 0"), {"5:15: error: priority 0 is not in 1-255"}},
      {instance_with("priority: -5"), {"5:15: error: priority -5 is not in 1-255"}},
      {instance_with("priority: 99999999999999999999"),
       {"5:15: error: priority 99999999999999999999 is not in 1-255"}},
      {instance_with("priority: high"),
       {"5:15: error: priority 'high' is not a whole number in 1-255"}},
      {instance_with("version: 4"), {"5:14: error: version 4 is not 2 or 3"}},
      {instance_with("minimum_ttl: 256"), {"5:18: error: minimum_ttl 256 is not in 1-255"}},
      {instance_with("checksum: both"),
       {"5:15: error: checksum 'both' is not auto, pseudo-header or message-only"}},
      {instance_with("gratuitous_arp: {repeat: 256, form: loud}"),
       {"5:30: error: repeat 256 is not in 0-255",
        "5:41: error: form 'loud' is not request, reply or both"}},
      {instance_with("gratuitous_arp: {conflict_repeat: 256}"),
       {"5:39: error: conflict_repeat 256 is not in 0-255"}},
      {instance_with("track: [{interface: eth1, demote: 255}]"),
       {"5:39: error: demote 255 is not in 1-254"}},
      {instance_with("") + "log: {level: loud, format: xml}\n",
       {"6:14: error: level 'loud' is not debug, info, warning or error",
        "6:28: error: format 'xml' is not text or json"}},
      {haproxy_with("stats: https://127.0.0.1:8404/stats"),
       {"7:10: error: stats 'https://127.0.0.1:8404/stats' is https; use http on a loopback "
        "address, or the Unix socket"}},
      {haproxy_with("stats: http://127.0.0.1:8404/stats\n  events: ev"),
       {"8:11: error: events needs a Unix socket in 'stats': a page has none"}},
      {haproxy_with("events: a b"),
       {"7:11: error: events 'a b' is not a name of HAProxy: 1-255 letters, digits and '-_.:'"}},
      {haproxy_with("credentials_file: /etc/x"),
       {"7:21: error: credentials_file needs a URL in 'stats': a socket has none"}},
      {haproxy_with("stats: http://127.0.0.1/s\n  credentials_file: x"),
       {"8:21: error: credentials_file 'x' is not an absolute path of 1-4095 bytes"}},
      {haproxy_with("threshold: 50"),
       {"7:14: error: threshold 50 is not a percentage such as 50%"}},
      {haproxy_with("threshold: 101%"),
       {"7:14: error: threshold 101% is not a whole number in 0%-100%"}},
      {haproxy_with("quorum: 1001"), {"7:11: error: quorum 1001 is not in 0-1000"}},
      {haproxy_with("combine: xor"), {"7:12: error: combine 'xor' is not and or or"}},
      {haproxy_with("servers: mine"),
       {"7:12: error: servers 'mine' is not local, all or {match: EXPRESSION}"}},
      {haproxy_with("demote: {unhealthy: 255, down: x}"),
       {"7:23: error: unhealthy 255 is not in 0-254",
        "7:34: error: down 'x' is not a whole number in 0-254"}},
  });
}

TEST_CASE("durations need a unit and have a range", "[config]") {
  const std::string v3 = "in 10ms-40.95s in steps of 10ms (version 3)";
  const std::string v2 = "in 1s-255s in whole seconds (version 2)";
  check_all({
      {instance_with("advertisement_interval: 1"),
       {"5:29: error: advertisement_interval 1 has no unit: ms, s, m or h (range 10ms-40.95s in "
        "steps of 10ms "
        "(version 3))"}},
      {instance_with("advertisement_interval: 5ms"),
       {"5:29: error: advertisement_interval 5ms is not " + v3}},
      {instance_with("advertisement_interval: 15ms"),
       {"5:29: error: advertisement_interval 15ms is not " + v3}},
      {instance_with("advertisement_interval: 40.96s"),
       {"5:29: error: advertisement_interval 40.96s is not " + v3}},
      {instance_with("version: 2\n    advertisement_interval: 100ms"),
       {"6:29: error: advertisement_interval 100ms is not " + v2}},
      {instance_with("version: 2\n    advertisement_interval: 1.5s"),
       {"6:29: error: advertisement_interval 1.5s is not " + v2}},
      {instance_with("version: 2\n    advertisement_interval: 256s"),
       {"6:29: error: advertisement_interval 256s is not " + v2}},
      // Without a version nothing is known about the range.
      {instance_with("version: x\n    advertisement_interval: 100m"),
       {"5:14: error: version 'x' is not 2 or 3"}},
      {instance_with("preempt_delay: 2h"), {"5:20: error: preempt_delay 2h is not in 0s-1h"}},
      {instance_with("preempt_delay: soon"),
       {"5:20: error: preempt_delay 'soon' is not a duration such as 1s or 250ms (range 0s-1h)"}},
      {instance_with("gratuitous_arp: {second_burst_delay: 61m, refresh: 999ms}"),
       {"5:42: error: second_burst_delay 61m is not in 0s-1h",
        "5:56: error: refresh 999ms is not in 0s, or 1s-24h"}},
      {instance_with("gratuitous_arp: {conflict_delay: 61m, spacing: 1001ms}"),
       {"5:38: error: conflict_delay 61m is not in 0s-1h or auto",
        "5:52: error: spacing 1001ms is not in 0s-1s"}},
      {instance_with("") + "startup_delay: 3h\n",
       {"6:16: error: startup_delay 3h is not in 0s-2h"}},
      {instance_with("lease: 61m"), {"5:12: error: lease 61m is not in 1s-1h, auto or off"}},
      {instance_with("lease: never"),
       {"5:12: error: lease 'never' is not a duration such as 1s or 250ms (range 1s-1h), auto or "
        "off"}},
      {instance_with("lease: 3.5s"), {"5:12: error: lease 3.5s is not whole seconds"}},
      {instance_with("lease: 2s"),
       {"5:12: error: lease 2s is shorter than 3 advertisement intervals (3s)"}},
      {haproxy_with("interval: 99ms"), {"7:13: error: interval 99ms is not in 100ms-1h"}},
      {haproxy_with("timeout: 61s"), {"7:12: error: timeout 61s is not in 10ms-60s"}},
      {haproxy_with("grace: 25h\n  recover: 1d"),
       {"7:10: error: grace 25h is not in 0s-24h",
        "8:12: error: recover 1d is not a duration such as 1s or 250ms (range 0s-24h)"}},
      {haproxy_with("stale_after: 1s"),
       {"7:16: error: stale_after 1s is less than interval plus timeout, 1500ms"}},
      {haproxy_with("interval: 10s"),
       {"7:13: error: stale_after 5s is less than interval plus timeout, 10500ms"}},
      {haproxy_with("timeout: 5s"),
       {"7:12: error: stale_after 5s is less than interval plus timeout, 6s"}},
  });
}

TEST_CASE("addresses that no machine can have are refused", "[config]") {
  const auto address = [](const std::string& text) {
    return instance_without_addresses_with("addresses: [" + text + "]");
  };
  check_all({
      {address("10.0.0.256"), {"4:17: error: address 10.0.0.256 is not an IPv4 or IPv6 address"}},
      {address("010.0.0.1"), {"4:17: error: address 010.0.0.1 is not an IPv4 or IPv6 address"}},
      {address("vip.example"),
       {"4:17: error: address 'vip.example' is not an IPv4 or IPv6 address"}},
      {address("10.0.0.1/33"),
       {"4:17: error: address 10.0.0.1/33 has a prefix length that is not in 1-32"}},
      {address("10.0.0.1/0"),
       {"4:17: error: address 10.0.0.1/0 has a prefix length that is not in 1-32"}},
      {address("fe80::1/129"),
       {"4:17: error: address fe80::1/129 has a prefix length that is not in 1-128"}},
      {address("0.0.0.0"), {"4:17: error: address 0.0.0.0 is the unspecified address"}},
      {address("224.0.0.1"), {"4:17: error: address 224.0.0.1 is a multicast address"}},
      {address("127.0.0.1"), {"4:17: error: address 127.0.0.1 is a loopback address"}},
      {address("255.255.255.255"),
       {"4:17: error: address 255.255.255.255 is the broadcast address"}},
      {address("\"::ffff:10.0.0.1\""),
       {"4:17: error: address ::ffff:10.0.0.1 is an IPv4 address in IPv6 form"}},
      {address("fe80::1%lo"),
       {"4:17: error: address 'fe80::1%lo' names a zone; the interface has a key of its own"}},
      {address("{interface: eth1}"), {"4:17: error: 'address' is required"}},
      {address("10.0.0.1, ~"), {"4:16: error: address has no value"}},
      {address("10.0.0.1, [a]"), {"4:27: error: address has to be a single value, not a list"}},
      {address("{address: 10.0.0.1, advertise: on}"),
       {"4:48: error: advertise 'on' is neither true nor false"}},
      {instance_without_addresses_with("addresses: 10.0.0.1"),
       {"4:16: error: addresses has to be a list, not a single value"}},
  });
}

TEST_CASE("addresses that do not fit together are refused", "[config]") {
  std::string most = "addresses: [";
  for (int i = 1; i < 256; ++i) most += "10.0." + std::to_string(i) + ".1, ";
  const std::string many = most + "10.0.0.1, ";
  check_all({
      {instance_without_addresses_with("addresses: [10.0.0.1, 2001:db8::1]"),
       {"4:27: error: address 2001:db8::1/128 is IPv6, but the first one is IPv4: one family an "
        "instance"}},
      {instance_without_addresses_with("version: 2\n    addresses: [fe80::1]\n    interface: a"),
       {"5:17: error: address fe80::1/128 is IPv6, which version 2 does not carry"}},
      {instance_without_addresses_with("addresses: [10.0.0.1/24, 10.0.0.1]"),
       {"4:30: error: address 10.0.0.1 is already that of instance 'A' at line 2"}},
      {instance_without_addresses_with("addresses: [{address: 10.0.0.1, advertise: false}]"),
       {"4:16: error: addresses has no advertised one; receivers ignore an advertisement without "
        "any"}},
      {instance_without_addresses_with(many + "]"),
       {"4:16: error: addresses has 256 advertised ones; an advertisement carries 255"}},
      {instance_without_addresses_with("addresses: [fe80::1/64]"),
       {"4:16: error: addresses has link-local ones only, which say nothing about the interface: "
        "'interface' is "
        "required"}},
      {instance_without_addresses_with(many + "{address: 10.1.0.1, advertise: false}]"),
       {"4:16: error: addresses has 256 advertised ones; an advertisement carries 255"}},
      {instance_without_addresses_with(most + "{address: 10.1.0.1, advertise: false}]"), {}},
      {instance_without_addresses_with(
           "addresses: [2001:db8::1, {address: fe80::1, advertise: false}]"),
       {"4:16: warning: no advertised address is link-local; the first one has to be (RFC 9568 "
        "section 5.2.9), and strict routers ignore the advertisements"}},
      {instance_without_addresses_with("addresses: [2001:db8::1/64]"),
       {"4:16: warning: no advertised address is link-local; the first one has to be (RFC 9568 "
        "section 5.2.9), and "
        "strict routers ignore the advertisements"}},
  });
}

TEST_CASE("labels are the interface's name with or without a word", "[config]") {
  const auto label = [](const std::string& text, const std::string& more = "") {
    return instance_without_addresses_with("interface: eth0\n    addresses: [{label: " + text +
                                           ", address: 10.0.0.1" + more + "}]");
  };
  check_all({
      {label("\"eth1:vip\""),
       {"5:25: error: label 'eth1:vip' does not start with the interface's name 'eth0'"}},
      {label("eth0x"),
       {"5:25: error: label 'eth0x' does not start with the interface's name 'eth0'"}},
      {label("\"eth0:vip\"", ", interface: eth1"),
       {"5:25: error: label 'eth0:vip' does not start with the interface's name 'eth1'"}},
      {label("\"eth0:567890123456\""),
       {"5:25: error: label 'eth0:567890123456' is not INTERFACE or INTERFACE:WORD, at most 15 "
        "bytes"}},
      {label("\"eth0:a b\""),
       {"5:25: error: label 'eth0:a b' is not INTERFACE or INTERFACE:WORD, at most 15 bytes"}},
      {instance_without_addresses_with(
           "interface: eth0\n    addresses: [{address: fe80::1, label: eth0}]"),
       {"5:43: error: label is for IPv4 only"}},
      {label("eth0"), {}},
      {label("\"eth0:vip\""), {}},
      {label("\"eth1:vip\"", ", interface: eth1"), {}},
  });
}

TEST_CASE("peers, source and group have to fit the instance", "[config]") {
  const std::string v6 = "interface: eth0\n    addresses: [fe80::1]\n    ";
  check_all({
      {instance_with("unicast_peers: []"), {"5:20: error: unicast_peers is an empty list"}},
      {instance_with("unicast_peers: [10.0.0.2, 10.0.0.2, 10.0.0.1, 224.0.0.18, fe80::2, x]"),
       {"5:31: error: peer 10.0.0.2 is listed twice",
        "5:41: error: peer 10.0.0.1 is one of the virtual addresses",
        "5:51: error: peer 224.0.0.18 is a multicast address",
        "5:63: error: peer fe80::2 is not IPv4 as the instance's addresses are",
        "5:72: error: peer 'x' is not an IPv4 or IPv6 address"}},
      {instance_with("source_address: 10.0.0.1"),
       {"5:21: error: source_address 10.0.0.1 is one of the virtual addresses"}},
      {instance_with("priority: 255\n    source_address: 10.0.0.1"), {}},
      {instance_with("source_address: 10.0.0.2\n    unicast_peers: [10.0.0.2]"),
       {"5:21: error: source_address 10.0.0.2 is also one of unicast_peers"}},
      {instance_with("source_address: fe80::2"),
       {"5:21: error: source_address fe80::2 is not IPv4 as the instance's addresses are"}},
      {instance_without_addresses_with(v6 + "source_address: 2001:db8::2"),
       {"6:21: error: source_address 2001:db8::2 is not link-local, as multicast over IPv6 demands "
        "(RFC 9568 section "
        "5.1.2.1)"}},
      {instance_without_addresses_with(
           v6 + "source_address: 2001:db8::2\n    unicast_peers: [2001:db8::3]"),
       {}},
      {instance_with("multicast_group: 10.0.0.9"),
       {"5:22: error: multicast_group 10.0.0.9 is not a multicast address"}},
      {instance_with("multicast_group: ff02::12"),
       {"5:22: error: multicast_group ff02::12 is not IPv4 as the instance's addresses are"}},
  });
}

TEST_CASE("what a version or family does not have is refused", "[config]") {
  const std::string v6 = "interface: eth0\n    addresses: [fe80::1]\n    ";
  check_all({
      {instance_with("authentication: {type: pass, password: abc}"),
       {"5:21: error: authentication needs version 2; version 3 has none (RFC 9568 section 9)"}},
      {instance_with("version: 2\n    authentication: {type: ah, password: abc}"),
       {"6:28: error: type 'ah' is not pass"}},
      {instance_with("version: 2\n    authentication: {type: pass, password: ninechars}"),
       {"6:44: error: password has 9 bytes, not 1-8"}},
      {instance_with("version: 2\n    authentication: {type: pass, password: \"\"}"),
       {"6:44: error: password has 0 bytes, not 1-8"}},
      {instance_with("version: 2\n    checksum: message-only"),
       {"6:15: error: checksum message-only is for version 3 over IPv4 only"}},
      {instance_without_addresses_with(v6 + "checksum: pseudo-header"),
       {"6:15: error: checksum pseudo-header is for version 3 over IPv4 only"}},
      {instance_without_addresses_with(v6 + "gratuitous_arp: {form: reply}"),
       {"6:28: error: form reply is for IPv4 only"}},
  });
}

TEST_CASE("regular expressions have to compile, and that of the teams has to name them",
          "[config]") {
  check_all({
      {haproxy_with("teams: \"a(\""),
       {"7:10: error: teams 'a(' is not a valid regular expression (ECMAScript)"}},
      {haproxy_with("teams: jenkins_.+"),
       {"7:10: error: teams 'jenkins_.+' has no group '(…)' that names the team"}},
      {haproxy_with("teams: \"(" + std::string(255, 'a') + ")\""),
       {"7:10: error: teams '(" + std::string(59, 'a') +
        "…' is not a regular expression of 1-256 bytes"}},
      {haproxy_with("teams: {}"), {"7:10: error: teams is an empty map"}},
      {haproxy_with("teams: {a: [x], b: [x]}"),
       {"7:23: error: backend 'x' is already one of team 'a'"}},
      {haproxy_with("servers: {match: \"[\"}"),
       {"7:20: error: match '[' is not a valid regular expression (ECMAScript)"}},
  });
}

TEST_CASE("HTTP listens on an address and a port, or not at all", "[config]") {
  const auto http = [](const std::string& value) { return instance_with("") + "http: " + value; };
  const std::string form = " is not off, ADDRESS:PORT or [IPV6-ADDRESS]:PORT";
  check_all({
      {http("off\n"), {}},
      {http("{listen: off}\n"), {}},
      {http("{listen: \"0.0.0.0:9650\"}\n"), {}},
      {http("{listen: \"[::1]:9650\"}\n"), {}},
      {http("on\n"), {"6:7: error: http 'on' is not off or {listen: ADDRESS:PORT}"}},
      {http("{}\n"), {"6:7: error: 'listen' is required"}},
      {http("{listen: 9650}\n"), {"6:16: error: listen 9650" + form}},
      {http("{listen: \"::1:9650\"}\n"), {"6:16: error: listen ::1:9650" + form}},
      {http("{listen: \"[127.0.0.1]:80\"}\n"), {"6:16: error: listen '[127.0.0.1]:80'" + form}},
      {http("{listen: \"224.0.0.1:80\"}\n"), {"6:16: error: listen 224.0.0.1:80" + form}},
      {http("{listen: \"localhost:80\"}\n"), {"6:16: error: listen 'localhost:80'" + form}},
      {http("{listen: \"127.0.0.1:0\"}\n"),
       {"6:16: error: listen 127.0.0.1:0 has a port that is not in 1-65535"}},
  });
}

TEST_CASE("tracks have to make sense", "[config]") {
  check_all({
      {instance_with("track: [haproxy]"),
       {"5:13: error: track haproxy needs the section 'haproxy'; 'haproxy: {}' takes its "
        "defaults"}},
      {instance_with("") + "haproxy: {}\n",
       {"6:10: warning: haproxy has no effect: no instance has it in 'track'"}},
      {instance_with("track: [haproxi]") + "haproxy: {}\n",
       {"5:13: error: track 'haproxi' is not haproxy, {interface: NAME, demote: AMOUNT}, {check: "
        "NAME, demote: AMOUNT} or {sync: TEAM, demote: AMOUNT}"}},
      {instance_with("track: [{sync: devops}]"), {"5:13: error: 'demote' is required"}},
      {instance_with("track: [{sync: devops, fault: true, demote: 5}]"),
       {"5:35: error: sync has no effect but demote"}},
      {instance_with("track: [{sync: devops, demote: 255, max_lag: 25h}]"),
       {"5:36: error: demote 255 is not in 1-254", "5:50: error: max_lag 25h is not in 1s-24h"}},
      {instance_with("track: [{interface: a, demote: 5, max_lag: 5m}]"),
       {"5:48: error: max_lag is for 'sync' only"}},
      {instance_with("track: [haproxy, haproxy]") + "haproxy: {}\n",
       {"5:22: error: track haproxy is listed twice"}},
      {instance_with("track: [{interface: a, demote: 1}, {interface: a, demote: 2}]"),
       {"5:40: error: track interface 'a' is listed twice"}},
      {instance_with("priority: 255\n    track: [{interface: a, demote: 1}]"),
       {"6:12: warning: track has no effect: priority 255, the address owner's, never changes"}},
      {instance_with("track: []"), {}},
      {instance_with("accept: maybe"), {"5:13: error: accept 'maybe' is neither true nor false"}},
      {instance_with("accept: false"), {}},
      {instance_with("priority: 255\n    accept: false"),
       {"6:13: warning: accept: false has no effect with priority 255: an address owner accepts "
        "(RFC "
        "9568 section 6.1)"}},
      {instance_without_addresses_with("accept: false\n    addresses: [fe80::1/64, 2001:db8::1]"),
       {"4:13: error: accept: false for a link-local address needs 'interface'"}},
  });
}

TEST_CASE("instances may not claim the same name, virtual router or address", "[config]") {
  check_all({
      {R"(instances:
  - {name: A, vrid: 1, interface: eth0, addresses: [10.0.0.1]}
  - {name: A, vrid: 1, interface: eth0, addresses: [10.0.0.1/24]}
  - {name: C, vrid: 1, interface: eth1, addresses: [10.0.0.3]}
  - {name: D, vrid: 1, interface: eth0, addresses: [fe80::1]}
  - {name: E, vrid: 1, addresses: [10.0.0.5]}
  - {name: F, vrid: 1, addresses: [10.0.0.6]}
)",
       {"3:12: error: name 'A' is already that of instance 'A' at line 2",
        "3:21: error: vrid 1 over IPv4 on eth0 is already that of instance 'A' at line 2",
        "3:53: error: address 10.0.0.1 is already that of instance 'A' at line 2",
        "7:21: error: vrid 1 over IPv4 is already that of instance 'E' at line 6"}},
  });
}
