/// The words every module shares: identifiers, time, protocol versions. Values only; nothing here
/// reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

#include "ha/strong.hpp"

namespace ha {

/// All durations and time points are in nanoseconds of the monotonic clock, 64 bits wide: the
/// longest timer of the protocol (163.6 s) and the uptime of any machine fit with centuries to
/// spare.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Virtual Router Identifier, 1-255 (RFC 9568 section 5.2.3).
using Vrid = Strong<struct VridTag, std::uint8_t>;

/// VRRP priority (RFC 9568 section 5.2.4): 1-254, 255 the address owner, 0 "the master lets go".
using Priority = Strong<struct PriorityTag, std::uint8_t>;
inline constexpr Priority kPriorityRelease{0};
inline constexpr Priority kPriorityOwner{255};

/// The kernel's number of a network interface; 0 is none.
using IfIndex = Strong<struct IfIndexTag, int>;

enum class Family : std::uint8_t { kIpv4 = 4, kIpv6 = 6 };

/// Protocol version on the wire: 2 is RFC 3768, 3 is RFC 9568.
enum class Version : std::uint8_t { k2 = 2, k3 = 3 };

/// What the checksum of a version 3 advertisement over IPv4 covers: RFC 9568 section 5.2.8 says the
/// message only, RFC 5798 was read to include a pseudo-header. Version 2 is always message-only,
/// IPv6 always pseudo-header.
enum class ChecksumForm : std::uint8_t { kPseudoHeader, kMessageOnly };

}  // namespace ha
