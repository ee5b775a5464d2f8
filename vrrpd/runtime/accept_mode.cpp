#include "vrrpd/runtime/accept_mode.hpp"

#include "vrrpd/settings/scalars.hpp"

namespace ha::vrrp {

std::vector<FilteredAddress> filtered_addresses(std::span<const InstanceConfig> instances) {
  std::vector<FilteredAddress> filtered;
  for (const InstanceConfig& instance : instances) {
    if (instance.accepts || instance.router.priority == kPriorityOwner) continue;
    for (const VirtualAddress& address : instance.addresses) {
      const IpAddress& ip = address.prefix.address;
      const std::string* const device = instance.device_of(address);
      const std::string& interface = device != nullptr           ? *device
                                     : address.interface.empty() ? instance.interface
                                                                 : address.interface;
      filtered.push_back({ip, config::is_link_local(ip) ? interface : std::string{}});
    }
  }
  return filtered;
}

std::vector<std::string> AcceptMode::apply(std::span<const InstanceConfig> instances,
                                           OnRefusal on_refusal) {
  const auto addresses = filtered_addresses(instances);
  if (addresses.empty() && !is_used_) return {};  // the kernel may be one without packet filters
  if (const auto set = filter_.set(addresses); !set) {
    std::string why = "accept: false has no effect: " + set.error().message();
    if (on_refusal == OnRefusal::kUndo) return {std::move(why)};
    log_.error("{}", why);
    return {};
  }
  is_used_ = !addresses.empty();
  return {};
}

}  // namespace ha::vrrp
