#include "vrrpd/runtime/advertisement.hpp"

namespace ha::vrrp {

std::vector<IpAddress> advertised_addresses(const InstanceConfig& config) {
  std::vector<IpAddress> addresses;
  for (const VirtualAddress& address : config.addresses) {
    if (address.advertise) addresses.push_back(address.prefix.address);
  }
  return addresses;
}

std::span<const IpAddress> destinations_of(const InstanceConfig& config) {
  if (config.unicast_peers.empty()) return {&config.multicast_group, 1};
  return config.unicast_peers;
}

Advert advertisement(const InstanceConfig& config, Priority priority) {
  Advert advert;
  advert.version = config.router.version;
  advert.vrid = config.vrid;
  advert.priority = priority;
  advert.interval = config.router.advertisement_interval;
  advert.addresses = advertised_addresses(config);
  if (config.password) advert.password = make_password(*config.password);
  return advert;
}

}  // namespace ha::vrrp
