#include "vrrpd/wire/receive.hpp"

#include <algorithm>
#include <bitset>
#include <chrono>

#include "vrrpd/wire/checksum.hpp"
#include "vrrpd/wire/layout.hpp"

namespace ha::vrrp {

namespace {

using Bytes = std::span<const std::uint8_t>;
/// The reason to drop, or nothing: the rules of this group are kept.
using Fault = std::optional<PacketError>;

std::uint16_t word_at(Bytes bytes, std::size_t offset) {
  return static_cast<std::uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

IpAddress ipv4_at(Bytes bytes, std::size_t offset) {
  boost::asio::ip::address_v4::bytes_type raw;
  std::copy_n(bytes.subspan(offset).begin(), raw.size(), raw.begin());
  return boost::asio::ip::address_v4{raw};
}

IpAddress ipv6_at(Bytes bytes, std::size_t offset) {
  boost::asio::ip::address_v6::bytes_type raw;
  std::copy_n(bytes.subspan(offset).begin(), raw.size(), raw.begin());
  return boost::asio::ip::address_v6{raw};
}

bool is_link_local(const IpAddress& address) {
  return address.is_v6() && address.to_v6().is_link_local();
}

// A broadcast counts as the group it is, and no destination at all is what the kernel did not tell.
bool is_group(const IpAddress& address) {
  return address.is_multicast() || address.is_unspecified() ||
         address == boost::asio::ip::address_v4::broadcast();
}

/// Where it was sent to and by whom. Multicast is RFC 9568 sections 5.1.1 and 5.1.2; unicast is in
/// no RFC, and keeps to draft-abinabraham-vrrp-unicast: one mode a router, known peers only.
Fault check_endpoints(const Datagram& datagram, const ReceivePolicy* policy) {
  const IpAddress& source = datagram.source;
  const IpAddress& destination = datagram.destination;
  const bool unicast = policy != nullptr && !policy->unicast_peers.empty();
  if (policy != nullptr) {
    const bool mode_fits =
        unicast ? !is_group(destination) : destination == policy->multicast_group;
    if (!mode_fits) return PacketError::kMode;
  }

  if (source.is_unspecified() || source.is_multicast() || source.is_loopback()) {
    return PacketError::kSource;
  }
  if (policy == nullptr) return {};
  if (source == policy->local_address) return PacketError::kSource;
  if (unicast) {
    const auto& peers = policy->unicast_peers;
    const bool listed = std::find(peers.begin(), peers.end(), source) != peers.end();
    return listed ? Fault{} : PacketError::kSource;
  }
  if (source.is_v6() && !is_link_local(source)) return PacketError::kSource;
  return {};
}

bool version_fits(int version, Family family, const ReceivePolicy* policy) {
  // RFC 3768 knows no IPv6.
  if (version == static_cast<int>(Version::k2) && family == Family::kIpv6) return false;
  if (policy != nullptr) return version == static_cast<int>(policy->version);
  return version == static_cast<int>(Version::k2) || version == static_cast<int>(Version::k3);
}

/// TTL, version, type and both rules of length: afterwards every field that the message claims to
/// have is there.
Fault check_frame(const Datagram& datagram, const ReceivePolicy* policy) {
  const Bytes message = datagram.message;
  const int ttl_min = policy != nullptr ? policy->minimum_ttl : 255;
  if (datagram.ttl < ttl_min) return PacketError::kTtl;
  if (message.size() < layout::kHeaderSize) return PacketError::kLength;

  const Family family = family_of(datagram.source);
  const int version = message[layout::kVersionAndType] >> 4;
  if (!version_fits(version, family, policy)) return PacketError::kVersion;
  const int type = message[layout::kVersionAndType] & 0x0f;
  if (type != layout::kTypeAdvertisement) return PacketError::kType;
  const std::size_t size =
      layout::message_size(static_cast<Version>(version), family, message[layout::kAddressCount]);
  if (message.size() != size) return PacketError::kLength;
  return {};
}

/// The form in which the checksum is right. Where both are, which takes addresses whose
/// pseudo-header sums to nothing, the two forms are the same bytes.
std::optional<ChecksumForm> fitting_form(const Datagram& datagram, Version version) {
  constexpr std::uint16_t kRight = 0xffff;  // RFC 1071 section 1, step 3
  const Family family = family_of(datagram.source);
  const std::uint64_t sum = word_sum(datagram.message);
  for (const ChecksumForm sent : {ChecksumForm::kPseudoHeader, ChecksumForm::kMessageOnly}) {
    const ChecksumForm form = layout::checksum_form(version, family, sent);
    const std::uint64_t header_sum =
        form == ChecksumForm::kMessageOnly
            ? 0
            : pseudo_header_sum(datagram.source, datagram.destination, kIpProtocolVrrp,
                                datagram.message.size());
    if (fold(sum + header_sum) == kRight) return form;
  }
  return {};
}

/// In the same time wherever the first difference is, so that an answer does not tell how much of a
/// guess was right.
bool same_password(Bytes theirs, const Password& ours) {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (theirs[i] ^ ours[i]));
  }
  return difference == 0;
}

/// Version 2 (RFC 3768 section 5.3.6, RFC 2338 section 5.3.10). Without authentication the data is
/// ignored.
Fault check_authentication(Bytes message, const ReceivePolicy& policy) {
  const std::uint8_t expected =
      policy.password ? layout::kAuthTypeSimpleText : layout::kAuthTypeNone;
  if (message[layout::kAuthType] != expected) return PacketError::kAuthType;
  if (!policy.password) return {};
  const Bytes data = message.last(layout::kAuthenticationSize);
  return same_password(data, *policy.password) ? Fault{} : PacketError::kAuthentication;
}

Duration interval_of(Bytes message, Version version) {
  if (version == Version::k2) return std::chrono::seconds{message[layout::kIntervalSeconds]};
  // Reserve is ignored (RFC 9568 section 5.2.6).
  return layout::WireCentiseconds{word_at(message, layout::kInterval) & 0x0fff};
}

std::vector<IpAddress> addresses_of(Bytes message, Family family) {
  const std::size_t count = message[layout::kAddressCount];
  std::vector<IpAddress> addresses;
  addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t offset = layout::kHeaderSize + i * layout::address_size(family);
    addresses.push_back(family == Family::kIpv4 ? ipv4_at(message, offset)
                                                : ipv6_at(message, offset));
  }
  return addresses;
}

/// Erratum 8300: the first address is link-local. Deviation: not asked of peers where our own list
/// has none either. Then the operator has decided that the pair runs without one, as FRR sends it,
/// and a daemon that insisted would become a second master.
bool first_address_fits(Bytes message, const ReceivePolicy& policy) {
  if (is_link_local(ipv6_at(message, layout::kHeaderSize))) return true;
  return std::none_of(policy.addresses.begin(), policy.addresses.end(), is_link_local);
}

/// What the advertisement says, once it is known whose it is: count, interval, first address.
Fault check_contents(const Datagram& datagram, Version version, const ReceivePolicy& policy) {
  if (datagram.message[layout::kAddressCount] == 0) return PacketError::kAddressList;
  const Duration interval = interval_of(datagram.message, version);
  if (interval == Duration::zero()) return PacketError::kInterval;
  if (version == Version::k2 && interval != policy.advertisement_interval) {
    return PacketError::kInterval;
  }
  if (datagram.source.is_v6() && !first_address_fits(datagram.message, policy)) {
    return PacketError::kAddressList;
  }
  return {};
}

/// How an address list compares with ours, both taken as sets: the order and repetitions mean
/// nothing.
struct Comparison {
  bool same = false;
  bool disjoint = false;
};

/// `ours` is sorted and names each address once.
Comparison compare(const std::vector<IpAddress>& theirs, const std::vector<IpAddress>& ours) {
  std::bitset<256> shared;
  bool more = ours.size() > shared.size();
  for (const IpAddress& address : theirs) {
    const auto found = std::lower_bound(ours.begin(), ours.end(), address);
    const auto index = static_cast<std::size_t>(found - ours.begin());
    if (found == ours.end() || *found != address || index >= shared.size()) {
      more = true;
    } else {
      shared.set(index);
    }
  }
  return {!more && shared.count() == ours.size(), shared.none()};
}

}  // namespace

//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------+-------+---------------+-------------------------------+
//   |   4   |  IHL  |               |         total length          |
//   +-------+-------+---------------+-----+-------------------------+
//   |        identification         |flags|     fragment offset     |
//   +---------------+---------------+-----+-------------------------+
//   |      TTL      |   protocol    |            checksum           |
//   +---------------+---------------+-------------------------------+
//   |                        source address                         |
//   +---------------------------------------------------------------+
//   |                      destination address                      |
//   +---------------------------------------------------------------+
//   |               options, up to IHL * 4 bytes                    |
std::optional<Datagram> parse_ipv4(std::span<const std::uint8_t> packet) {
  constexpr std::size_t kHeaderSizeMin = 20;
  constexpr int kMoreFragmentsAndOffset = 0x3fff;
  if (packet.size() < kHeaderSizeMin) return {};
  const std::size_t header_size = (packet[0] & 0x0fu) * 4;
  const std::size_t total_length = word_at(packet, 2);
  if (packet[0] >> 4 != 4 || header_size < kHeaderSizeMin) return {};
  if (header_size > total_length || total_length > packet.size()) return {};
  // A raw socket is given whole datagrams; a fragment is something else.
  if ((word_at(packet, 6) & kMoreFragmentsAndOffset) != 0) return {};
  if (packet[9] != kIpProtocolVrrp) return {};

  Datagram datagram;
  datagram.source = ipv4_at(packet, 12);
  datagram.destination = ipv4_at(packet, 16);
  datagram.ttl = packet[8];
  datagram.message = packet.subspan(header_size, total_length - header_size);
  return datagram;
}

std::string_view counter_name(PacketError error) {
  switch (error) {
    case PacketError::kSource:
      return "peer-source-errors";
    case PacketError::kMode:
      return "mode-mismatch-errors";
    case PacketError::kTtl:
      return "ip-ttl-errors";
    case PacketError::kLength:
      return "packet-length-errors";
    case PacketError::kVersion:
      return "version-errors";
    case PacketError::kType:
      return "invalid-type-pkts-rcvd";
    case PacketError::kChecksum:
      return "checksum-errors";
    case PacketError::kVrid:
      return "vrid-errors";
    case PacketError::kAuthType:
      return "auth-type-mismatches";
    case PacketError::kAuthentication:
      return "auth-failures";
    case PacketError::kAddressList:
      return "address-list-errors";
    case PacketError::kInterval:
      return "interval-errors";
  }
  return {};
}

std::optional<Vrid> peek_vrid(std::span<const std::uint8_t> message) {
  if (message.size() <= layout::kVrid) return {};
  return Vrid{message[layout::kVrid]};
}

tl::expected<Received, PacketError> receive(const Datagram& datagram, const ReceivePolicy* policy) {
  const Bytes message = datagram.message;
  if (const Fault fault = check_endpoints(datagram, policy)) return tl::unexpected{*fault};
  if (const Fault fault = check_frame(datagram, policy)) return tl::unexpected{*fault};

  const auto version = static_cast<Version>(message[layout::kVersionAndType] >> 4);
  const std::optional<ChecksumForm> form = fitting_form(datagram, version);
  if (!form) return tl::unexpected{PacketError::kChecksum};
  const Vrid vrid{message[layout::kVrid]};
  if (policy == nullptr || policy->vrid != vrid) return tl::unexpected{PacketError::kVrid};
  // An advertisement for an address we own is processed like any other: erratum 8298.

  if (version == Version::k2) {
    if (const Fault fault = check_authentication(message, *policy)) return tl::unexpected{*fault};
  }
  if (const Fault fault = check_contents(datagram, version, *policy)) {
    return tl::unexpected{*fault};
  }

  Received received;
  received.form = *form;
  received.advert.version = version;
  received.advert.vrid = vrid;
  received.advert.priority = Priority{message[layout::kPriority]};
  received.advert.interval = interval_of(message, version);
  received.advert.addresses = addresses_of(message, family_of(datagram.source));
  if (version == Version::k2) received.advert.password = policy->password;
  const Comparison lists = compare(received.advert.addresses, policy->addresses);
  received.addresses_differ = !lists.same;
  received.foreign =
      lists.disjoint && !policy->addresses.empty() && !received.advert.addresses.empty();
  received.interval_differs = received.advert.interval != policy->advertisement_interval;
  return received;
}

}  // namespace ha::vrrp
