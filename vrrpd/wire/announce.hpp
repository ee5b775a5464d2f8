/// The Ethernet frames that tell a segment where an address lives now: gratuitous ARP and
/// unsolicited Neighbor Advertisements.
#pragma once

#include <array>
#include <cstdint>

#include "ha/ip.hpp"
#include "ha/mac.hpp"

namespace ha::vrrp {

enum class ArpOperation : std::uint8_t { kRequest = 1, kReply = 2 };

/// Ethernet header and ARP, without padding.
using ArpFrame = std::array<std::uint8_t, 42>;

/// A broadcast gratuitous ARP for `address` (IPv4), as RFC 9568 section 6.4.2 with erratum 7949
/// asks: sender hardware address `mac`, sender and target protocol address the virtual one. The
/// target hardware address is `mac` in a reply and the broadcast address in a request, as
/// keepalived sends it.
[[nodiscard]] ArpFrame gratuitous_arp(const MacAddress& mac, const IpAddress& address,
                                      ArpOperation operation);

/// Ethernet header, IPv6 header, Neighbor Advertisement with a target link-layer address option.
using NeighborFrame = std::array<std::uint8_t, 86>;

/// An unsolicited Neighbor Advertisement for `address` (IPv6) to ff02::1 with R and O set and S
/// clear, from the address itself, hop limit 255 (RFC 4861 section 4.4, RFC 9568 section 6.4.2).
[[nodiscard]] NeighborFrame unsolicited_advertisement(const MacAddress& mac,
                                                      const IpAddress& address);

}  // namespace ha::vrrp
