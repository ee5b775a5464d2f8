// Files that are wrong as a whole: not plain YAML, keys that do not belong there, parts that are
// missing.
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"

using namespace ha::vrrp;

TEST_CASE("a file that is not plain YAML is refused where it stops being that", "[config]") {
  check_all({
      {"", {"error: is empty"}},
      {"# only a comment\n", {"error: is empty"}},
      {"~\n", {"error: is empty"}},
      {"- a\n", {"1:1: error: the file has to be a map, not a list"}},
      {"hello\n", {"1:1: error: the file has to be a map, not a single value"}},
      {"!vrrpd {a: 1}\n", {"1:1: error: tags are not accepted"}},
      {"instances:\n\t- name: A\n", {"2:1: error: a tab in the indentation; use spaces"}},
      {"instances: [\n", {"2:1: error: not valid YAML: end of sequence flow not found"}},
      {"a: b: c\n", {"1:5: error: not valid YAML: illegal map value"}},
      {"node: a\x04\n",
       {"1:8: error: byte 0x04 is no text: the file has to be UTF-8 without control characters"}},
      {"node: \xff\xfe\nlog: \xc2\x85\n",
       {"1:7: error: byte 0xff is no text: the file has to be UTF-8 without control characters",
        "2:6: error: byte 0xc2 is no text: the file has to be UTF-8 without control characters"}},
      {"\xff\xfen\0o\0",
       {"1:1: error: byte 0xff is no text: the file has to be UTF-8 without control characters"}},
      {std::string(17, '[') + std::string(17, ']'), {"1:17: error: nested deeper than 16 levels"}},
      {instance_with("") + "---\nnode: b\n",
       {"6:1: error: the file has to be one document, and it ends before this"}},
      {"node: \"\\ä\"\n", {"1:10: error: not valid YAML: unknown escape character: ?"}},
      {",",
       {"error: is empty", "1:1: error: the file has to be one document, and it ends before this"}},
      {std::string(1024 * 1024 + 1, '#'), {"error: is larger than 1 MiB"}},
  });
}

TEST_CASE("what YAML would silently reinterpret is refused", "[config]") {
  check_all({
      {instance_with("priority: 1\n    priority: 2"),
       {"6:5: error: key 'priority' is already given at line 5"}},
      {instance_with("priority: &p 1\n    minimum_ttl: *p"),
       {"5:15: error: anchors are not accepted", "6:18: error: aliases are not accepted"}},
      {instance_with("<<: {priority: 7}"),
       {"5:5: error: unknown key '<<'; known here: name, interface, vrid, version, priority, "
        "advertisement_interval, preempt, preempt_delay, addresses, source_address, "
        "multicast_group, "
        "unicast_peers, minimum_ttl, authentication, checksum, gratuitous_arp, lease, track, "
        "notify, watch_link, answer_lesser, answer_better, routes, rules, "
        "accept, virtual_mac"}},
      {instance_with("? [a]\n    : 1"), {"5:7: error: a key has to be a single word"}},
      {instance_with("priority: !!int 5"), {"5:15: error: tags are not accepted"}},
      {instance_with("priority: 010"), {"5:15: error: priority 010 has a leading zero"}},
      {instance_with("priority: 0x10"),
       {"5:15: error: priority 0x10 is not a whole number in 1-255"}},
      {instance_with("preempt: yes"),
       {"5:14: error: preempt 'yes' is not true, false or degraded"}},
      {"node: \"a\\nb\"\n" + instance_with(""),
       {"1:7: error: a value with a line break or another control character"}},
  });
}

TEST_CASE("an unknown key is an error that names the nearest known one", "[config]") {
  check_all({
      {instance_with("prioritty: 5"),
       {"5:5: error: unknown key 'prioritty'; did you mean 'priority'?"}},
      {instance_with("rpeempt: true"),
       {"5:5: error: unknown key 'rpeempt'; did you mean 'preempt'?"}},
      {instance_with("") + "lgo: {level: info}\n",
       {"6:1: error: unknown key 'lgo'; did you mean 'log'?"}},
      {instance_with("") + "log: {levle: info, 5: 6}\n",
       {"6:7: error: unknown key 'levle'; did you mean 'level'?",
        "6:20: error: unknown key '5'; known here: level, format"}},
      {instance_with("") + "control: {gruop: a}\n",
       {"6:11: error: unknown key 'gruop'; did you mean 'group'?"}},
      {instance_with("") + "zebra: 5\n",
       {"6:1: error: unknown key 'zebra'; known here: node, startup_delay, instances, groups, "
        "checks, "
        "notify_fifo, mail, static, haproxy, control, http, log"}},
      {haproxy_with("quorm: 5"), {"7:3: error: unknown key 'quorm'; did you mean 'quorum'?"}},
      {instance_without_addresses_with("addresses: [{adress: 10.0.0.1, address: 10.0.0.1}]"),
       {"4:18: error: unknown key 'adress'; did you mean 'address'?"}},
  });
}

TEST_CASE("what a file lacks is named", "[config]") {
  check_all({
      {"node: a\n", {"1:1: error: 'instances' is required"}},
      {"instances:\n", {"1:1: error: instances has no value"}},
      {"instances: []\n", {"1:12: error: instances is an empty list"}},
      {"instances: {}\n", {"1:12: error: instances has to be a list, not a map"}},
      {"instances: [a, null]\n",
       {"1:12: error: instance has no value",
        "1:13: error: instance has to be a map, not a single value"}},
      {"instances: [{}]\n",
       {"1:13: error: 'name' is required", "1:13: error: 'vrid' is required",
        "1:13: error: 'addresses' is required"}},
      {instance_with("priority:"), {"5:5: error: priority has no value"}},
      {instance_with("priority: [1]"),
       {"5:15: error: priority has to be a single value, not a list"}},
      {instance_with("") + "control:\nlog: text\n",
       {"6:1: error: control has no value", "7:6: error: log has to be a map, not a single value"}},
      {instance_with("authentication: {}\n    version: 2"),
       {"5:21: error: 'type' is required", "5:21: error: 'password' is required"}},
      {haproxy_with("servers: {}"), {"7:12: error: 'match' is required"}},
  });
}

TEST_CASE("all problems of a file are reported at once and in its order", "[config]") {
  CHECK(diagnose(R"(haproxy: {quorum: many}
instances:
  - name: A
    vrid: 300
    prioritty: 5
    addresses: [10.0.0.1/40]
    track: [haproxy, {interface: eth1, demote: 0}]
  - vrid: 5
    advertisement_interval: 1
    addresses: [10.0.0.2]
log: {level: loud}
)") == std::vector<std::string>{
           "1:19: error: quorum 'many' is not a whole number in 0-1000",
           "4:11: error: vrid 300 is not in 1-255",
           "5:5: error: unknown key 'prioritty'; did you mean 'priority'?",
           "6:17: error: address 10.0.0.1/40 has a prefix length that is not in 1-32",
           "7:48: error: demote 0 is not in 1-254",
           "8:5: error: 'name' is required",
           "9:29: error: advertisement_interval 1 has no unit: ms, s, m or h (range 10ms-40.95s in "
           "steps of 10ms "
           "(version 3))",
           "11:14: error: level 'loud' is not debug, info, warning or error",
       });
}

TEST_CASE("no more than a thousand problems are kept, and the rest is counted", "[config]") {
  std::string text = instance_with("");
  for (int i = 0; i < 1500; ++i) text += "key_nobody_knows_" + std::to_string(i) + ": 1\n";
  const Loaded loaded = load(text, "f", "vm1");
  REQUIRE(loaded.diagnostics.size() == 1001);
  CHECK(to_string(loaded.diagnostics.back()) == "f: error: 500 more problems are not shown");
  CHECK_FALSE(loaded.config.has_value());
}

TEST_CASE("lists have a length that no sensible file reaches", "[config]") {
  const auto list = [](std::size_t count, const std::string& item) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += item + ", ";
    return text + "]\n";
  };
  check_all({
      {"instances: " + list(4097, "{}"),
       {"1:12: error: instances has 4097 items; at most 4096 are accepted"}},
      {instance_without_addresses_with("addresses: " + list(4097, "10.0.0.1")),
       {"4:16: error: addresses has 4097 items; at most 4096 are accepted"}},
      {instance_with("unicast_peers: " + list(256, "10.0.0.2")),
       {"5:20: error: unicast_peers has 256 items; at most 255 are accepted"}},
      {instance_with("track: " + list(65, "haproxy")),
       {"5:12: error: track has 65 items; at most 64 are accepted"}},
      {haproxy_with("teams: {a: " + list(1001, "b") + "}"),
       {"7:14: error: team 'a' has 1001 items; at most 1000 are accepted"}},
  });
}

TEST_CASE("a host name that is of no use has to be replaced by 'node'", "[config]") {
  const std::string text = instance_with("");
  for (const std::string host : {"", "a b", "\x1b[31m"}) {
    const Loaded loaded = load(text, "f", host);
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK(to_string(loaded.diagnostics[0]) ==
          "f: error: this machine's host name is of no use as the default of 'node'; set it");
  }
  CHECK(load("node: a\n" + text, "f", "").config.has_value());
}
