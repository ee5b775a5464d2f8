/// nf_tables messages: one table that drops traffic from and to a set of addresses. Bytes only, no
/// socket. Known to packet_filter.cpp alone.
///
/// As nft(8) shows it, in both directions (`out` looks at the source instead):
///
///     table inet NAME {
///       flags owner
///       chain in {
///         type filter hook input priority -1; policy accept;
///         icmpv6 type 135-136 accept            # neighbour solicitations, advertisements
///         ip daddr @ipv4 drop
///         ip6 daddr @ipv6 drop
///         ip6 daddr . iifname @link_local drop
///       }
///     }
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vrrpd/kernel/packet_filter.hpp"

namespace ha::vrrp {

/// Messages that the kernel carries out together or not at all, in one datagram. They are numbered
/// from the number that was asked for up to `last`, which is the one that is acknowledged.
struct NftablesBatch {
  std::vector<std::uint8_t> bytes;
  std::uint32_t last = 0;
};

/// Puts the table `name` with these addresses in the place of the one that may be there.
[[nodiscard]] NftablesBatch replace_table(const std::string& name,
                                          std::span<const FilteredAddress> addresses,
                                          std::uint32_t first);

/// Removes the table if it is there.
[[nodiscard]] NftablesBatch remove_table(const std::string& name, std::uint32_t first);

}  // namespace ha::vrrp
