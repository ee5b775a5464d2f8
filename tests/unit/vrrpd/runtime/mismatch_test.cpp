#include "vrrpd/runtime/mismatch.hpp"

#include <boost/asio/ip/address.hpp>
#include <chrono>

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using Kinds = std::vector<std::string_view>;

IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

InstanceConfig ours() {
  InstanceConfig config;
  config.name = "VI_MAIN";
  config.vrid = Vrid{51};
  config.multicast_group = ip("224.0.0.18");
  config.addresses.resize(1);
  config.addresses[0].prefix = {ip("10.0.0.100"), 24};
  return config;
}

Received alike() {
  Received received;
  received.advert.version = Version::k3;
  received.advert.priority = Priority{100};
  received.advert.interval = 1s;
  received.advert.addresses = {ip("10.0.0.100")};
  return received;
}

constexpr ChecksumForm kSent = ChecksumForm::kPseudoHeader;

TEST_CASE("a peer that is configured alike is worth no alarm") {
  CHECK(alarm_kinds(alike(), ours(), kSent).empty());
}

TEST_CASE("another interval and another list are told with both values") {
  Received received = alike();
  received.interval_differs = received.addresses_differ = true;
  received.advert.interval = 1500ms;
  received.advert.addresses.push_back(ip("10.0.0.101"));
  CHECK(alarm_kinds(received, ours(), kSent) ==
        Kinds{"address-list-mismatch", "interval-mismatch"});
  CHECK(values_of("interval-mismatch", received, ours(), kSent) == BothValues{"1s", "1500ms"});
  CHECK(values_of("address-list-mismatch", received, ours(), kSent) ==
        BothValues{"10.0.0.100", "10.0.0.100, 10.0.0.101"});
}

TEST_CASE("another group with our VRID is one alarm, whatever else is different") {
  Received received = alike();
  received.foreign = received.addresses_differ = received.interval_differs = true;
  received.advert.addresses = {ip("10.0.0.200")};
  CHECK(alarm_kinds(received, ours(), kSent) == Kinds{"foreign-router"});
  CHECK(values_of("foreign-router", received, ours(), kSent) ==
        BothValues{"10.0.0.100", "10.0.0.200"});
}

TEST_CASE("the other checksum form is an alarm where we do not follow it") {
  Received received = alike();
  received.form = ChecksumForm::kMessageOnly;
  InstanceConfig config = ours();
  CHECK(alarm_kinds(received, config, kSent).empty());
  config.checksum = ChecksumPolicy::kPseudoHeader;
  CHECK(alarm_kinds(received, config, kSent) == Kinds{"checksum-form-mismatch"});
  CHECK(values_of("checksum-form-mismatch", received, config, kSent) ==
        BothValues{"pseudo-header", "message-only"});
  received.advert.version = Version::k2;
  CHECK(alarm_kinds(received, config, kSent).empty());
}

TEST_CASE("two owners are an alarm, one is none", "[eid8298]") {
  Received received = alike();
  received.advert.priority = kPriorityOwner;
  InstanceConfig config = ours();
  CHECK(alarm_kinds(received, config, kSent).empty());
  config.router.priority = kPriorityOwner;
  CHECK(alarm_kinds(received, config, kSent) == Kinds{"duplicate-owner"});
}

TEST_CASE("a dropped packet tells what its sender is configured for") {
  InstanceConfig config = ours();
  const std::vector<std::uint8_t> v2{0x21, 51, 100, 1, 1, 2, 0, 0, 10, 0, 0, 100};
  Datagram datagram{ip("10.0.0.2"), ip("10.0.0.1"), 255, v2};

  CHECK(alarm_kind(PacketError::kVersion) == "version-mismatch");
  CHECK(values_of(PacketError::kVersion, datagram, config) == BothValues{"3", "2"});
  CHECK(alarm_kind(PacketError::kMode) == "mode-mismatch");
  CHECK(values_of(PacketError::kMode, datagram, config) == BothValues{"224.0.0.18", "10.0.0.1"});
  config.unicast_peers = {ip("10.0.0.3")};
  CHECK(values_of(PacketError::kMode, datagram, config).ours == "unicast");

  config.router.version = Version::k2;
  CHECK(alarm_kind(PacketError::kInterval) == "interval-mismatch");
  CHECK(values_of(PacketError::kInterval, datagram, config) == BothValues{"1s", "2s"});
  CHECK(alarm_kind(PacketError::kAuthType) == "password-mismatch");
  CHECK(values_of(PacketError::kAuthType, datagram, config) ==
        BothValues{"no password", "a password"});
}

TEST_CASE("passwords are never told") {
  InstanceConfig config = ours();
  config.password = std::string{"s3cret"};
  const std::vector<std::uint8_t> message(24, 'p');
  const Datagram datagram{ip("10.0.0.2"), ip("224.0.0.18"), 255, message};
  CHECK(values_of(PacketError::kAuthentication, datagram, config) ==
        BothValues{"a password", "another one"});
}

TEST_CASE("what no configuration explains is named by its counter, and may be cut anywhere") {
  for (std::size_t error = 0; error < kPacketErrorCount; ++error) {
    const auto reason = static_cast<PacketError>(error);
    const BothValues both = values_of(reason, {ip("10.0.0.2"), ip("224.0.0.18"), 255, {}}, ours());
    if (alarm_kind(reason) == "invalid-packets") {
      CHECK(both == BothValues{"", std::string{counter_name(reason)}});
    } else {
      CHECK_FALSE(both.ours.empty());
    }
  }
}

}  // namespace
}  // namespace ha::vrrp
