/// What only the real kernel can show: how addresses look to the rest of the system, and what
/// notifications say.
#include "vrrpd/kernel/netlink.hpp"

#include "tests/contract/vrrpd/kernel/machine.hpp"
#include "tests/support/without_capability.hpp"

using namespace ha;
using namespace ha::test;
using Catch::Matchers::Contains;

namespace {

void add(RealMachine& machine, const AddressRequest& request) {
  const auto added = machine.kernel().add_addresses({&request, 1});
  INFO((added ? std::string{} : added.error().message()));
  REQUIRE(added);
}

}  // namespace

TEST_CASE("what was there before is in the picture at once") {
  const NetworkNamespace machine;
  machine.run("ip link add lan type bridge");
  machine.run("ip link set lan address 02:00:00:00:00:07");
  machine.run("ip addr add 192.0.2.1/24 dev lan");
  machine.run("ip addr add 2001:db8::1/64 dev lan");
  boost::asio::io_context io{1};
  const NetworkNamespace::Inside inside{machine};

  const auto kernel = Netlink::open(io);
  REQUIRE(kernel);
  const Link* lan = find_link(**kernel, "lan");
  REQUIRE(lan != nullptr);
  CHECK(*lan == Link{lan->index, "lan", false, false, {2, 0, 0, 0, 0, 7}, lan->carrier_losses});
  CHECK(find_address(**kernel, lan->index, prefix("192.0.2.1/24")) != nullptr);
  CHECK(find_address(**kernel, lan->index, prefix("2001:db8::1/64")) != nullptr);
}

TEST_CASE("an IPv6 host address skips detection and is never preferred as a source") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  add(machine, {eth, prefix("2001:db8::10/128"), {}, false});
  const std::string shown = machine.run("ip -6 addr show dev eth to 2001:db8::10");
  CHECK_THAT(shown, Contains("inet6 2001:db8::10/128 scope global nodad deprecated"));
  CHECK_THAT(shown, Contains("valid_lft forever preferred_lft 0sec"));
}

TEST_CASE("an IPv6 address with a network skips detection and is an ordinary one") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  add(machine, {eth, prefix("2001:db8::10/64"), {}, false});
  const std::string shown = machine.run("ip -6 addr show dev eth to 2001:db8::10");
  CHECK_THAT(shown, Contains("inet6 2001:db8::10/64 scope global nodad"));
  CHECK_THAT(shown, Contains("valid_lft forever preferred_lft forever"));
  CHECK_THAT(machine.run("ip -6 route show dev eth"), Contains("2001:db8::/64"));
}

TEST_CASE("an address gets the broadcast address that is asked for, and no mark if it needs none") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  AddressRequest request{eth, prefix("192.0.2.10/24"), {}, false};
  request.broadcast = boost::asio::ip::make_address_v4("192.0.2.255");
  request.marked = false;
  add(machine, request);
  CHECK_THAT(machine.run("ip addr show dev eth to 192.0.2.10"), Contains("brd 192.0.2.255"));
  machine.kernel().catch_up();
  const Address* seen = find_address(machine.kernel(), eth, prefix("192.0.2.10/24"));
  REQUIRE(seen != nullptr);
  CHECK_FALSE(seen->ours);
  request.prefix = prefix("2001:db8::7/128");
  request.broadcast.reset();
  add(machine, request);
  // May be sent from.
  CHECK_THAT(machine.run("ip -6 addr show dev eth to 2001:db8::7"), !Contains("deprecated"));
}

TEST_CASE("an address with a lease is removed by the kernel unless it is installed again") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  for (const char* text : {"192.0.2.10/24", "2001:db8::10/128", "2001:db8::20/64"}) {
    INFO(text);
    const AddressRequest leased{eth, prefix(text), {}, false, std::chrono::seconds{60}};
    add(machine, leased);
    const std::string host = leased.prefix.address.to_string();
    const std::string show = "ip addr show dev eth to " + host;
    CHECK_THAT(machine.run(show), Contains("valid_lft 60sec"));
    AddressRequest longer = leased;
    longer.lease = std::chrono::seconds{3600};
    add(machine, longer);
    CHECK_THAT(machine.run(show), Contains("valid_lft 3600sec"));
    AddressRequest lasting = leased;
    lasting.lease = {};
    add(machine, lasting);
    CHECK_THAT(machine.run(show), Contains("valid_lft forever"));
    AddressRequest shortest = leased;
    shortest.lease = std::chrono::seconds{1};
    add(machine, shortest);
    CHECK(machine.wait_until(
        [&] { return find_address(machine.kernel(), eth, leased.prefix) == nullptr; }));
  }
}

TEST_CASE("an IPv4 address has global scope, no broadcast address and the label asked for") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  add(machine, {eth, prefix("192.0.2.10/24"), "eth:vip", false});
  CHECK_THAT(machine.run("ip -4 addr show dev eth"),
             Contains("inet 192.0.2.10/24 scope global eth:vip"));
  CHECK_THAT(machine.run("ip -4 route show dev eth"), Contains("192.0.2.0/24"));
}

TEST_CASE("a label does not keep an address from being removed") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  AddressRequest request{eth, prefix("192.0.2.10/24"), "eth:vip", false};
  add(machine, request);
  request.label = "eth:other";
  REQUIRE(machine.kernel().remove_addresses({&request, 1}));
  CHECK(machine.run("ip -4 addr show dev eth").empty());
}

TEST_CASE("a label that is too long is refused") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  const AddressRequest request{eth, prefix("192.0.2.10/24"), std::string(300, 'x'), false};
  CHECK_FALSE(machine.kernel().add_addresses({&request, 1}));
}

TEST_CASE("noprefixroute leaves the connected route out") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  add(machine, {eth, prefix("192.0.2.10/24"), {}, true});
  add(machine, {eth, prefix("2001:db8::10/64"), {}, true});
  CHECK_THAT(machine.run("ip addr show dev eth to 192.0.2.10"), Contains("noprefixroute"));
  CHECK_THAT(machine.run("ip addr show dev eth to 2001:db8::10"), Contains("noprefixroute"));
  CHECK_THAT(machine.run("ip -4 route show dev eth"), !Contains("192.0.2.0/24"));
  CHECK_THAT(machine.run("ip -6 route show dev eth"), !Contains("2001:db8::/64"));
}

TEST_CASE("adding an address again gives it the lifetimes asked for") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  machine.run("ip addr add 2001:db8::10/128 dev eth valid_lft 100 preferred_lft 100");
  machine.run("ip addr add 192.0.2.10/32 dev eth valid_lft 100 preferred_lft 100");
  add(machine, {eth, prefix("2001:db8::10/128"), {}, false});
  add(machine, {eth, prefix("192.0.2.10/32"), {}, false});
  CHECK_THAT(machine.run("ip addr show dev eth to 2001:db8::10"),
             Contains("valid_lft forever preferred_lft 0sec"));
  CHECK_THAT(machine.run("ip addr show dev eth to 192.0.2.10"), Contains("valid_lft forever"));
}

TEST_CASE("an address is tentative until duplicate address detection is through") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  machine.run(
      "sysctl -qw net.ipv6.conf.eth.accept_dad=1 net.ipv6.conf.all.accept_dad=1 "
      "net.ipv6.neigh.eth.retrans_time_ms=200");
  std::vector<bool> tentative;
  machine.kernel().on_event([&](const KernelEvent& event) {
    if (const auto* added = std::get_if<AddressAdded>(&event)) {
      tentative.push_back(added->address.tentative);
    }
  });

  machine.add_address(eth, prefix("2001:db8::20/64"));
  REQUIRE(machine.wait_until([&] { return !tentative.empty() && !tentative.back(); }));
  CHECK(tentative == std::vector<bool>{true, false});
}

TEST_CASE("the address of a point-to-point interface is its own and not its peer's") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  machine.run("ip addr add 192.0.2.1 peer 192.0.2.2/32 dev eth");
  machine.run("ip addr add 2001:db8::1 peer 2001:db8::2/128 dev eth");
  CHECK(machine.wait_until([&] {
    return find_address(machine.kernel(), eth, prefix("192.0.2.1/32")) != nullptr &&
           find_address(machine.kernel(), eth, prefix("2001:db8::1/128")) != nullptr;
  }));
}

TEST_CASE("an interface that leaves a bridge is still there") {
  RealMachine machine;
  machine.add_link("eth");
  machine.run("ip link add bridge type bridge");
  bool removed = false;
  machine.kernel().on_event(
      [&](const KernelEvent& event) { removed |= std::holds_alternative<LinkRemoved>(event); });
  machine.run("ip link set eth master bridge");
  machine.run("ip link set eth nomaster");
  machine.settle();
  CHECK_FALSE(removed);
  CHECK(find_link(machine.kernel(), "eth") != nullptr);
}

TEST_CASE("changing addresses without CAP_NET_ADMIN says what is missing") {
  RealMachine machine;
  const IfIndex eth = machine.add_link("eth");
  const AddressRequest request{eth, prefix("192.0.2.10/24"), {}, false};
  const WithoutCapability weaker{CAP_NET_ADMIN};

  const auto added = machine.kernel().add_addresses({&request, 1});
  REQUIRE_FALSE(added);
  CHECK(added.error().code == std::errc::operation_not_permitted);
  CHECK_THAT(added.error().message(), Contains("add 192.0.2.10/24 to eth (needs CAP_NET_ADMIN)"));
  const auto removed = machine.kernel().remove_addresses({&request, 1});
  REQUIRE_FALSE(removed);
  CHECK_THAT(removed.error().message(), Contains("CAP_NET_ADMIN"));
}

TEST_CASE("the network can be watched without CAP_NET_ADMIN") {
  const NetworkNamespace machine;
  boost::asio::io_context io{1};
  const NetworkNamespace::Inside inside{machine};
  const auto kernel = [&] {
    const WithoutCapability weaker{CAP_NET_ADMIN};
    return Netlink::open(io);
  }();
  REQUIRE(kernel);
  machine.run("ip addr add 127.0.0.9/32 dev lo");
  const IfIndex lo = find_link(**kernel, "lo")->index;
  CHECK(poll_until(io, [&] { return find_address(**kernel, lo, prefix("127.0.0.9/32")); }));
}

TEST_CASE("a destroyed watcher is not called for notifications that wait for it") {
  const NetworkNamespace machine;
  boost::asio::io_context io{1};
  bool called = false;
  {
    const NetworkNamespace::Inside inside{machine};
    auto kernel = Netlink::open(io);
    REQUIRE(kernel);
    (*kernel)->on_event([&](const KernelEvent&) { called = true; });
    machine.run("ip addr add 127.0.0.9/32 dev lo");
  }
  io.poll();
  CHECK_FALSE(called);
}
