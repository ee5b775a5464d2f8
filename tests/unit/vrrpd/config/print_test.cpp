#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"
#include "vrrpd/config/load.hpp"

using namespace ha::vrrp;

namespace {

[[nodiscard]] std::string printed(std::string_view text) {
  const Loaded loaded = load(text, "f", "vm1");
  REQUIRE(loaded.config.has_value());
  return print(*loaded.config);
}

}  // namespace

TEST_CASE("a minimal file is printed with every default filled in", "[config]") {
  CHECK(printed("instances: [{name: A, vrid: 1, addresses: [10.0.0.1]}]") == R"(node: vm1
startup_delay: 0s

instances:
  - name: A
    vrid: 1
    version: 3
    priority: 100
    advertisement_interval: 1s
    preempt: true
    preempt_delay: 0s
    answer_lesser: true
    answer_better: false
    addresses:
      - {address: 10.0.0.1/32, advertise: true, noprefixroute: false, scope: global}
    source_address: auto
    multicast_group: 224.0.0.18
    minimum_ttl: 255
    checksum: auto
    watch_link: true
    accept: true
    virtual_mac: false
    gratuitous_arp: {repeat: 5, second_burst_delay: 5s, refresh: 60s, refresh_repeat: 1, conflict_repeat: 1, conflict_delay: auto, spacing: 0s, form: request}
    lease: 3s
    track: []

control: {socket: /run/vrrpd/control.sock, group: vrrpd}
http: off
log: {level: info, format: text}
)");
}

TEST_CASE("everything that was given is printed in the order of the manual", "[config]") {
  CHECK(printed(R"(
haproxy: {teams: {ma: [m], devops: [d1, "d:2"]}, servers: {match: '.*"vm1\d'}}
instances:
  - track: [{interface: eth1, demote: 30}, haproxy]
    authentication: {password: 'y"\n', type: pass}
    unicast_peers: [10.0.0.11, 10.0.0.12]
    source_address: 10.0.0.10
    addresses: [{label: "eth1:v", interface: eth1, address: 10.0.0.1/24, advertise: true}]
    version: 2
    vrid: 51
    interface: "007"
    name: "on"
node: 1.5
log: {format: json}
)") == R"(node: "1.5"
startup_delay: 0s

instances:
  - name: "on"
    interface: "007"
    vrid: 51
    version: 2
    priority: 100
    advertisement_interval: 1s
    preempt: true
    preempt_delay: 0s
    answer_lesser: true
    answer_better: false
    addresses:
      - {address: 10.0.0.1/24, interface: eth1, label: "eth1:v", advertise: true, noprefixroute: false, scope: global}
    source_address: 10.0.0.10
    multicast_group: 224.0.0.18
    unicast_peers: [10.0.0.11, 10.0.0.12]
    minimum_ttl: 255
    authentication: {type: pass, password: "y\"\\n"}
    checksum: auto
    watch_link: true
    accept: true
    virtual_mac: false
    gratuitous_arp: {repeat: 5, second_burst_delay: 5s, refresh: 60s, refresh_repeat: 1, conflict_repeat: 1, conflict_delay: auto, spacing: 0s, form: request}
    lease: 3s
    track: [{interface: eth1, demote: 30}, haproxy]

haproxy:
  stats: /run/haproxy/admin.sock
  events: ""
  interval: 1s
  timeout: 500ms
  stale_after: 5s
  teams:
    devops: [d1, "d:2"]
    ma: [m]
  servers: {match: ".*\"vm1\\d"}
  threshold: 50%
  quorum: 2
  combine: and
  grace: 30s
  recover: 10s
  demote: {unhealthy: 50, down: 100}

control: {socket: /run/vrrpd/control.sock, group: vrrpd}
http: off
log: {level: info, format: json}
)");
}

TEST_CASE("IPv6 addresses are quoted, so that no reader stumbles over their colons", "[config]") {
  const std::string text = printed(
      instance_without_addresses_with("interface: eth0\n    addresses: [fe80::1/64]\n    "
                                      "unicast_peers: [fe80::2]\n    source_address: fe80::3"));
  CHECK(text.find("{address: \"fe80::1/64\",") != std::string::npos);
  CHECK(text.find("unicast_peers: [\"fe80::2\"]") != std::string::npos);
  CHECK(text.find("source_address: \"fe80::3\"") != std::string::npos);
  CHECK(text.find("multicast_group: \"ff02::12\"") != std::string::npos);
}

TEST_CASE("checks, groups and commands are printed in full", "[config]") {
  const std::string text =
      printed(instance_with(
                  "track: [{check: a, demote: 5}, {check: b, promote: 2}, {interface: eth1, fault: "
                  "true, when: healthy}]\n    notify: {any: /bin/x, mail: true}") +
              R"(groups: [{name: G, instances: [A]}]
checks:
  b: {http: "http://[::1]/x"}
  a: {process: haproxy}
notify_fifo: {path: /run/f, reader: {command: [/bin/r, "a b"], user: ops}}
mail: {to: [ops@example.com, root]}
node: lb1
)");
  CHECK(
      text.find(
          R"(    track: [{check: a, demote: 5}, {check: b, promote: 2}, {interface: eth1, fault: true, when: healthy}]
    notify:
      any: {command: [/bin/x], timeout: 30s}
      mail: true
      priority_changes: false

groups:
  - name: G
    instances: [A]

checks:
  a: {process: haproxy, match: any, at_least: 1, at_most: 65535, interval: 2s, fall: 1, rise: 1, recover: 0s, grace: 0s, initial: unknown}
  b: {http: "http://[::1]:80/x", expect: 200-399, interval: 2s, timeout: 1s, fall: 3, rise: 2, recover: 0s, grace: 0s, initial: unknown}

notify_fifo:
  path: /run/f
  reader: {command: [/bin/r, "a b"], user: ops}
  states_on_reload: false

mail:
  to: ["ops@example.com", root]
  from: "root@lb1"
  server: "127.0.0.1"
  port: 25
  helo: lb1
  name: lb1
  timeout: 30s
  faults: true

control:)") != std::string::npos);
}
