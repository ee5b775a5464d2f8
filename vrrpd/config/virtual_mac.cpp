#include "vrrpd/config/virtual_mac.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace ha::vrrp {
namespace {

/// Whatever interface the instances name.
[[nodiscard]] std::set<std::string> names_in(const std::vector<InstanceConfig>& instances) {
  std::set<std::string> names;
  for (const InstanceConfig& instance : instances) {
    names.insert(instance.interface);
    if (instance.virtual_mac) names.insert(instance.virtual_mac->device);
    for (const VirtualAddress& address : instance.addresses) {
      names.insert(address.interface);
      if (address.device) names.insert(*address.device);
    }
  }
  return names;
}

/// Takes the first name that is free.
[[nodiscard]] std::string take_name(std::set<std::string>& taken, Vrid vrid, Family family,
                                    const std::string& prefix) {
  const int number = vrid.value();
  std::string name = fmt::format("{}.{}", prefix, number);
  if (taken.contains(name) && family == Family::kIpv6) name = fmt::format("{}6.{}", prefix, number);
  for (int attempt = 1; taken.contains(name); ++attempt) {
    name = fmt::format("{}{}.{}", prefix, attempt, number);
  }
  taken.insert(name);
  return name;
}

/// Where an address is; two in one place share a macvlan.
[[nodiscard]] std::pair<std::string, Family> place_of(const InstanceConfig& instance,
                                                      const VirtualAddress& address) {
  return {address.interface.empty() ? instance.interface : address.interface,
          family_of(address.prefix.address)};
}

void name_devices_of_addresses(InstanceConfig& instance, std::set<std::string>& taken,
                               const std::string& prefix) {
  for (VirtualAddress& address : instance.addresses) {
    if (instance.has_virtual_mac(address)) address.device = {};
    if (!address.device || !address.device->empty()) continue;
    const auto place = place_of(instance, address);
    const auto before = std::find_if(
        instance.addresses.begin(), instance.addresses.end(), [&](const VirtualAddress& other) {
          return other.device && !other.device->empty() && place_of(instance, other) == place;
        });
    *address.device = before != instance.addresses.end()
                          ? *before->device
                          : take_name(taken, instance.vrid, place.second, prefix);
  }
}

}  // namespace

MacAddress virtual_mac_address(Family family, Vrid vrid) {
  const std::uint8_t kind = family == Family::kIpv4 ? 1 : 2;
  return {0, 0, 0x5e, 0, kind, vrid.value()};
}

void complete_virtual_macs(std::vector<InstanceConfig>& instances, const DevicePrefixes& prefixes) {
  std::set<std::string> taken = names_in(instances);
  for (InstanceConfig& instance : instances) {
    if (instance.virtual_mac) {
      VirtualMac& virtual_mac = *instance.virtual_mac;
      if (virtual_mac.address == MacAddress{}) {
        virtual_mac.address = virtual_mac_address(instance.family(), instance.vrid);
      }
      if (virtual_mac.device.empty()) {
        virtual_mac.device = take_name(taken, instance.vrid, instance.family(), prefixes.instances);
      }
    }
    name_devices_of_addresses(instance, taken, prefixes.addresses);
  }
}

std::vector<DeviceNeed> devices_of(const InstanceConfig& instance) {
  std::vector<DeviceNeed> needs;
  if (instance.virtual_mac) {
    needs.push_back({instance.virtual_mac->device, instance.interface,
                     instance.virtual_mac->address, instance.family()});
  }
  for (const VirtualAddress& address : instance.addresses) {
    if (!address.device) continue;
    const bool is_known = std::any_of(needs.begin(), needs.end(), [&](const DeviceNeed& need) {
      return need.name == *address.device;
    });
    if (is_known) continue;
    auto [parent, family] = place_of(instance, address);
    needs.push_back(
        {*address.device, std::move(parent), virtual_mac_address(family, instance.vrid), family});
  }
  return needs;
}

}  // namespace ha::vrrp
