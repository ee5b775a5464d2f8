#include "vrrpd/runtime/virtual_devices.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/fake_kernel.hpp"
#include "vrrpd/config/virtual_mac.hpp"

namespace ha::vrrp {
namespace {

const MacAddress kMac = virtual_mac_address(Family::kIpv4, Vrid{51});
const MacAddress kOther = virtual_mac_address(Family::kIpv4, Vrid{52});
constexpr ArpBehaviour kAsParent{1, 1, 2};

/// A kernel with one interface, and what keeps macvlans on it.
struct Machine {
  Machine() { kernel.deliver(); }

  [[nodiscard]] WantedDevice wanted(const std::string& name, const MacAddress& mac = kMac,
                                    Family family = Family::kIpv4) const {
    return {name, eth0, mac, family};
  }
  [[nodiscard]] const Link* find(const std::string& name) {
    kernel.deliver();
    for (const Link& link : kernel.links()) {
      if (link.name == name) return &link;
    }
    return nullptr;
  }
  void provide(const std::vector<WantedDevice>& all) { devices.provide(all); }

  FakeKernel kernel;
  Log log;
  IfIndex eth0 = kernel.add_link("eth0");
  VirtualDevices devices{kernel, log};
};

TEST_CASE("a macvlan that is wanted is made, with a note of what its interface was like",
          "[virtual_mac]") {
  Machine machine;
  machine.kernel.set_arp(machine.eth0, {0, 0, 1});
  machine.kernel.deliver();
  machine.provide({machine.wanted("vrrp.51")});
  const Link* const link = machine.find("vrrp.51");
  REQUIRE(link != nullptr);
  CHECK(link->parent == machine.eth0);
  CHECK(link->mac == kMac);
  CHECK(link->parent_arp == ArpBehaviour{0, 0, 1});
  CHECK(machine.find("eth0")->arp == kAsParent);
}

TEST_CASE("a second macvlan notes what the interface was like before the first", "[virtual_mac]") {
  Machine machine;
  machine.provide({machine.wanted("vrrp.51"), machine.wanted("vrrp.52", kOther)});
  CHECK(machine.find("vrrp.52")->parent_arp == ArpBehaviour{});
  machine.devices.keep({"vrrp.52"}, false);
  CHECK(machine.find("vrrp.51") == nullptr);
  CHECK(machine.find("eth0")->arp == kAsParent);
  machine.devices.keep({}, false);
  CHECK(machine.find("eth0")->arp == ArpBehaviour{});
}

TEST_CASE("only IPv4 changes how an interface answers ARP", "[virtual_mac]") {
  Machine machine;
  machine.provide({machine.wanted("vrrp.51", kMac, Family::kIpv6)});
  CHECK(machine.find("eth0")->arp == ArpBehaviour{});
}

TEST_CASE("a macvlan that fits is left as it is", "[virtual_mac]") {
  Machine machine;
  machine.provide({machine.wanted("vrrp.51")});
  const std::vector<WantedDevice> wanted{machine.wanted("vrrp.51")};
  CHECK(plan_devices(machine.kernel.links(), wanted) == DevicePlan{});
}

TEST_CASE("one that is down, or that keepalived left, is used and made what it should be",
          "[virtual_mac]") {
  Machine machine;
  const std::vector<WantedDevice> wanted{machine.wanted("vrrp.51")};
  machine.provide(wanted);
  Link link = *machine.find("vrrp.51");
  std::vector<Link> links{*machine.find("eth0"), link};
  const Macvlan macvlan{"vrrp.51", machine.eth0, kMac, {}};

  links[1].up = false;
  CHECK(plan_devices(links, wanted) == DevicePlan{{}, {macvlan}, {}});
  links[1] = link;
  links[1].parent_arp.reset();
  links[0].arp = {};
  CHECK(plan_devices(links, wanted) == DevicePlan{{}, {macvlan}, {}});
}

TEST_CASE("one of ours with another parent, MAC address or name than it should have is replaced",
          "[virtual_mac]") {
  Machine machine;
  machine.provide({machine.wanted("vrrp.51")});
  const IfIndex before = machine.find("vrrp.51")->index;
  const auto plan = [&](const WantedDevice& wanted) {
    return plan_devices(machine.kernel.links(), {&wanted, 1});
  };
  CHECK(plan(machine.wanted("vrrp.51", kOther)).remove == std::vector{before});
  CHECK(plan(machine.wanted("edge")).remove == std::vector{before});
  CHECK(plan(machine.wanted("edge", kOther)).remove.empty());
  const IfIndex eth1 = machine.kernel.add_link("eth1");
  machine.kernel.deliver();
  CHECK(plan({"vrrp.51", eth1, kMac, Family::kIpv4}).remove == std::vector{before});

  machine.provide({machine.wanted("vrrp.51", kOther)});
  CHECK(machine.find("vrrp.51")->mac == kOther);
}

TEST_CASE("what is not ours is never touched, and is said to be in the way", "[virtual_mac]") {
  Machine machine;
  machine.kernel.add_link("vrrp.51");
  machine.kernel.deliver();
  machine.provide({machine.wanted("vrrp.51"), machine.wanted("vrrp.52", kOther)});
  CHECK(machine.devices.trouble("vrrp.51") == "another interface has this name");
  CHECK(machine.devices.trouble("vrrp.52").empty());
  machine.devices.keep({}, true);
  CHECK(machine.find("vrrp.51") != nullptr);
  CHECK(machine.find("vrrp.52") == nullptr);

  Link foreign = *machine.find("vrrp.51");
  foreign.parent = machine.eth0;
  const std::vector<Link> links{*machine.find("eth0"), foreign};
  const std::vector<WantedDevice> wanted{machine.wanted("vrrp.51")};
  CHECK(plan_devices(links, wanted).taken.at("vrrp.51") ==
        "a macvlan of somebody else's has this name");
}

TEST_CASE("leftovers go where nobody else can own them", "[virtual_mac]") {
  Machine machine;
  machine.provide({machine.wanted("vrrp.51")});
  VirtualDevices next{machine.kernel, machine.log};
  next.keep({}, false);
  CHECK(machine.find("vrrp.51") != nullptr);
  next.keep({}, true);
  CHECK(machine.find("vrrp.51") == nullptr);
}

TEST_CASE("a refusal is known by the name of the macvlan until it is overcome", "[virtual_mac]") {
  Machine machine;
  machine.kernel.refuse_requests(EPERM);
  machine.provide({machine.wanted("vrrp.51")});
  CHECK(machine.devices.trouble("vrrp.51") ==
        "make the interface vrrp.51: Operation not permitted");
  machine.kernel.refuse_requests(0);
  machine.provide({machine.wanted("vrrp.51")});
  CHECK(machine.devices.trouble("vrrp.51").empty());
}

TEST_CASE("an interface is stricter for its macvlans, and what others changed stays changed",
          "[virtual_mac]") {
  CHECK(as_parent({}) == kAsParent);
  CHECK(as_parent({2, 0, 0}) == ArpBehaviour{2, 1, 2});
  CHECK(restored(kAsParent, {0, 0, 1}) == ArpBehaviour{0, 0, 1});
  CHECK(restored({8, 1, 0}, {0, 0, 1}) == ArpBehaviour{8, 0, 0});
}

}  // namespace
}  // namespace ha::vrrp
