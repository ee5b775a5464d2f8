#include "vrrpd/wire/receive.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <ostream>

#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"
#include "vrrpd/wire/layout.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

struct Sent {
  Advert advert;
  IpAddress source;
  IpAddress destination;
  ChecksumForm form = ChecksumForm::kPseudoHeader;
  bool unicast = false;

  [[nodiscard]] std::vector<std::uint8_t> message() const {
    return encode(advert, source, destination, form);
  }

  /// What a peer with the same configuration asks for.
  [[nodiscard]] ReceivePolicy policy() const {
    ReceivePolicy policy;
    policy.version = advert.version;
    policy.vrid = advert.vrid;
    policy.advertisement_interval = advert.interval;
    policy.multicast_group = destination;
    if (unicast) policy.unicast_peers = {source};
    policy.password = advert.password;
    policy.addresses = advert.addresses;
    std::sort(policy.addresses.begin(), policy.addresses.end());
    policy.addresses.erase(std::unique(policy.addresses.begin(), policy.addresses.end()),
                           policy.addresses.end());
    return policy;
  }
};

std::ostream& operator<<(std::ostream& out, const Sent& sent) {
  return out << sent.source << " > " << sent.destination << ": "
             << ha::test::to_hex(sent.message());
}

template <std::size_t kSize>
std::array<std::uint8_t, kSize> any_bytes() {
  return *rc::gen::arbitrary<std::array<std::uint8_t, kSize>>();
}

IpAddress any_host(Family family) {
  using namespace boost::asio::ip;
  if (family == Family::kIpv4) {
    auto bytes = any_bytes<4>();
    bytes[0] = *rc::gen::inRange<std::uint8_t>(1, 127);
    return address_v4{bytes};
  }
  auto bytes = any_bytes<16>();
  bytes[0] = 0xfe;
  bytes[1] = 0x80;
  return address_v6{bytes};
}

std::vector<IpAddress> any_addresses(Family family) {
  using namespace boost::asio::ip;
  const int count =
      *rc::gen::weightedOneOf<int>({{8, rc::gen::inRange(1, 5)}, {1, rc::gen::inRange(5, 256)}});
  std::vector<IpAddress> addresses{any_host(family)};
  while (addresses.size() < static_cast<std::size_t>(count)) {
    if (family == Family::kIpv4) {
      addresses.emplace_back(address_v4{any_bytes<4>()});
    } else {
      addresses.emplace_back(address_v6{any_bytes<16>()});
    }
  }
  return addresses;
}

Sent any_sent() {
  Sent sent;
  Advert& advert = sent.advert;
  advert.version = *rc::gen::element(Version::k2, Version::k3);
  const Family family = advert.version == Version::k2
                            ? Family::kIpv4
                            : *rc::gen::element(Family::kIpv4, Family::kIpv6);
  advert.vrid = Vrid{static_cast<std::uint8_t>(*rc::gen::inRange(1, 256))};
  advert.priority = Priority{*rc::gen::arbitrary<std::uint8_t>()};
  advert.addresses = any_addresses(family);
  if (advert.version == Version::k2) {
    advert.interval = *rc::gen::inRange(1, 256) * 1s;
    if (*rc::gen::arbitrary<bool>()) advert.password = any_bytes<8>();
  } else {
    advert.interval = *rc::gen::inRange(1, 4096) * 10ms;
  }
  sent.source = any_host(family);
  sent.unicast = *rc::gen::arbitrary<bool>();
  sent.destination =
      sent.unicast
          ? any_host(family)
          : boost::asio::ip::make_address(family == Family::kIpv4 ? "224.0.0.18" : "ff02::12");
  sent.form = *rc::gen::element(ChecksumForm::kPseudoHeader, ChecksumForm::kMessageOnly);
  return sent;
}

ChecksumForm form_on_the_wire(const Sent& sent) {
  return layout::checksum_form(sent.advert.version, family_of(sent.source), sent.form);
}

TEST_CASE("what is encoded is received as it was") {
  CHECK(rc::check([] {
    const Sent sent = any_sent();
    const ReceivePolicy policy = sent.policy();
    const auto message = sent.message();
    RC_LOG() << sent << '\n';

    RC_TAG(static_cast<int>(sent.advert.version), sent.source.is_v6(), sent.unicast);
    const auto result = receive({sent.source, sent.destination, 255, message}, &policy);
    RC_ASSERT(result.has_value());
    RC_ASSERT(result->advert == sent.advert);
    RC_ASSERT(result->form == form_on_the_wire(sent));
    RC_ASSERT(!result->addresses_differ);
    RC_ASSERT(!result->interval_differs);
  }));
}

TEST_CASE("an advertisement with one bit turned is dropped or another one") {
  CHECK(rc::check([] {
    const Sent sent = any_sent();
    const ReceivePolicy policy = sent.policy();
    auto message = sent.message();
    const auto bit = *rc::gen::inRange<std::size_t>(0, message.size() * 8);
    message[bit / 8] = static_cast<std::uint8_t>(message[bit / 8] ^ 1 << bit % 8);
    RC_LOG() << sent << " bit " << bit << '\n';

    const auto result = receive({sent.source, sent.destination, 255, message}, &policy);
    if (!result) {
      RC_SUCCEED("dropped");
    }
    // Only where two checksum forms are accepted can one bit turn the one into the other.
    RC_ASSERT(sent.advert.version == Version::k3 && sent.source.is_v4());
    RC_ASSERT(result->form != sent.form);
  }));
}

TEST_CASE("a message cut short or made longer is dropped") {
  CHECK(rc::check([] {
    const Sent sent = any_sent();
    const ReceivePolicy policy = sent.policy();
    auto message = sent.message();
    const auto size = message.size();
    message.resize(*rc::gen::suchThat(rc::gen::inRange<std::size_t>(0, size + 64),
                                      [&](std::size_t other) { return other != size; }));
    const auto result = receive({sent.source, sent.destination, 255, message}, &policy);
    RC_ASSERT(!result.has_value());
    RC_ASSERT(result.error() == PacketError::kLength);
  }));
}

TEST_CASE("any bytes are a datagram inside them or none") {
  CHECK(rc::check([] {
    auto packet = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    // Most random bytes fail at the first nibble: most of these are IPv4 and VRRP.
    if (packet.size() >= 20 && *rc::gen::inRange(0, 8) != 0) {
      packet[0] = *rc::gen::inRange<std::uint8_t>(0x44, 0x4a);
      packet[2] = 0;
      packet[3] = *rc::gen::inRange<std::uint8_t>(18, 60);
      packet[6] = packet[7] = 0;
      packet[9] = 112;
    }
    const auto datagram = parse_ipv4(packet);
    RC_TAG(datagram.has_value());
    if (!datagram) return;
    RC_ASSERT(datagram->message.data() >= packet.data() + 20);
    RC_ASSERT(datagram->message.data() + datagram->message.size() <= packet.data() + packet.size());
    RC_ASSERT(!receive(*datagram, nullptr).has_value());
  }));
}

TEST_CASE("any message has one outcome, the same each time") {
  CHECK(rc::check([] {
    const Sent sent = any_sent();
    const ReceivePolicy policy = sent.policy();
    auto message = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    if (message.size() > 3 && *rc::gen::arbitrary<bool>()) {
      message[0] = static_cast<std::uint8_t>(static_cast<int>(sent.advert.version) << 4 | 1);
      message[1] = sent.advert.vrid.value();
      message[3] = *rc::gen::inRange<std::uint8_t>(0, 4);
    }
    const Datagram datagram{sent.source, sent.destination, *rc::gen::arbitrary<std::uint8_t>(),
                            message};
    const auto result = receive(datagram, &policy);
    const auto again = receive(datagram, &policy);
    RC_ASSERT(result.has_value() == again.has_value());
    if (result) {
      RC_ASSERT(datagram.ttl >= policy.minimum_ttl);
      RC_ASSERT(result->advert == again->advert);
    } else {
      RC_ASSERT(result.error() == again.error());
      RC_ASSERT(!counter_name(result.error()).empty());
    }
    RC_ASSERT(!receive(datagram, nullptr).has_value());
  }));
}

}  // namespace
}  // namespace ha::vrrp
