/// Where the fields of a VRRP message are; what encode() writes and receive() reads. Internal to
/// wire/.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-------+-------+---------------+---------------+---------------+
///     |Version| Type  |     VRID      |   Priority    | Address count |
///     +-------+-------+---------------+---------------+---------------+
///  v2 |   Auth Type   |Interval (sec) |           Checksum            |   RFC 3768 section 5.1
///  v3 |Reserve|   Interval (cs)       |           Checksum            |   RFC 9568 section 5.2
///     +---------------+---------------+-------------------------------+
///     |            addresses, 4 or 16 bytes each                      |
///     +---------------------------------------------------------------+
///  v2 |            authentication data, 8 bytes, always there         |
///     +---------------------------------------------------------------+
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ratio>

#include "ha/types.hpp"

namespace ha::vrrp::layout {

inline constexpr std::size_t kVersionAndType = 0;
inline constexpr std::size_t kVrid = 1;
inline constexpr std::size_t kPriority = 2;
inline constexpr std::size_t kAddressCount = 3;
inline constexpr std::size_t kAuthType = 4;         // version 2
inline constexpr std::size_t kIntervalSeconds = 5;  // version 2
inline constexpr std::size_t kInterval = 4;         // version 3: 4 bits Reserve, 12 bits
inline constexpr std::size_t kChecksum = 6;
inline constexpr std::size_t kHeaderSize = 8;

inline constexpr std::size_t kAuthenticationSize = 8;

inline constexpr std::uint8_t kTypeAdvertisement = 1;

inline constexpr std::uint8_t kAuthTypeNone = 0;
inline constexpr std::uint8_t kAuthTypeSimpleText = 1;

/// The unit of version 3 on the wire.
using WireCentiseconds = std::chrono::duration<std::int64_t, std::centi>;

[[nodiscard]] constexpr std::size_t address_size(Family family) {
  return family == Family::kIpv4 ? 4 : 16;
}

/// The exact length of a message (RFC 3768 section 5.1, RFC 9568 section 5.2).
[[nodiscard]] constexpr std::size_t message_size(Version version, Family family,
                                                 std::size_t address_count) {
  const std::size_t trailer = version == Version::k2 ? kAuthenticationSize : 0;
  return kHeaderSize + address_count * address_size(family) + trailer;
}

/// Whether the checksum covers a pseudo-header, where `form` is what the sender of version 3 over
/// IPv4 chose.
[[nodiscard]] constexpr ChecksumForm checksum_form(Version version, Family family,
                                                   ChecksumForm form) {
  if (family == Family::kIpv6) return ChecksumForm::kPseudoHeader;
  return version == Version::k2 ? ChecksumForm::kMessageOnly : form;
}

}  // namespace ha::vrrp::layout
