/// Well-formed advertisements on their way to a router that accepts them: what the tests of wire/
/// start from and break.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <vector>

#include "vrrpd/wire/advert.hpp"
#include "vrrpd/wire/checksum.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp::test {

inline IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

inline std::vector<IpAddress> ips(std::initializer_list<const char*> texts) {
  std::vector<IpAddress> addresses;
  for (const char* text : texts) addresses.push_back(ip(text));
  return addresses;
}

struct Sample {
  ReceivePolicy policy;
  Advert advert;
  IpAddress source;
  IpAddress destination;
  std::uint8_t ttl = 255;
  std::vector<std::uint8_t> message;

  [[nodiscard]] Datagram datagram() const { return {source, destination, ttl, message}; }
  [[nodiscard]] tl::expected<Received, PacketError> received() const {
    return receive(datagram(), &policy);
  }
  [[nodiscard]] tl::expected<Received, PacketError> received_without_policy() const {
    return receive(datagram(), nullptr);
  }

  /// Makes the message say what `advert` says, as sent from `source` to `destination`.
  void encode_again(ChecksumForm form = ChecksumForm::kPseudoHeader) {
    message = encode(advert, source, destination, form);
  }

  /// Makes the checksum right again after a change of the message. A message without that field is
  /// left alone.
  void repair_checksum() {
    if (message.size() < 8) return;
    message[6] = message[7] = 0;
    std::uint64_t sum = word_sum(message);
    if (message[0] >> 4 != 2) sum += pseudo_header_sum(source, destination, 112, message.size());
    const std::uint16_t checksum = checksum_of(sum);
    message[6] = static_cast<std::uint8_t>(checksum >> 8);
    message[7] = static_cast<std::uint8_t>(checksum & 0xff);
  }
};

/// The one reason it was dropped for. Throws if it was not.
inline PacketError reason(const tl::expected<Received, PacketError>& result) {
  if (result) throw std::logic_error{"accepted"};
  return result.error();
}

namespace detail {
inline Sample finish(Sample sample) {
  sample.policy.version = sample.advert.version;
  sample.policy.vrid = sample.advert.vrid;
  sample.policy.advertisement_interval = sample.advert.interval;
  sample.policy.multicast_group = sample.destination;
  sample.policy.password = sample.advert.password;
  sample.encode_again();
  return sample;
}
}  // namespace detail

/// Version 2 with the password "s3cret", one second.
inline Sample v2_sample() {
  Sample sample;
  sample.source = ip("192.0.2.1");
  sample.destination = ip("224.0.0.18");
  sample.advert = {Version::k2,
                   Vrid{51},
                   Priority{110},
                   std::chrono::seconds{1},
                   ips({"192.0.2.100", "192.0.2.101"}),
                   make_password("s3cret")};
  sample.policy.local_address = ip("192.0.2.2");
  sample.policy.addresses = sample.advert.addresses;
  return detail::finish(sample);
}

/// Version 3 over IPv4, one second.
inline Sample v3_sample() {
  Sample sample = v2_sample();
  sample.advert.version = Version::k3;
  sample.advert.password.reset();
  return detail::finish(sample);
}

/// Version 3 over IPv6, one second.
inline Sample ipv6_sample() {
  Sample sample;
  sample.source = ip("fe80::1");
  sample.destination = ip("ff02::12");
  sample.advert = {Version::k3,
                   Vrid{51},
                   Priority{110},
                   std::chrono::seconds{1},
                   ips({"fe80::51", "2001:db8::51"}),
                   {}};
  sample.policy.local_address = ip("fe80::2");
  sample.policy.addresses = ips({"2001:db8::51", "fe80::51"});
  return detail::finish(sample);
}

/// Version 3 over IPv4 between two listed peers.
inline Sample unicast_sample() {
  Sample sample = v3_sample();
  sample.destination = sample.policy.local_address;
  sample.policy.unicast_peers = ips({"192.0.2.9", "192.0.2.1"});
  sample.encode_again();
  return sample;
}

}  // namespace ha::vrrp::test
