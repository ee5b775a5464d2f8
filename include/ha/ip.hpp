/// IP addresses and prefixes.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <compare>
#include <cstdint>
#include <string>

#include "ha/types.hpp"

namespace ha {

/// Ordered as unsigned integers in network byte order, IPv4 before IPv6. Scope identifiers are
/// never set: the interface travels beside the address.
using IpAddress = boost::asio::ip::address;

[[nodiscard]] inline Family family_of(const IpAddress& address) {
  return address.is_v4() ? Family::kIpv4 : Family::kIpv6;
}

/// An address with the length of its network prefix, 0-32 or 0-128.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  friend bool operator==(const Prefix&, const Prefix&) = default;
  friend bool operator<(const Prefix& a, const Prefix& b) {
    return a.address != b.address ? a.address < b.address : a.length < b.length;
  }
};

/// "192.168.1.100/24".
[[nodiscard]] inline std::string to_string(const Prefix& prefix) {
  return prefix.address.to_string() + "/" + std::to_string(prefix.length);
}

}  // namespace ha
