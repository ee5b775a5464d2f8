/// The receive rules of RFC 3768 section 7.1 and RFC 9568 section 7.1 with its errata, in one fixed
/// order, as a total function from bytes to an advertisement or the one reason it is dropped for.
///
/// A dropped packet has no other effect than its counter.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "vrrpd/wire/advert.hpp"

namespace ha::vrrp {

/// A VRRP message with what its IP header said.
struct Datagram {
  IpAddress source;
  IpAddress destination;
  std::uint8_t ttl = 0;  ///< or hop limit
  std::span<const std::uint8_t> message;
};

/// Reads the IPv4 header in front of a raw socket's bytes: options skipped, bytes behind the total
/// length ignored. Nothing if the header is not sane (RFC 791), the packet is a fragment or carries
/// another protocol. The header checksum is the kernel's business.
///
/// The message is part of `packet` and lives as long.
[[nodiscard]] std::optional<Datagram> parse_ipv4(std::span<const std::uint8_t> packet);

/// What one virtual router accepts.
struct ReceivePolicy {
  Version version = Version::k3;
  Vrid vrid;
  std::uint8_t minimum_ttl = 255;
  Duration advertisement_interval{};
  /// Our own address on the interface; packets from it are our own or a clone's. Unspecified: not
  /// known yet.
  IpAddress local_address;
  IpAddress multicast_group;
  /// Not empty: unicast mode, only these may speak, and not to a group. Which of this host's
  /// addresses they speak to is left to the kernel.
  std::vector<IpAddress> unicast_peers;
  std::optional<Password> password;
  /// The advertised virtual addresses, sorted, each once, at most 255. Where none of them is
  /// link-local, peers need not name a link-local address first either (a deviation from erratum
  /// 8300).
  std::vector<IpAddress> addresses;
};

/// Why a packet is dropped. Names are the counters' of RFC 8347 where it has one.
enum class PacketError : std::uint8_t {
  /// peer-source-errors: unspecified, multicast, loopback or our own address; in unicast mode not a
  /// listed peer, in IPv6 multicast mode not link-local.
  kSource,
  /// mode-mismatch-errors: multicast heard in unicast mode, or the reverse, or another group.
  kMode,
  kTtl,             ///< ip-ttl-errors
  kLength,          ///< packet-length-errors
  kVersion,         ///< version-errors
  kType,            ///< invalid-type-pkts-rcvd
  kChecksum,        ///< checksum-errors
  kVrid,            ///< vrid-errors
  kAuthType,        ///< auth-type-mismatches
  kAuthentication,  ///< auth-failures
  kAddressList,     ///< address-list-errors
  kInterval,        ///< interval-errors
};
inline constexpr std::size_t kPacketErrorCount = 12;

/// The counter's name, "ip-ttl-errors".
[[nodiscard]] std::string_view counter_name(PacketError error);

/// An accepted advertisement, with what was noticed without being a reason to drop it.
struct Received {
  Advert advert;
  /// The form in which the checksum was right. Version 2: always kMessageOnly.
  ChecksumForm form = ChecksumForm::kPseudoHeader;
  /// The address list is not ours. Counted and alarmed, yet processed in both versions: checking it
  /// is a MAY, and a daemon that ignored its peer for it would become a second master.
  bool addresses_differ = false;
  /// Both lists have addresses and not one is in both: another group of routers happens to use this
  /// VRID. Whoever obeyed it would leave its own addresses to nobody, and no address can get two
  /// owners by ignoring it. So it is counted and alarmed like the above and then not processed (RFC
  /// 3768 section 7.1 asks for that; in version 3 it is our choice).
  bool foreign = false;
  bool interval_differs = false;  ///< version 3; in version 2 it is a reason to drop
};

/// The VRID that `message` claims, if it is long enough to have one. This is what selects the
/// policy.
[[nodiscard]] std::optional<Vrid> peek_vrid(std::span<const std::uint8_t> message);

/// Applies the rules in the order of the RFC's list: destination and source, TTL, length, version,
/// type, exact length, checksum, VRID, authentication, address count, interval, first address,
/// address list.
///
/// `policy` is that of the virtual router with `peek_vrid()` on the receiving interface and family,
/// or null where there is none: such a packet is dropped as kVrid at the latest.
[[nodiscard]] tl::expected<Received, PacketError> receive(const Datagram& datagram,
                                                          const ReceivePolicy* policy);

}  // namespace ha::vrrp
