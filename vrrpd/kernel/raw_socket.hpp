/// Opens the raw sockets that VrrpSocket reads, writes and counts with. Internal to kernel/.
#pragma once

#include <netinet/in.h>

#include <string>

#include "ha/ip.hpp"
#include "ha/result.hpp"
#include "ha/types.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {

/// Time to live and hop limit of what is sent (RFC 9568 section 5.1.1.3).
inline constexpr int kVrrpTtl = 255;
inline constexpr int kDscpCs6 = 0xc0;  ///< network control, as keepalived and FRR mark it

[[nodiscard]] in_addr native(const boost::asio::ip::address_v4& address);
[[nodiscard]] in6_addr native(const boost::asio::ip::address_v6& address);

/// A raw socket for VRRP that is tied to one interface, with everything set that sending and
/// receiving need. It hears nothing until another filter is attached to it (socket_filter.hpp), and
/// nothing that came in before it was tied is left in it. Needs CAP_NET_RAW.
[[nodiscard]] Result<Descriptor> open_raw_socket(IfIndex interface,
                                                 const std::string& interface_name, Family family);

/// Joins a multicast group of `family` on the interface; joining it again is success. Returns 0 or
/// the reason as an errno.
[[nodiscard]] int join_group(int descriptor, IfIndex interface, Family family,
                             const IpAddress& group);

}  // namespace ha::vrrp
