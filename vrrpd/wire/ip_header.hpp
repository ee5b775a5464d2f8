/// The IP header in front of a VRRP message, for those who show packets: the kernel makes the one
/// that is sent, and takes the one that is received over IPv6 off.
#pragma once

#include <cstdint>
#include <vector>

#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {

/// RFC 791 section 3.1 without options, or RFC 8200 section 3: DSCP CS6 (RFC 4594), the datagram's
/// addresses and TTL, and the length of its message.
[[nodiscard]] std::vector<std::uint8_t> ip_header(const Datagram& datagram);

}  // namespace ha::vrrp
