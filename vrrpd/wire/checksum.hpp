/// The Internet checksum (RFC 1071), as VRRP and ICMPv6 use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ha/ip.hpp"

namespace ha::vrrp {

/// The sum of the 16-bit big-endian words of `bytes`, an odd last byte followed by a zero.
/// Unfolded: sums add up, and 64 bits hold more words than any packet has.
[[nodiscard]] std::uint64_t word_sum(std::span<const std::uint8_t> bytes);

/// The sum over the pseudo-header in front of `length` bytes of `protocol`: RFC 8200 section 8.1,
/// and for IPv4 the same fields as RFC 5798 section 5.2.8 was read. The two layouts differ only in
/// zeros, so one sum serves both.
[[nodiscard]] std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                              std::uint8_t protocol, std::size_t length);

/// `sum` in one's complement, 16 bits wide. Over data that includes its right checksum this is
/// 0xffff.
[[nodiscard]] std::uint16_t fold(std::uint64_t sum);

/// What goes into a checksum field that was zero while `sum` was taken.
[[nodiscard]] std::uint16_t checksum_of(std::uint64_t sum);

}  // namespace ha::vrrp
