/// Any bytes from the network: one outcome, nothing read that is not there, and what is accepted
/// can be said again.
///
/// The first byte of an input chooses the router that hears it, the second the TTL or hop limit of
/// IPv6. The rest is what a raw socket gives: IPv4 with its header, the message alone with IPv6.
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <vector>

#include "ha/check.hpp"
#include "vrrpd/wire/advert.hpp"
#include "vrrpd/wire/checksum.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {
namespace {

using boost::asio::ip::make_address;

/// Bits of the first byte.
constexpr int kIpv6 = 0x01;
constexpr int kVersion2 = 0x02;
constexpr int kUnicast = 0x04;
constexpr int kPassword = 0x08;
/// The fuzzer cannot compute a checksum: with this bit the message gets its right one.
constexpr int kRepairChecksum = 0x10;
constexpr int kNoPolicy = 0x20;
constexpr int kNoLinkLocal = 0x40;

ReceivePolicy policy_for(int choice) {
  const bool ipv6 = (choice & kIpv6) != 0;
  ReceivePolicy policy;
  policy.version = (choice & kVersion2) != 0 ? Version::k2 : Version::k3;
  policy.vrid = Vrid{51};
  policy.advertisement_interval = std::chrono::seconds{1};
  policy.local_address = make_address(ipv6 ? "fe80::2" : "192.0.2.2");
  policy.multicast_group = make_address(ipv6 ? "ff02::12" : "224.0.0.18");
  if ((choice & kUnicast) != 0) {
    policy.unicast_peers = {make_address(ipv6 ? "fe80::1" : "192.0.2.1")};
    policy.minimum_ttl = 64;
  }
  if (policy.version == Version::k2 && (choice & kPassword) != 0) {
    policy.password = make_password("s3cret");
  }
  if (ipv6) {
    policy.addresses = {make_address("2001:db8::51")};
    if ((choice & kNoLinkLocal) == 0) policy.addresses.push_back(make_address("fe80::51"));
  } else {
    policy.addresses = {make_address("192.0.2.100"), make_address("192.0.2.101")};
  }
  return policy;
}

/// Makes the last message of `packet` right. `datagram` is a view into it.
void repair_checksum(std::vector<std::uint8_t>& packet, const Datagram& datagram) {
  if (datagram.message.size() < 8) return;
  const auto offset = static_cast<std::size_t>(datagram.message.data() - packet.data());
  std::uint8_t* const field = packet.data() + offset + 6;
  field[0] = field[1] = 0;
  std::uint64_t sum = word_sum(datagram.message);
  if (datagram.message[0] >> 4 != 2) {
    sum += pseudo_header_sum(datagram.source, datagram.destination, kIpProtocolVrrp,
                             datagram.message.size());
  }
  const std::uint16_t checksum = checksum_of(sum);
  field[0] = static_cast<std::uint8_t>(checksum >> 8);
  field[1] = static_cast<std::uint8_t>(checksum & 0xff);
}

std::optional<Datagram> datagram_in(const std::vector<std::uint8_t>& packet, int choice,
                                    std::uint8_t hop_limit) {
  if ((choice & kIpv6) == 0) return parse_ipv4(packet);
  const bool unicast = (choice & kUnicast) != 0;
  return Datagram{make_address("fe80::1"), make_address(unicast ? "fe80::2" : "ff02::12"),
                  hop_limit, packet};
}

void check_dropped(PacketError error, const ReceivePolicy* policy) {
  HA_CHECK(static_cast<std::size_t>(error) < kPacketErrorCount);
  HA_CHECK(!counter_name(error).empty());
  HA_CHECK(policy != nullptr || error <= PacketError::kVrid);
}

void check_accepted(const Received& received, const Datagram& datagram,
                    const ReceivePolicy& policy) {
  HA_CHECK(datagram.ttl >= policy.minimum_ttl);
  HA_CHECK(received.advert.vrid == policy.vrid);
  HA_CHECK(received.advert.vrid == peek_vrid(datagram.message));
  HA_CHECK(received.advert.version == policy.version);
  HA_CHECK(received.advert.password == policy.password);

  const auto again = encode(received.advert, datagram.source, datagram.destination, received.form);
  HA_CHECK(again.size() == datagram.message.size());
  const auto second =
      receive({datagram.source, datagram.destination, datagram.ttl, again}, &policy);
  HA_CHECK(second.has_value());
  HA_CHECK(second->advert == received.advert);
  HA_CHECK(second->form == received.form);
  HA_CHECK(second->addresses_differ == received.addresses_differ);
  HA_CHECK(second->interval_differs == received.interval_differs);
}

void receive_once(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return;
  const int choice = data[0];
  std::vector<std::uint8_t> packet(data + 2, data + size);
  const std::optional<Datagram> datagram = datagram_in(packet, choice, data[1]);
  if (!datagram) return;
  if ((choice & kRepairChecksum) != 0) repair_checksum(packet, *datagram);

  const ReceivePolicy configured = policy_for(choice);
  const ReceivePolicy* const policy = (choice & kNoPolicy) != 0 ? nullptr : &configured;
  const auto result = receive(*datagram, policy);
  if (result) {
    HA_CHECK(policy != nullptr);
    check_accepted(*result, *datagram, *policy);
  } else {
    check_dropped(result.error(), policy);
  }
}

}  // namespace
}  // namespace ha::vrrp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ha::vrrp::receive_once(data, size);
  return 0;
}
