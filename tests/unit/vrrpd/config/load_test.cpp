#include "vrrpd/config/load.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"

using namespace ha;
using namespace ha::vrrp;
using namespace std::chrono_literals;

namespace {

[[nodiscard]] IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

/// The configuration in `text`, which has to be without any diagnostic.
[[nodiscard]] Config config_of(std::string_view text) {
  const Loaded loaded = load(text, "vrrpd.yaml", "vm1");
  for (const Diagnostic& diagnostic : loaded.diagnostics) FAIL_CHECK(to_string(diagnostic));
  REQUIRE(loaded.config.has_value());
  return *loaded.config;
}

/// A file that is removed again.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) {
    std::ofstream{path(), std::ios::binary} << content;
  }
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "vrrpd.yaml"; }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("what is not given takes its default", "[config]") {
  Config expected;
  expected.node = "vm1";
  InstanceConfig instance;
  instance.name = "A";
  instance.vrid = Vrid{1};
  instance.addresses = {VirtualAddress{{ip("10.0.0.1"), 32}, "", "", true, false}};
  instance.multicast_group = ip("224.0.0.18");
  instance.lease = 3s;
  expected.instances = {instance};
  CHECK(config_of("instances: [{name: A, vrid: 1, addresses: [10.0.0.1]}]") == expected);

  CHECK(instance.router.version == Version::k3);
  CHECK(instance.router.priority == Priority{100});
  CHECK(instance.router.advertisement_interval == Duration{1s});
  CHECK(instance.router.preempt == Preempt::kYes);
  CHECK(instance.minimum_ttl == 255);
  CHECK(instance.router.announcements == AnnouncementSchedule{5, 5s, 60s});
}

TEST_CASE("every key arrives where it belongs", "[config]") {
  const Config config = config_of(R"(
node: jenkins-vm1
instances:
  - name: VI_MAIN
    interface: eth0
    vrid: 51
    version: 3
    priority: 110
    advertisement_interval: 250ms
    preempt: degraded
    preempt_delay: 1.5s
    addresses:
      - 192.168.1.100/24
      - {address: 192.168.1.101/25, interface: eth1, label: "eth1:vip", advertise: false, noprefixroute: true}
    source_address: 192.168.1.2
    multicast_group: 224.0.0.19
    unicast_peers: [10.0.0.11, 10.0.0.12]
    minimum_ttl: 254
    checksum: message-only
    gratuitous_arp: {repeat: 3, second_burst_delay: 2s, refresh: 0s, form: both}
    lease: 1m
    track:
      - haproxy
      - {interface: eth1, demote: 30}
      - {sync: devops, demote: 40, max_lag: 5m}
haproxy:
  stats: /run/h.sock
  interval: 2s
  timeout: 300ms
  stale_after: 6s
  teams: {devops: [be1, be2], ma: ["be:3"]}
  servers: {match: ".*-vm1"}
  threshold: 40%
  quorum: 3
  combine: or
  grace: 1m
  recover: 1h
  demote: {unhealthy: 20, down: 254}
control: {socket: /run/c.sock, group: admin}
log: {level: debug, format: json}
)");

  Config expected;
  expected.node = "jenkins-vm1";
  InstanceConfig instance;
  instance.name = "VI_MAIN";
  instance.interface = "eth0";
  instance.vrid = Vrid{51};
  instance.router = {Version::k3, Priority{110}, 250ms, Preempt::kDegraded, 1500ms, {3, 2s, 0s}};
  instance.addresses = {{{ip("192.168.1.100"), 24}, "", "", true, false},
                        {{ip("192.168.1.101"), 25}, "eth1", "eth1:vip", false, true}};
  instance.source_address = ip("192.168.1.2");
  instance.multicast_group = ip("224.0.0.19");
  instance.unicast_peers = {ip("10.0.0.11"), ip("10.0.0.12")};
  instance.minimum_ttl = 254;
  instance.checksum = ChecksumPolicy::kMessageOnly;
  instance.gratuitous_arp_form = ArpForm::kBoth;
  instance.lease = 1min;
  instance.tracks = {TrackHaproxy{},
                     TrackInterface{"eth1", {TrackEffect::Kind::kDemote, 30, false}},
                     TrackSync{"devops", 40, 5min}};
  expected.instances = {instance};
  probe::ProbeConfig haproxy;
  haproxy.stats = "/run/h.sock";
  haproxy.interval = 2s;
  haproxy.timeout = 300ms;
  haproxy.stale_after = 6s;
  haproxy.teams = probe::TeamMap{{"devops", {"be1", "be2"}}, {"ma", {"be:3"}}};
  haproxy.scope = probe::ServerScope::kMatch;
  haproxy.server_match = ".*-vm1";
  haproxy.threshold = 40;
  haproxy.quorum = 3;
  haproxy.combine = probe::Combine::kOr;
  haproxy.grace = 1min;
  haproxy.recover = 1h;
  haproxy.demote_unhealthy = 20;
  haproxy.demote_down = 254;
  expected.haproxy = haproxy;
  expected.control = {"/run/c.sock", "admin"};
  expected.log = {LogLevel::kDebug, LogFormat::kJson};
  CHECK(config == expected);
}

TEST_CASE("an automatic lease is the least number of whole seconds that holds three advertisements",
          "[config]") {
  const auto lease = [](const std::string& keys) {
    return config_of(instance_with(keys)).instances.front().lease;
  };
  CHECK(lease("advertisement_interval: 10ms") == Duration{1s});
  CHECK(lease("advertisement_interval: 330ms") == Duration{1s});
  CHECK(lease("advertisement_interval: 340ms") == Duration{2s});
  CHECK(lease("advertisement_interval: 1s\n    lease: auto") == Duration{3s});
  CHECK(lease("advertisement_interval: 40.95s") == Duration{123s});
  CHECK(lease("lease: off") == std::nullopt);
  CHECK(lease("lease: 1h") == Duration{1h});
}

TEST_CASE("checks, groups and notifications arrive where they belong", "[config]") {
  using Kind = TrackEffect::Kind;
  const Config config = config_of(R"(
instances:
  - name: A
    vrid: 1
    addresses: [10.0.0.1]
    track:
      - {check: procs, demote: 20}
      - {check: db, promote: 2}
      - {check: web, fault: true}
      - {check: unit, demote: 9, when: healthy}
      - {check: load, weight: -3}
      - {check: link, promote: 4, when: unhealthy}
      - {check: old, fault: true, when: healthy}
    notify:
      master: [/usr/local/bin/on-master, --quiet]
      any: {command: /usr/local/bin/on-any, user: ops, group: adm, timeout: 5s}
      lower_priority: /bin/lower
      priority_changes: true
groups:
  - {name: G, instances: [A], notify: {fault: /bin/fault}}
checks:
  procs: {process: haproxy, at_least: 2, at_most: 9, recover: 10s}
  db: {tcp: "[::1]:3306", interval: 5s, timeout: 2s, fall: 4, rise: 5}
  web: {http: "http://127.0.0.1:8080/login?x=1", expect: 200, host: jenkins, initial: unhealthy}
  unit: {unit: "app@1.service"}
  load: {file: /run/load, present: number}
  link: {interface: eth1}
  old: {script: [/usr/local/bin/check.sh, -v], user: nobody, timeout: 4s, interval: 5s}
notify_fifo: {path: /run/n.fifo, reader: /usr/bin/reader}
)");

  const InstanceConfig& instance = config.instances.at(0);
  CHECK(instance.tracks == std::vector<Track>{TrackCheck{"procs", {Kind::kDemote, 20, false}},
                                              TrackCheck{"db", {Kind::kPromote, 2, true}},
                                              TrackCheck{"web", {Kind::kFault, 0, false}},
                                              TrackCheck{"unit", {Kind::kDemote, 9, true}},
                                              TrackCheck{"load", {Kind::kWeight, -3, false}},
                                              TrackCheck{"link", {Kind::kPromote, 4, false}},
                                              TrackCheck{"old", {Kind::kFault, 0, true}}});
  NotifyConfig notify;
  notify.master = Command{{"/usr/local/bin/on-master", "--quiet"}, "", "", 30s};
  notify.any = Command{{"/usr/local/bin/on-any"}, "ops", "adm", 5s};
  notify.lower_priority = Command{{"/bin/lower"}, "", "", 30s};
  notify.priority_changes = true;
  CHECK(instance.notify == notify);

  NotifyConfig group_notify;
  group_notify.fault = Command{{"/bin/fault"}, "", "", 30s};
  CHECK(config.groups == std::vector<GroupConfig>{{"G", {"A"}, group_notify}});
  CHECK(config.notify_fifo == NotifyFifo{"/run/n.fifo", Command{{"/usr/bin/reader"}, "", "", 0s}});

  using namespace ha::checks;
  // By name. What is known for certain counts at once, what is asked may fail by chance.
  const std::vector<CheckConfig> expected{
      {"db", TcpProbe{ip("::1"), 3306}, 5s, 2s, 4, 5, 0s, Initial::kUnknown},
      {"link", InterfaceProbe{"eth1"}, 2s, 1s, 1, 1, 0s, Initial::kUnknown},
      {"load", FileProbe{"/run/load", FileProbe::Present::kNumber}, 2s, 1s, 1, 1, 0s,
       Initial::kUnknown},
      {"old", ScriptProbe{{{"/usr/local/bin/check.sh", "-v"}, "nobody", "", 4s}}, 5s, 4s, 3, 2, 0s,
       Initial::kUnknown},
      {"procs", ProcessProbe{"haproxy", 2, 9}, 2s, 1s, 1, 1, 10s, Initial::kUnknown},
      {"unit", UnitProbe{"app@1.service"}, 2s, 1s, 1, 1, 0s, Initial::kUnknown},
      {"web", HttpProbe{ip("127.0.0.1"), 8080, "/login?x=1", "jenkins", 200, 200}, 2s, 1s, 3, 2, 0s,
       Initial::kUnhealthy}};
  CHECK(config.checks == expected);
}

TEST_CASE("what a machine has besides its instances is read", "[config]") {
  const Config config = config_of(R"(
startup_delay: 2500ms
instances:
  - {name: A, vrid: 1, addresses: [{address: 10.0.0.1/24, broadcast: 10.0.0.255}],
     track: [{check: load, fault: true}],
     gratuitous_arp: {conflict_repeat: 3, conflict_delay: 2s, spacing: 10ms}}
checks:
  load: {file: /run/load, present: number, create: -3, grace: 4s}
notify_fifo: {path: /run/f, states_on_reload: true}
static:
  addresses: [{address: 10.9.0.1/24, interface: eth1, label: "eth1:s", scope: link, broadcast: 10.9.0.255}]
  routes: [10.8.0.0/16 via 10.9.0.2]
  rules: [from 10.9.0.1 table 7]
)");
  CHECK(config.startup_delay == 2500ms);
  const InstanceConfig& instance = config.instances.at(0);
  CHECK(instance.addresses.at(0).broadcast == ip("10.0.0.255").to_v4());
  CHECK(instance.router.announcements.conflict_repeat == 3);
  CHECK(instance.router.announcements.conflict_delay == 2s);
  CHECK(instance.announcement_spacing == 10ms);
  CHECK(config.checks.at(0).grace == 4s);
  CHECK(std::get<checks::FileProbe>(config.checks.at(0).probe).create == -3);
  CHECK(config.notify_fifo->states_on_reload);
  CHECK(config.fixed.addresses ==
        std::vector<VirtualAddress>{
            {{ip("10.9.0.1"), 24}, "eth1", "eth1:s", true, false, 253, ip("10.9.0.255").to_v4()}});
  CHECK(config.fixed.routes.at(0).gateway == ip("10.9.0.2"));
  CHECK(config.fixed.rules.at(0).table == 7);
}

TEST_CASE("the example of the manual loads", "[config]") {
  const Config config = config_of(R"yaml(
node: jenkins-vm1                  # default: the short host name

instances:
  - name: VI_MAIN                  # required, unique
    interface: eth0
    vrid: 51
    version: 3
    priority: 110
    advertisement_interval: 1s
    preempt: true
    preempt_delay: 0s
    addresses:
      - 192.168.1.100/24
      - {address: 192.168.1.101/24, interface: eth1, label: "eth1:vip", advertise: false}
    source_address: auto
    multicast_group: 224.0.0.18
    unicast_peers: [10.0.0.11]
    minimum_ttl: 255
    checksum: auto
    virtual_mac: false
    gratuitous_arp: {repeat: 5, second_burst_delay: 5s, refresh: 60s, refresh_repeat: 1, form: request}
    track:
      - haproxy
      - {interface: eth1, demote: 30}

haproxy:
  stats: /run/haproxy/admin.sock
  interval: 1s
  timeout: 500ms
  stale_after: 5s
  teams: "jenkins_backend_(.+)"
  servers: local
  threshold: 50%
  quorum: 2
  combine: and
  grace: 30s
  recover: 10s
  demote: {unhealthy: 50, down: 100}

control: {socket: /run/vrrpd/control.sock, group: vrrpd}
log: {level: info, format: text}
)yaml");
  // All of that are the defaults, but for the priority and the teams.
  probe::ProbeConfig haproxy;
  haproxy.teams = probe::TeamPattern{"jenkins_backend_(.+)"};
  CHECK(config.haproxy == haproxy);
  CHECK(config.control == ControlConfig{});
  CHECK(config.log == LogConfig{});
  RouterConfig router;
  router.priority = Priority{110};
  CHECK(config.instances.at(0).router == router);
}

TEST_CASE("version 2 has its own intervals and a password, which may look like a number",
          "[config]") {
  const Config config =
      config_of(instance_with("version: 2\n    advertisement_interval: 255s\n    authentication: "
                              "{type: pass, password: 01234567}"));
  CHECK(config.instances[0].router.version == Version::k2);
  CHECK(config.instances[0].router.advertisement_interval == Duration{255s});
  CHECK(config.instances[0].password == "01234567");
}

TEST_CASE("link-local addresses come first, the others stay in order", "[config][rfc9568-5.2.9]") {
  const Config config = config_of(instance_without_addresses_with(
      "interface: eth0\n    addresses: [2001:db8::2/64, fe80::9/64, 2001:db8::1/64, fe80::8/64]"));
  std::vector<std::string> order;
  for (const VirtualAddress& address : config.instances[0].addresses)
    order.push_back(to_string(address.prefix));
  CHECK(order ==
        std::vector<std::string>{"fe80::9/64", "fe80::8/64", "2001:db8::2/64", "2001:db8::1/64"});
  CHECK(config.instances[0].multicast_group == ip("ff02::12"));
  CHECK(config.instances[0].family() == Family::kIpv6);
}

TEST_CASE("warnings alone leave a configuration", "[config]") {
  const Loaded loaded =
      load(instance_without_addresses_with("addresses: [2001:db8::1]"), "f", "vm1");
  CHECK(loaded.diagnostics.size() == 1);
  CHECK(loaded.config.has_value());
}

TEST_CASE("Windows line ends and a byte order mark change nothing", "[config]") {
  CHECK(config_of("\xef\xbb\xbfinstances:\r\n  - name: A\r\n    vrid: 1\r\n    addresses: "
                  "[10.0.0.1]\r\n") ==
        config_of("instances: [{name: A, vrid: 1, addresses: [10.0.0.1]}]"));
}

TEST_CASE("diagnostics read like a compiler's", "[config]") {
  CHECK(to_string(
            Diagnostic{"vrrpd.yaml", 14, 17, Severity::kError, "priority 300 is not in 1-255"}) ==
        "vrrpd.yaml:14:17: error: priority 300 is not in 1-255");
  CHECK(to_string(Diagnostic{"vrrpd.yaml", 0, 0, Severity::kWarning, "x"}) ==
        "vrrpd.yaml: warning: x");
}

TEST_CASE("a file is loaded with the short host name as its node", "[config]") {
  const TemporaryFile file{instance_with("priority: 300")};
  const Loaded broken = load_file(file.path());
  REQUIRE(broken.diagnostics.size() == 1);
  CHECK(to_string(broken.diagnostics[0]) ==
        file.path().string() + ":5:15: error: priority 300 is not in 1-255");

  const TemporaryFile good{instance_with("priority: 30")};
  const Loaded loaded = load_file(good.path());
  REQUIRE(loaded.config.has_value());
  CHECK_FALSE(loaded.config->node.empty());
  CHECK(loaded.config->node.find('.') == std::string::npos);
}

TEST_CASE("a file that cannot be read is one diagnostic", "[config]") {
  const Loaded missing = load_file("/nonexistent/vrrpd.yaml");
  REQUIRE(missing.diagnostics.size() == 1);
  CHECK(to_string(missing.diagnostics[0]) ==
        "/nonexistent/vrrpd.yaml: error: cannot be read: No such file or directory");
  CHECK_FALSE(missing.config.has_value());

  const Loaded directory = load_file("/");
  REQUIRE(directory.diagnostics.size() == 1);
  CHECK(to_string(directory.diagnostics[0]) == "/: error: cannot be read: Is a directory");
}

TEST_CASE("the credentials of a statistics page come from their file and are not printed",
          "[config]") {
  const auto text = [](const std::string& credentials_file) {
    return instance_with("track: [haproxy]") +
           "haproxy:\n  stats: http://127.0.0.1:8404/stats\n  credentials_file: " +
           credentials_file + "\n";
  };
  const TemporaryFile secret{"admin:s3cret\n"};
  const Loaded loaded = load_file(TemporaryFile{text(secret.path())}.path());
  REQUIRE(loaded.config.has_value());
  CHECK(loaded.config->haproxy->credentials == "admin:s3cret");
  CHECK(print(*loaded.config).find("s3cret") == std::string::npos);

  const TemporaryFile wrong{"s3cret\n"};
  const TemporaryFile file{text(wrong.path())};
  const Loaded refused = load_file(file.path());
  REQUIRE(refused.diagnostics.size() == 1);
  CHECK(
      to_string(refused.diagnostics[0]) ==
      fmt::format("{}:8:21: error: credentials_file '{}' is not one line USER:PASSWORD of at most "
                  "512 bytes",
                  file.path().string(), wrong.path().string()));

  const TemporaryFile other{text("/nonexistent/secret")};
  const Loaded missing = load_file(other.path());
  REQUIRE(missing.diagnostics.size() == 1);
  CHECK(missing.diagnostics[0].text ==
        "credentials_file '/nonexistent/secret' cannot be read: No such file or directory");
}

TEST_CASE("a file of 1 MiB is read, a larger one is refused", "[config]") {
  const std::string start = instance_with("") + "#";
  const std::string largest = start + std::string(1024 * 1024 - start.size(), 'x');
  CHECK(load_file(TemporaryFile{largest}.path()).config.has_value());
  const TemporaryFile larger{largest + "x"};
  const Loaded refused = load_file(larger.path());
  REQUIRE(refused.diagnostics.size() == 1);
  CHECK(to_string(refused.diagnostics[0]) ==
        larger.path().string() + ": error: is larger than 1 MiB");
}

TEST_CASE("every sample in etc/ is without errors and warnings and survives printing", "[config]") {
  int samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator{HA_SOURCE_DIR "/etc"}) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path());
    const Loaded loaded = load_file(entry.path());
    for (const Diagnostic& diagnostic : loaded.diagnostics) FAIL_CHECK(to_string(diagnostic));
    REQUIRE(loaded.config.has_value());
    CHECK(load(print(*loaded.config), "printed", "").config == loaded.config);
    ++samples;
  }
  CHECK(samples >= 7);
}
