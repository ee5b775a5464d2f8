// Which virtual routers go on when the list of instances changes.
#include "vrrpd/config/diff.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using Indices = std::vector<std::optional<std::size_t>>;

InstanceConfig instance(std::string name, int vrid, const std::string& address) {
  InstanceConfig config;
  config.name = std::move(name);
  config.vrid = Vrid{static_cast<std::uint8_t>(vrid)};
  config.addresses = {{{boost::asio::ip::make_address(address), 24}, {}, {}, true, false}};
  config.multicast_group = boost::asio::ip::make_address("224.0.0.18");
  return config;
}

/// All on eth0.
std::vector<RouterIdentity> on_eth0(const std::vector<InstanceConfig>& configs) {
  std::vector<RouterIdentity> identities;
  for (const InstanceConfig& config : configs) identities.push_back(identity_of(config, "eth0"));
  return identities;
}

Indices predecessors_of(const std::vector<InstanceConfig>& before,
                        const std::vector<InstanceConfig>& after) {
  return predecessors(on_eth0(before), on_eth0(after));
}

const InstanceConfig kA = instance("A", 51, "10.0.0.100");
const InstanceConfig kB = instance("B", 52, "10.0.0.101");

TEST_CASE("an instance goes on whatever its place in the list", "[config]") {
  CHECK(predecessors_of({kA, kB}, {kB, kA}) == Indices{1, 0});
  CHECK(predecessors_of({kA}, {kB, kA}) == Indices{std::nullopt, 0});
  CHECK(predecessors_of({kA, kB}, {kB}) == Indices{1});
  CHECK(predecessors_of({}, {kA}) == Indices{std::nullopt});
}

TEST_CASE("what its peers do not see may change while it goes on", "[config]") {
  InstanceConfig changed = kA;
  SECTION("its name") { changed.name = "Z"; }
  SECTION("its priority") { changed.router.priority = Priority{7}; }
  SECTION("its interval") { changed.router.advertisement_interval = std::chrono::seconds{2}; }
  SECTION("its addresses") { changed.addresses = kB.addresses; }
  SECTION("whether its interface is named or found") { changed.interface = "eth0"; }
  CHECK(predecessors_of({kA, kB}, {changed, kB}) == Indices{0, 1});
}

TEST_CASE("a change of what makes it that router starts it anew", "[config]") {
  InstanceConfig changed = kA;
  std::string interface = "eth0";
  SECTION("its VRID") { changed.vrid = Vrid{53}; }
  SECTION("its version") { changed.router.version = Version::k2; }
  SECTION("its family") {
    changed.addresses.front().prefix = {boost::asio::ip::make_address("fe80::1"), 64};
  }
  SECTION("its multicast group") {
    changed.multicast_group = boost::asio::ip::make_address("224.0.0.19");
  }
  SECTION("unicast instead of multicast") {
    changed.unicast_peers = {boost::asio::ip::make_address("10.0.0.2")};
  }
  SECTION("its interface") { interface = "eth1"; }
  const std::vector<RouterIdentity> after{identity_of(changed, interface)};
  CHECK(predecessors(on_eth0({kA, kB}), after) == Indices{std::nullopt});
}

TEST_CASE("the peers of a unicast router may change while it goes on", "[config]") {
  InstanceConfig before = kA;
  before.unicast_peers = {boost::asio::ip::make_address("10.0.0.2")};
  InstanceConfig after = kA;
  after.unicast_peers = {boost::asio::ip::make_address("10.0.0.3")};
  after.multicast_group = boost::asio::ip::make_address("224.0.0.19");  // of no meaning then
  CHECK(predecessors_of({before}, {after}) == Indices{0});
}

TEST_CASE("two that exchange their VRIDs both go on as each other", "[config]") {
  InstanceConfig a = kA;
  InstanceConfig b = kB;
  std::swap(a.vrid, b.vrid);
  CHECK(predecessors_of({kA, kB}, {a, b}) == Indices{1, 0});
}

TEST_CASE("where two ended up as the same router each goes on once", "[config]") {
  CHECK(predecessors_of({kA, kA}, {kA, kA, kA}) == Indices{0, 1, std::nullopt});
}

}  // namespace
}  // namespace ha::vrrp
