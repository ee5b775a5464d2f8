/// What an instance with a virtual MAC address leaves to us. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"

namespace ha::vrrp {

/// 00:00:5e:00:01:VRID, or 00:00:5e:00:02:VRID for IPv6 (RFC 9568 section 7.3).
[[nodiscard]] MacAddress virtual_mac_address(Family family, Vrid vrid);

inline constexpr std::string_view kDevicePrefix = "vrrp";
/// With a number and a VRID behind it, it fits into 15 bytes.
inline constexpr std::size_t kDevicePrefixSizeBytesMax = 8;

/// How names of macvlans begin.
struct DevicePrefixes {
  std::string instances{kDevicePrefix};
  std::string addresses{kDevicePrefix};  ///< of those that are for addresses on other interfaces
};

/// Gives each macvlan without a MAC address that one, and each without a name the first that is
/// free in these instances: PREFIX.VRID, for IPv6 PREFIX6.VRID, then PREFIX1.VRID, PREFIX2.VRID …,
/// as keepalived does it. Addresses of one instance, interface and family share theirs; those that
/// belong on the instance's own have none of their own.
void complete_virtual_macs(std::vector<InstanceConfig>& instances,
                           const DevicePrefixes& prefixes = {});

/// A macvlan that an instance needs.
struct DeviceNeed {
  std::string name;
  std::string parent;  ///< empty: the instance's interface, to be found at run time
  MacAddress mac{};
  Family family = Family::kIpv4;  ///< of the addresses on it
};
/// All of them, the instance's own first; no name twice.
[[nodiscard]] std::vector<DeviceNeed> devices_of(const InstanceConfig& instance);

}  // namespace ha::vrrp
