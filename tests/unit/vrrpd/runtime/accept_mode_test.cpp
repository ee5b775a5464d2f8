#include "vrrpd/runtime/accept_mode.hpp"

#include <sys/resource.h>

#include "tests/support/catch.hpp"

using namespace ha;
using namespace ha::vrrp;

namespace {

VirtualAddress address(const std::string& text, const std::string& interface = {}) {
  VirtualAddress address;
  address.prefix = {boost::asio::ip::make_address(text), 64};
  address.interface = interface;
  return address;
}

InstanceConfig instance(int priority, bool accepts, std::vector<VirtualAddress> addresses) {
  InstanceConfig config;
  config.interface = "eth0";
  config.router.priority = Priority{static_cast<std::uint8_t>(priority)};
  config.accepts = accepts;
  config.addresses = std::move(addresses);
  return config;
}

/// A filter that could not be opened, as where the kernel has none.
PacketFilter without_kernel() {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlimit none{0, limit.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  PacketFilter filter;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  return filter;
}

FilteredAddress filtered(const std::string& text, const std::string& interface = {}) {
  return {boost::asio::ip::make_address(text), interface};
}

}  // namespace

TEST_CASE("all addresses of an instance that does not accept are filtered", "[rfc9568-6.1]") {
  VirtualAddress silent = address("10.0.0.3");
  silent.advertise = false;
  const std::vector<InstanceConfig> instances{instance(100, true, {address("10.0.0.1")}),
                                              instance(100, false, {address("10.0.0.2"), silent})};
  CHECK(filtered_addresses(instances) == std::vector{filtered("10.0.0.2"), filtered("10.0.0.3")});
}

TEST_CASE("an address owner always accepts", "[rfc9568-6.1]") {
  CHECK(filtered_addresses(std::vector{instance(255, false, {address("10.0.0.1")})}).empty());
}

TEST_CASE("a link-local address is filtered on the interface that it is on") {
  const std::vector<InstanceConfig> instances{
      instance(100, false, {address("fe80::1"), address("fe80::2", "eth1"), address("fd00::1")})};
  CHECK(filtered_addresses(instances) ==
        std::vector{filtered("fe80::1", "eth0"), filtered("fe80::2", "eth1"), filtered("fd00::1")});
}

TEST_CASE("a link-local address with a virtual MAC is filtered on its macvlan") {
  InstanceConfig config =
      instance(100, false, {address("fe80::1"), address("fe80::2", "eth1"), address("fd00::1")});
  config.virtual_mac = VirtualMac{"vrrp.51"};
  CHECK(filtered_addresses(std::vector{config}) == std::vector{filtered("fe80::1", "vrrp.51"),
                                                               filtered("fe80::2", "eth1"),
                                                               filtered("fd00::1")});
}

TEST_CASE("without a packet filter a reload is refused and a start goes on") {
  PacketFilter filter = without_kernel();
  Log log;
  AcceptMode mode{filter, false, log};
  const std::vector<InstanceConfig> instances{instance(100, false, {address("10.0.0.1")})};
  const auto obstacles = mode.apply(instances, OnRefusal::kUndo);
  REQUIRE(obstacles.size() == 1);
  CHECK_THAT(obstacles.front(),
             Catch::Matchers::StartsWith("accept: false has no effect: change the packet filter"));
  CHECK(mode.apply(instances, OnRefusal::kGoOn).empty());
}

TEST_CASE("a packet filter that nobody needs is left alone") {
  PacketFilter filter = without_kernel();
  Log log;
  const std::vector<InstanceConfig> instances{instance(100, true, {address("10.0.0.1")})};
  CHECK(AcceptMode(filter, false, log).apply(instances, OnRefusal::kUndo).empty());
  CHECK(AcceptMode(filter, true, log).apply(instances, OnRefusal::kUndo).size() == 1);
}
