/// VirtualRouters: the macvlans of those with a virtual MAC address. What it takes to have them is
/// decided in virtual_devices.
#include <algorithm>
#include <set>

#include "vrrpd/config/virtual_mac.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {

std::vector<WantedDevice> VirtualRouters::devices_for(const InstanceConfig& config) const {
  std::vector<WantedDevice> wanted;
  for (const DeviceNeed& need : devices_of(config)) {
    const auto& links = kernel_.links();
    const auto named = std::find_if(links.begin(), links.end(),
                                    [&](const Link& link) { return link.name == need.parent; });
    const Link* const parent = need.parent.empty()    ? interface_for(config)
                               : named == links.end() ? nullptr
                                                      : &*named;
    if (parent != nullptr) wanted.push_back({need.name, parent->index, need.mac, need.family});
  }
  return wanted;
}

void VirtualRouters::provide_devices(const std::vector<const InstanceConfig*>& configs) {
  std::vector<WantedDevice> wanted;
  for (const InstanceConfig* config : configs) {
    for (WantedDevice& device : devices_for(*config)) wanted.push_back(std::move(device));
  }
  if (!wanted.empty()) devices_.provide(wanted);
}

void VirtualRouters::provide_own_devices() {
  if (shut_down_) return;
  std::vector<const InstanceConfig*> configs;
  for (const auto& router : routers_) configs.push_back(&router->config());
  provide_devices(configs);
}

void VirtualRouters::keep_devices(bool leftovers) {
  std::set<std::string> kept;
  for (const auto& router : routers_) {
    for (DeviceNeed& device : devices_of(router->config())) kept.insert(std::move(device.name));
  }
  devices_.keep(kept, leftovers);
}

Result<const Link*> VirtualRouters::find_device(const WantedDevice& wanted) const {
  for (const Link& link : kernel_.links()) {
    const bool is_it = link.name == wanted.name && link.parent == wanted.parent &&
                       link.mac == wanted.mac && link.up;
    if (is_it) return &link;
  }
  const std::string trouble = devices_.trouble(wanted.name);
  return tl::unexpected{
      Error{{},
            fmt::format("there is no interface {} for the virtual MAC address{}{}", wanted.name,
                        trouble.empty() ? "" : ": ", trouble)}};
}

Result<Segment*> VirtualRouters::outgoing_for(const InstanceConfig& config, Segment* segment) {
  if (!config.virtual_mac) return segment;
  // Its own interface is there, and this is the first.
  const auto device = find_device(devices_for(config).front());
  if (!device) return tl::unexpected{device.error()};
  if (!config.virtual_mac->transmits) return segment;
  return segment_on(**device, config.family());
}

}  // namespace ha::vrrp
