/// What an instance says to its peers, as its configuration has it.
#pragma once

#include <span>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/wire/advert.hpp"

namespace ha::vrrp {

/// The addresses that its advertisements list, in this order.
[[nodiscard]] std::vector<IpAddress> advertised_addresses(const InstanceConfig& config);

/// Where they go: to the unicast peers, or to the multicast group. Part of `config`.
[[nodiscard]] std::span<const IpAddress> destinations_of(const InstanceConfig& config);

[[nodiscard]] Advert advertisement(const InstanceConfig& config, Priority priority);

}  // namespace ha::vrrp
