#include "vrrpd/runtime/static_part.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/fake_kernel.hpp"
#include "vrrpd/settings/routing.hpp"

namespace ha::vrrp {
namespace {

Prefix prefix(const char* address, std::uint8_t length) {
  return {boost::asio::ip::make_address(address), length};
}

StaticConfig one_on(const std::string& interface, const Prefix& address) {
  StaticConfig fixed;
  fixed.addresses.push_back({address, interface, {}});
  return fixed;
}

std::vector<Prefix> installed(const FakeKernel& kernel) {
  std::vector<Prefix> found;
  for (const Address& address : kernel.installed()) found.push_back(address.prefix);
  return found;
}

const Prefix kFirst = prefix("10.9.0.1", 24);
const Prefix kSecond = prefix("10.9.0.2", 24);

TEST_CASE("static addresses are the machine's own", "[static]") {
  FakeKernel kernel;
  Log log;
  kernel.add_link("eth1");
  kernel.deliver();
  StaticPart part{kernel, log};
  part.apply(one_on("eth1", kFirst));
  REQUIRE(kernel.installed().size() == 1);
  CHECK_FALSE(kernel.installed()[0].ours);
}

TEST_CASE("what is not wanted any more goes, what stays is not touched", "[static]") {
  FakeKernel kernel;
  Log log;
  kernel.add_link("eth1");
  kernel.deliver();
  StaticPart part{kernel, log};
  StaticConfig fixed = one_on("eth1", kFirst);
  fixed.routes.push_back(*config::parse_route("10.8.0.0/16 via 10.9.0.9"));
  fixed.rules.push_back(*config::parse_rule("from 10.9.0.1 table 7"));
  part.apply(fixed);
  kernel.deliver();
  CHECK(kernel.routing() == routing_of(fixed));

  fixed.addresses.push_back({kSecond, "eth1", {}});
  fixed.routes.clear();
  part.apply(fixed);
  kernel.deliver();
  CHECK(installed(kernel) == std::vector<Prefix>{kFirst, kSecond});
  CHECK(kernel.routing() == routing_of(fixed));

  part.remove();
  CHECK(installed(kernel).empty());
  CHECK(kernel.routing().empty());
}

TEST_CASE("what waits for its interface, or was removed, comes when somebody looks again",
          "[static]") {
  FakeKernel kernel;
  Log log;
  StaticPart part{kernel, log};
  part.apply(one_on("eth1", kFirst));
  CHECK(installed(kernel).empty());
  const IfIndex eth1 = kernel.add_link("eth1");
  kernel.deliver();
  part.look_again();
  CHECK(installed(kernel) == std::vector<Prefix>{kFirst});
  kernel.remove_address(eth1, kFirst);
  kernel.deliver();
  part.look_again();
  CHECK(installed(kernel) == std::vector<Prefix>{kFirst});
}

}  // namespace
}  // namespace ha::vrrp
