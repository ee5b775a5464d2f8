#include "vrrpd/config/virtual_mac.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/vrrpd/config/diagnose.hpp"

namespace ha::vrrp {
namespace {

std::vector<InstanceConfig> instances_of(std::string_view text) {
  const Loaded loaded = load(text, "vrrpd.yaml", "vm1");
  for (const Diagnostic& diagnostic : loaded.diagnostics) FAIL_CHECK(to_string(diagnostic));
  REQUIRE(loaded.config.has_value());
  // What is printed means the same.
  CHECK(load(print(*loaded.config), "", "").config == loaded.config);
  return loaded.config->instances;
}

std::vector<std::string> devices_of(std::string_view text) {
  std::vector<std::string> names;
  for (const InstanceConfig& instance : instances_of(text)) {
    names.push_back(instance.virtual_mac ? instance.virtual_mac->device : "-");
  }
  return names;
}

TEST_CASE("the virtual MAC address is the RFC's, by family and VRID", "[rfc9568-7.3]") {
  CHECK(ha::to_string(virtual_mac_address(Family::kIpv4, Vrid{51})) == "00:00:5e:00:01:33");
  CHECK(ha::to_string(virtual_mac_address(Family::kIpv6, Vrid{255})) == "00:00:5e:00:02:ff");
}

TEST_CASE("a virtual MAC is off, on, or described", "[config]") {
  CHECK_FALSE(instances_of(instance_with("virtual_mac: false"))[0].virtual_mac);
  CHECK(*instances_of(instance_with("virtual_mac: true"))[0].virtual_mac ==
        VirtualMac{"vrrp.1", {0, 0, 0x5e, 0, 1, 1}, true});
  CHECK(*instances_of(instance_with("virtual_mac: {}"))[0].virtual_mac ==
        VirtualMac{"vrrp.1", {0, 0, 0x5e, 0, 1, 1}, true});
  CHECK(
      *instances_of(instance_with("virtual_mac: {interface: edge, address: \"02:aB:00:00:00:7f\", "
                                  "transmit: parent}"))[0]
           .virtual_mac == VirtualMac{"edge", {2, 0xab, 0, 0, 0, 0x7f}, false});
}

TEST_CASE("unicast advertisements leave by the interface itself", "[config]") {
  CHECK_FALSE(instances_of(instance_with("virtual_mac: true\n    unicast_peers: [10.0.0.9]"))[0]
                  .virtual_mac->transmits);
}

TEST_CASE("a macvlan without a name gets the first that is free, as from keepalived", "[config]") {
  CHECK(devices_of(R"(
instances:
  - {name: A, interface: eth0, vrid: 7, addresses: [10.0.0.1], virtual_mac: true}
  - {name: B, interface: eth0, vrid: 7, addresses: ["fe80::1"], virtual_mac: true}
  - {name: C, interface: eth1, vrid: 7, addresses: [10.0.1.1], virtual_mac: true}
  - {name: D, interface: vrrp.8, vrid: 8, addresses: ["fe80::2"], virtual_mac: true}
  - {name: E, interface: eth1, vrid: 9, addresses: [10.0.2.1], virtual_mac: {interface: vrrp1.7}}
  - {name: F, interface: eth1, vrid: 10, addresses: [10.0.3.1]}
)") == std::vector<std::string>{"vrrp.7", "vrrp6.7", "vrrp2.7", "vrrp6.8", "vrrp1.7", "-"});
}

TEST_CASE("an address may have a macvlan of its own on its interface", "[config]") {
  const InstanceConfig instance = instances_of(R"(
instances:
  - name: A
    interface: eth0
    vrid: 7
    virtual_mac: true
    addresses:
      - {address: 10.0.0.1, virtual_mac: true}
      - {address: 10.0.1.1, interface: eth1, virtual_mac: true, label: "vrrp1.7:a"}
      - {address: 10.0.1.2, interface: eth1, virtual_mac: true}
      - {address: 10.0.1.3, interface: eth1}
      - {address: 10.0.2.1, interface: eth2, virtual_mac: {interface: edge}}
      - {address: "fd77::1", advertise: false, virtual_mac: true}
)")[0];
  std::vector<std::string> names;
  for (const VirtualAddress& address : instance.addresses) {
    const std::string* const device = instance.device_of(address);
    names.push_back(device == nullptr ? "-" : *device);
  }
  CHECK(names == std::vector<std::string>{"vrrp.7", "vrrp1.7", "vrrp1.7", "-", "edge", "vrrp6.7"});
  std::vector<std::string> needs;
  for (const DeviceNeed& need : devices_of(instance)) {
    needs.push_back(need.name + " " + need.parent + " " + ha::to_string(need.mac));
  }
  CHECK(needs ==
        std::vector<std::string>{"vrrp.7 eth0 00:00:5e:00:01:07", "vrrp1.7 eth1 00:00:5e:00:01:07",
                                 "edge eth2 00:00:5e:00:01:07", "vrrp6.7 eth0 00:00:5e:00:02:07"});
}

TEST_CASE("the macvlan has the addresses of its family on the instance's own interface",
          "[config]") {
  const InstanceConfig instance = instances_of(R"(
instances:
  - name: A
    interface: eth0
    vrid: 7
    virtual_mac: true
    addresses:
      - {address: 10.0.0.1, label: "vrrp.7:a"}
      - {address: 10.0.0.2, interface: eth0}
      - {address: 10.0.0.3, interface: eth1, label: "eth1:a"}
      - {address: "fd77::1", advertise: false}
)")[0];
  std::vector<bool> answers;
  for (const VirtualAddress& address : instance.addresses) {
    answers.push_back(instance.has_virtual_mac(address));
  }
  CHECK(answers == std::vector<bool>{true, true, false, false});
}

TEST_CASE("a virtual MAC that cannot be is refused", "[config]") {
  check_all({
      {instance_with("virtual_mac: yes"),
       {"5:18: error: virtual_mac 'yes' is not true, false or {interface: NAME, address: MAC, "
        "transmit: virtual or parent}"}},
      {instance_with("virtual_mac: {interface: sixteen-letters-, transmit: base}"),
       {"5:30: error: interface 'sixteen-letters-' is not an interface name: 1-15 characters "
        "without '/', ':' and blanks",
        "5:58: error: transmit 'base' is not virtual or parent"}},
      {instance_with("virtual_mac: {address: \"01:00:5e:00:00:01\"}"),
       {"5:28: error: address 01:00:5e:00:00:01 is not a MAC address of one machine as "
        "02:00:5e:10:00:01, six pairs of hexadecimal digits"}},
      {instance_with("virtual_mac: {interface: eth0}\n    interface: eth0"),
       {"5:30: error: interface 'eth0' of virtual_mac is the instance's own; this is the name of "
        "another one, which is made on it"}},
      {instance_with("virtual_mac: {transmit: virtual}\n    unicast_peers: [10.0.0.9]"),
       {"5:18: error: transmit virtual is for multicast only; with unicast_peers advertisements "
        "leave by the interface itself"}},
      {instance_without_addresses_with(
           "addresses: [{address: 10.0.0.1, label: \"eth0:a\"}]\n    interface: eth0\n    "
           "virtual_mac: true"),
       {"2:5: error: label 'eth0:a' does not start with the interface's name 'vrrp.1'"}},
      {instance_without_addresses_with(
           "addresses: [{address: 10.0.0.1, interface: eth1, virtual_mac: {interface: eth1}}]"),
       {"4:79: error: interface 'eth1' of virtual_mac is there already; this is the name of "
        "another "
        "one, which is made"}},
      {instance_without_addresses_with("addresses: [{address: 10.0.0.1, virtual_mac: {interface: "
                                       "edge}}]\n    virtual_mac: true"),
       {"4:17: error: address 10.0.0.1/32 is on the instance's virtual_mac, not on 'edge'"}},
      {instance_without_addresses_with("addresses: [{address: 10.0.0.1, virtual_mac: {}}]"),
       {"4:50: error: 'interface' is required"}},
      {instance_without_addresses_with(
           "addresses: [{address: 10.0.0.1, interface: eth1, virtual_mac: {interface: a}}, "
           "{address: 10.0.0.2, interface: eth1, virtual_mac: {interface: b}}]"),
       {"2:5: error: virtual MAC address 00:00:5e:00:01:01 is already that of instance 'A' at line "
        "2"}},
      {R"(instances:
  - {name: A, interface: eth0, vrid: 7, addresses: [10.0.0.1], virtual_mac: {interface: edge}}
  - {name: B, interface: eth0, vrid: 8, addresses: [10.0.0.2], virtual_mac: {interface: edge}}
  - {name: C, interface: eth0, vrid: 9, addresses: [10.0.0.3], virtual_mac: {address: "00:00:5e:00:01:07"}}
)",
       {"3:89: error: interface 'edge' is already that of instance 'A' at line 2",
        "4:5: error: virtual MAC address 00:00:5e:00:01:07 is already that of instance 'A' at line "
        "2"}},
  });
}

}  // namespace
}  // namespace ha::vrrp
