/// What every Kernel promises, checked on the fake one and on the real one alike.
#include "vrrpd/kernel/kernel.hpp"

#include "tests/contract/vrrpd/kernel/machine.hpp"

using namespace ha;
using namespace ha::test;

namespace {

const Prefix kFirst = prefix("192.0.2.10/24");
const Prefix kSecond = prefix("2001:db8::10/128");

std::vector<AddressRequest> numbered_requests(IfIndex index, int count) {
  std::vector<AddressRequest> requests;
  for (int i = 0; i < count; ++i) {
    const std::string address =
        "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
    requests.push_back({index, prefix(address + "/32"), {}, false});
  }
  return requests;
}

}  // namespace

TEMPLATE_TEST_CASE("an address that was added is reported as ours", "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  std::vector<KernelEvent> events;
  kernel.on_event([&](const KernelEvent& event) {
    events.push_back(event);
    const auto& added = std::get<AddressAdded>(event).address;
    CHECK(find_address(kernel, added.interface, added.prefix) != nullptr);
  });

  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false}, {eth, kSecond, {}, false}};
  REQUIRE(kernel.add_addresses(requests));

  REQUIRE(machine.wait_until([&] { return events.size() == 2; }));
  CHECK(std::get<AddressAdded>(events[0]).address == Address{eth, kFirst, true, false});
  CHECK(std::get<AddressAdded>(events[1]).address == Address{eth, kSecond, true, false});
}

TEMPLATE_TEST_CASE("500 addresses are added and removed", "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const auto requests = numbered_requests(eth, 500);
  const auto present = [&] {
    return std::count_if(requests.begin(), requests.end(), [&](const AddressRequest& request) {
      return find_address(kernel, eth, request.prefix) != nullptr;
    });
  };

  REQUIRE(kernel.add_addresses(requests));
  CHECK(machine.wait_until([&] { return present() == 500; }));
  REQUIRE(kernel.remove_addresses(requests));
  CHECK(machine.wait_until([&] { return present() == 0; }));
}

TEMPLATE_TEST_CASE("adding twice and removing twice are success and reported once", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  std::vector<KernelEvent> events;
  kernel.on_event([&](const KernelEvent& event) { events.push_back(event); });
  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false}, {eth, kSecond, {}, false}};

  CHECK(kernel.add_addresses(requests));
  CHECK(kernel.add_addresses(requests));
  CHECK(kernel.remove_addresses(requests));
  CHECK(kernel.remove_addresses(requests));

  machine.settle();
  CHECK(only<AddressAdded>(events).size() == 2);
  CHECK(only<AddressRemoved>(events).size() == 2);
}

TEMPLATE_TEST_CASE("an address that somebody else added is not ours until it is added here", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const auto mark = [&](const Prefix& wanted) {
    const Address* address = find_address(kernel, eth, wanted);
    return address != nullptr && address->ours;
  };

  machine.add_address(eth, kFirst);
  machine.add_address(eth, kSecond);
  REQUIRE(machine.wait_until([&] { return find_address(kernel, eth, kSecond) != nullptr; }));
  CHECK_FALSE(mark(kFirst));
  CHECK_FALSE(mark(kSecond));

  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false}, {eth, kSecond, {}, false}};
  REQUIRE(kernel.add_addresses(requests));
  CHECK(machine.wait_until([&] { return mark(kFirst) && mark(kSecond); }));
}

TEMPLATE_TEST_CASE("an IPv4 address with another prefix length is another address", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const Prefix host = prefix("192.0.2.10/32");
  const std::vector<AddressRequest> both{{eth, kFirst, {}, false}, {eth, host, {}, false}};
  REQUIRE(kernel.add_addresses(both));
  REQUIRE(machine.wait_until([&] { return find_address(kernel, eth, host) != nullptr; }));

  const AddressRequest wrong{eth, prefix("192.0.2.10/25"), {}, false};
  REQUIRE(kernel.remove_addresses({&wrong, 1}));
  machine.settle();
  CHECK(find_address(kernel, eth, kFirst) != nullptr);
  CHECK(find_address(kernel, eth, host) != nullptr);

  REQUIRE(kernel.remove_addresses({&both[0], 1}));
  CHECK(machine.wait_until([&] { return find_address(kernel, eth, kFirst) == nullptr; }));
  CHECK(find_address(kernel, eth, host) != nullptr);
}

TEMPLATE_TEST_CASE("an IPv6 address keeps the prefix length it was first added with", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const Prefix wide = prefix("2001:db8::10/64");
  machine.add_address(eth, wide);

  const AddressRequest narrow{eth, kSecond, {}, false};
  REQUIRE(kernel.add_addresses({&narrow, 1}));
  REQUIRE(machine.wait_until([&] {
    const Address* address = find_address(kernel, eth, wide);
    return address != nullptr && address->ours;
  }));
  CHECK(find_address(kernel, eth, kSecond) == nullptr);
}

TEMPLATE_TEST_CASE("one refused address is reported and the others are added", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const IfIndex nowhere{4711};
  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false},
                                             {nowhere, prefix("192.0.2.11/24"), {}, false},
                                             {nowhere, prefix("2001:db8::11/64"), {}, false},
                                             {eth, kSecond, {}, false}};

  const auto added = kernel.add_addresses(requests);
  REQUIRE_FALSE(added);
  CHECK(added.error().code == std::errc::no_such_device);
  CHECK_THAT(added.error().message(), Catch::Matchers::Contains("add 192.0.2.11/24"));
  CHECK(machine.wait_until([&] { return find_address(kernel, eth, kSecond) != nullptr; }));
  CHECK(find_address(kernel, eth, kFirst) != nullptr);
}

TEMPLATE_TEST_CASE("removing from an interface that is gone is success", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  const std::vector<AddressRequest> requests{{IfIndex{4711}, kFirst, {}, false},
                                             {IfIndex{4711}, kSecond, {}, false}};
  CHECK(machine.kernel().remove_addresses(requests));
}

TEMPLATE_TEST_CASE("an interface that goes down and up is reported each time", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  std::vector<Link> reported;
  kernel.on_event([&](const KernelEvent& event) {
    const auto& link = std::get<LinkChanged>(event).link;
    if (link.index == eth) reported.push_back(link);
  });
  const auto last_is_up = [&] { return reported.back().up && reported.back().running; };

  machine.set_up(eth, false);
  REQUIRE(machine.wait_until([&] { return !reported.empty() && !last_is_up(); }));
  CHECK_FALSE(find_link(kernel, "eth")->up);
  CHECK_FALSE(find_link(kernel, "eth")->running);
  machine.set_up(eth, true);
  CHECK(machine.wait_until(last_is_up));
  CHECK(find_link(kernel, "eth")->running);
}

TEMPLATE_TEST_CASE("an interface that goes down loses its IPv6 addresses and keeps its IPv4 ones",
                   "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false}, {eth, kSecond, {}, false}};
  REQUIRE(kernel.add_addresses(requests));
  REQUIRE(machine.wait_until([&] { return find_address(kernel, eth, kSecond) != nullptr; }));

  machine.set_up(eth, false);
  CHECK(machine.wait_until([&] { return find_address(kernel, eth, kSecond) == nullptr; }));
  CHECK(find_address(kernel, eth, kFirst) != nullptr);
}

TEMPLATE_TEST_CASE("a renamed interface keeps its number and addresses", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  machine.add_address(eth, kFirst);
  machine.set_up(eth, false);
  machine.rename(eth, "lan");

  REQUIRE(machine.wait_until([&] { return find_link(kernel, "lan") != nullptr; }));
  CHECK(find_link(kernel, "lan")->index == eth);
  CHECK(find_link(kernel, "eth") == nullptr);
  CHECK(find_address(kernel, eth, kFirst) != nullptr);
}

TEMPLATE_TEST_CASE("an interface that is removed takes its addresses along, they go first", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const std::vector<AddressRequest> requests{{eth, kFirst, {}, false}, {eth, kSecond, {}, false}};
  REQUIRE(kernel.add_addresses(requests));
  REQUIRE(machine.wait_until([&] { return find_address(kernel, eth, kSecond) != nullptr; }));
  std::size_t addresses_removed = 0;
  bool link_removed = false;
  kernel.on_event([&](const KernelEvent& event) {
    if (const auto* address = std::get_if<AddressRemoved>(&event)) {
      CHECK_FALSE(link_removed);
      if (address->address.prefix == kFirst || address->address.prefix == kSecond) {
        ++addresses_removed;
      }
    }
    if (const auto* link = std::get_if<LinkRemoved>(&event)) link_removed |= link->index == eth;
  });

  machine.remove_link(eth);
  REQUIRE(machine.wait_until([&] { return link_removed; }));
  CHECK(addresses_removed == 2);
  CHECK(find_link(kernel, "eth") == nullptr);
  CHECK(find_address(kernel, eth, kFirst) == nullptr);
}

TEMPLATE_TEST_CASE("what changed while notifications were lost is in the picture afterwards", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  bool resynchronised = false;
  bool complete = false;
  kernel.on_event([&](const KernelEvent& event) {
    if (!std::holds_alternative<Resynchronised>(event)) return;
    resynchronised = true;
    complete = find_address(kernel, eth, kFirst) != nullptr;
  });

  machine.overflow(eth, kFirst);
  REQUIRE(machine.wait_until([&] { return resynchronised; }));
  CHECK(complete);
  const auto& addresses = kernel.addresses();
  CHECK(std::none_of(addresses.begin(), addresses.end(), [](const Address& address) {
    return address.prefix.address.to_string().rfind("10.9.", 0) == 0;
  }));

  machine.remove_address(eth, kFirst);
  CHECK(machine.wait_until([&] { return find_address(kernel, eth, kFirst) == nullptr; }));
}

TEMPLATE_TEST_CASE("a handler may put back what was removed", "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const AddressRequest request{eth, kFirst, {}, false};
  REQUIRE(kernel.add_addresses({&request, 1}));
  REQUIRE(machine.wait_until([&] { return find_address(kernel, eth, kFirst) != nullptr; }));
  bool added_again = false;
  kernel.on_event([&](const KernelEvent& event) {
    if (std::holds_alternative<AddressRemoved>(event)) CHECK(kernel.add_addresses({&request, 1}));
    if (std::holds_alternative<AddressAdded>(event)) added_again = true;
  });

  machine.remove_address(eth, kFirst);
  REQUIRE(machine.wait_until([&] { return added_again; }));
  CHECK(find_address(kernel, eth, kFirst) != nullptr);
}

TEMPLATE_TEST_CASE("a loss of carrier shows when it is over", "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const Link before = *find_link(kernel, "eth");
  machine.flap(eth);
  REQUIRE(machine.wait_until([&] {
    const Link& now = *find_link(kernel, "eth");
    return now.running && now.carrier_losses == before.carrier_losses + 1;
  }));
}

TEMPLATE_TEST_CASE("after catching up the picture holds what was changed here", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  const auto requests = numbered_requests(eth, 1500);
  std::size_t told = 0;
  kernel.on_event([&](const KernelEvent&) { ++told; });

  REQUIRE(kernel.add_addresses(requests));
  CHECK(kernel.addresses().size() < requests.size());
  kernel.catch_up();

  CHECK(told == requests.size());
  for (const AddressRequest& request : requests) {
    REQUIRE(find_address(kernel, eth, request.prefix) != nullptr);
  }
  kernel.on_event({});
}

TEMPLATE_TEST_CASE("without a handler the picture is kept up to date all the same", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  const IfIndex eth = machine.add_link("eth");
  machine.add_address(eth, kFirst);
  CHECK(machine.wait_until([&] { return find_address(machine.kernel(), eth, kFirst) != nullptr; }));
}

TEMPLATE_TEST_CASE("routes and rules are added and removed, and twice is success", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  machine.settle();
  const std::vector<AddressRequest> address{{eth, kFirst, {}, false}};
  REQUIRE(kernel.add_addresses(address));
  Route route;
  route.gateway = boost::asio::ip::make_address("192.0.2.1");
  route.interface = "eth";
  route.table = 1000;
  Route network;
  network.destination = prefix("198.51.100.0/24");
  network.interface = "eth";
  network.source = kFirst.address;
  network.scope = 253;
  network.mtu = 1400;
  Rule rule;
  rule.from = prefix("192.0.2.10/32");
  rule.preference = 100;
  rule.table = 1000;
  const std::vector<Routing> all{route, network, rule};

  CHECK(kernel.add_routing(all));
  CHECK(kernel.add_routing(all));
  CHECK(kernel.remove_routing(all));
  CHECK(kernel.remove_routing(all));
}

TEMPLATE_TEST_CASE("a macvlan is made with our note, and making it again changes nothing", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const Macvlan macvlan{"vrrp.51", machine.add_link("eth"), {0, 0, 0x5e, 0, 1, 51}, {0, 1, 2}};
  REQUIRE(kernel.add_macvlan(macvlan));
  kernel.catch_up();
  std::vector<KernelEvent> events;
  kernel.on_event([&](const KernelEvent& event) { events.push_back(event); });
  CHECK(kernel.add_macvlan(macvlan));
  machine.settle();

  const Link* const link = find_link(kernel, "vrrp.51");
  REQUIRE(link != nullptr);
  CHECK(link->up);
  CHECK(link->mac == macvlan.mac);
  CHECK(link->parent == macvlan.parent);
  CHECK(link->arp.ignore == 1);
  CHECK(link->arp.announce == 2);
  CHECK(link->parent_arp == macvlan.parent_arp);
  const auto changes = only<LinkChanged>(events);
  CHECK(std::none_of(changes.begin(), changes.end(),
                     [](const LinkChanged& change) { return change.link.name == "vrrp.51"; }));
  CHECK(kernel.restrict_ipv6("vrrp.51", true));
  CHECK(kernel.restrict_ipv6("vrrp.51", false));
  for (const Address& address : kernel.addresses()) CHECK(address.interface != link->index);
  kernel.on_event({});
}

TEMPLATE_TEST_CASE("interfaces are removed together, and one that is gone is success", "",
                   FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  std::vector<IfIndex> made;
  for (std::uint8_t number = 1; number <= 20; ++number) {
    const std::string name = "vrrp." + std::to_string(number);
    REQUIRE(kernel.add_macvlan({name, eth, {0, 0, 0x5e, 0, 1, number}, {}}));
    kernel.catch_up();
    made.push_back(find_link(kernel, name)->index);
  }
  CHECK(kernel.remove_links(made));
  kernel.catch_up();
  for (const Link& link : kernel.links()) CHECK(link.parent == IfIndex{});
  CHECK(find_link(kernel, "eth") != nullptr);
  CHECK(kernel.remove_links(made));
  CHECK(kernel.remove_links({}));
}

TEMPLATE_TEST_CASE("a macvlan goes with its parent", "", FakeMachine, RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  REQUIRE(kernel.add_macvlan({"vrrp.51", eth, {0, 0, 0x5e, 0, 1, 51}, {}}));
  machine.remove_link(eth);
  CHECK(machine.wait_until([&] {
    return find_link(kernel, "eth") == nullptr && find_link(kernel, "vrrp.51") == nullptr;
  }));
}

TEMPLATE_TEST_CASE("how an interface answers ARP can be set and is seen", "", FakeMachine,
                   RealMachine) {
  TestType machine;
  Kernel& kernel = machine.kernel();
  const IfIndex eth = machine.add_link("eth");
  CHECK(find_link(kernel, "eth")->arp == ArpBehaviour{});
  REQUIRE(kernel.set_arp(eth, {1, 1, 2}));
  CHECK(machine.wait_until([&] { return find_link(kernel, "eth")->arp == ArpBehaviour{1, 1, 2}; }));
}
