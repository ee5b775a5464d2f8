#include <chrono>
#include <filesystem>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;
using namespace ha::vrrp;
using Lines = std::vector<std::string>;

const std::filesystem::path kFolder{HA_SOURCE_DIR "/tests/fixtures/keepalived"};

/// On a machine that has killall, wherever the test runs.
Loaded load_fixture(const std::string& name) {
  const auto content = ThisMachine{}.read((kFolder / name).string(), 1'000'000);
  REQUIRE(content.has_value());
  return load(name, *content, "vm1", FakeMachine{});
}

Lines problems_of(const std::string& name) {
  Lines lines;
  for (const Diagnostic& diagnostic : load_fixture(name).diagnostics) {
    lines.push_back(to_string(diagnostic).substr(name.size() + 1));
  }
  return lines;
}

Config fixture(const std::string& name) {
  const Loaded loaded = load_fixture(name);
  REQUIRE(loaded.config.has_value());
  return *loaded.config;
}

TEST_CASE("every fixture loads, and as the same configuration from its print", "[keepalived]") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{kFolder}) {
    if (entry.path().extension() != ".conf") continue;
    ++count;
    INFO(entry.path());
    const Config config = fixture(entry.path().filename().string());
    CHECK(vrrp::load(print(config), "", "").config == config);
  }
  CHECK(count == 8);
}

TEST_CASE("what convert prints is the same configuration, with the rest as comments",
          "[keepalived]") {
  for (const auto& entry : std::filesystem::directory_iterator{kFolder}) {
    if (entry.path().extension() != ".conf") continue;
    INFO(entry.path());
    const Loaded read = load_file(entry.path());
    const Converted converted = convert(entry.path());
    REQUIRE(converted.is_usable);
    const Loaded again = vrrp::load(converted.yaml, "", "");
    CHECK(again.config == read.config);
    CHECK(again.diagnostics.empty());
    for (const Diagnostic& diagnostic : read.diagnostics) {
      CHECK(converted.yaml.find("#   " + to_string(diagnostic) + '\n') != std::string::npos);
    }
  }
}

TEST_CASE("a file with errors is not converted", "[keepalived]") {
  const Converted converted = convert(kFolder / "README.md");
  CHECK_FALSE(converted.is_usable);
  CHECK(converted.yaml.empty());
  CHECK(converted.problems.find(": error: ") != std::string::npos);
}

TEST_CASE("BOSH's configuration starts, with notes on what is old", "[keepalived]") {
  CHECK(problems_of("bosh.conf") ==
        Lines{"2: note: lvs_id: means nothing any more",
              "13: note: state 'SLAVE' is neither MASTER nor BACKUP; BACKUP is taken, as by "
              "keepalived"});
  const InstanceConfig instance = fixture("bosh.conf").instances.at(0);
  CHECK(instance.vrid == Vrid{1});
  CHECK(instance.tracks ==
        std::vector<Track>{TrackCheck{"check_haproxy", {TrackEffect::Kind::kPromote, 2, true}}});
}

TEST_CASE("kolla-ansible's configuration means degraded preemption", "[keepalived]") {
  CHECK(problems_of("kolla.conf") == Lines{});
  const InstanceConfig instance = fixture("kolla.conf").instances.at(0);
  CHECK(instance.router.preempt == Preempt::kDegraded);
  CHECK(instance.password == "k7Qpz2Ls");
  CHECK(instance.tracks.size() == 2);
}

TEST_CASE("Octavia's configuration has routes and rules", "[keepalived]") {
  CHECK(
      problems_of("octavia.conf") ==
      Lines{
          "13: note: nopreempt has no effect with state MASTER or priority 255, as in keepalived"});
  const InstanceConfig instance = fixture("octavia.conf").instances.at(0);
  CHECK(instance.router.announcements == AnnouncementSchedule{5, 5s, 5s, 2});
  CHECK(instance.routes.size() == 2);
  CHECK(instance.rules.size() == 1);
}

TEST_CASE("OpenShift's configuration has two instances with weights and cut passwords",
          "[keepalived]") {
  const Config config = fixture("openshift.conf");
  REQUIRE(config.instances.size() == 2);
  CHECK(config.checks.size() == 3);
  CHECK(config.instances[0].password == "cluster_");
  CHECK(config.instances[0].router.announcements.refresh == 60s);
  CHECK(config.instances[1].addresses[0].label == "eth0:vip");
}

TEST_CASE("VyOS' configuration has a virtual MAC and two lines without effect", "[keepalived]") {
  CHECK(
      problems_of("vyos.conf") ==
      Lines{"4: note: dynamic_interfaces: interfaces may come and go",
            "11: warning: unknown keyword 'description' in vrrp_instance; it is left out, as by "
            "keepalived",
            "21: note: garp_interval: unknown there to keepalived, too; give vrrp_garp_interval in "
            "global_defs"});
  const Config config = fixture("vyos.conf");
  CHECK(config.instances.at(0).virtual_mac->device == "eth0v10");
  CHECK_FALSE(config.instances.at(0).virtual_mac->transmits);
  CHECK(config.instances.at(0).router.preempt_delay == 5s);
  CHECK(config.instances.at(0).router.announcements == AnnouncementSchedule{3, 4s, 0s});
  CHECK(config.instances.at(0).announcement_spacing == 0s);
  CHECK(config.notify_fifo->path == "/run/keepalived_notify_fifo");
  CHECK(config.groups.at(0).notify.master->arguments ==
        Lines{"/usr/bin/logger", "office", "is", "master"});
}

TEST_CASE("RHEL's sample goes without its password, as strict mode does in keepalived",
          "[keepalived]") {
  const InstanceConfig instance = fixture("rhel.conf").instances.at(0);
  CHECK(instance.password == std::nullopt);
  CHECK(instance.addresses.size() == 3);
  const Lines lines = problems_of("rhel.conf");
  CHECK(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
          return line.find("virtual_server") != std::string::npos;
        }) == 1);
}

TEST_CASE("the role of evrardjp makes checks of three kinds", "[keepalived]") {
  const Config config = fixture("evrardjp.conf");
  const InstanceConfig& instance = config.instances.at(0);
  CHECK(instance.password == "01234567");
  CHECK(instance.router.advertisement_interval == 2s);
  CHECK(instance.addresses.size() == 3);
  CHECK(instance.router.preempt == Preempt::kDegraded);
}

TEST_CASE("kubeadm's guide works with definitions", "[keepalived]") {
  CHECK(problems_of("kubeadm.conf") == Lines{});
  const Config config = fixture("kubeadm.conf");
  CHECK(config.instances.at(0).password == "42");
  CHECK(config.instances.at(0).tracks ==
        std::vector<Track>{TrackCheck{"check_apiserver", {TrackEffect::Kind::kDemote, 2, false}}});
}

}  // namespace
}  // namespace ha::keepalived
