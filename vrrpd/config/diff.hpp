/// What it takes to get from one list of instances to another: which virtual routers go on, and
/// which hand over.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"

namespace ha::vrrp {

/// What makes a virtual router the same one to its peers. Everything else about it may change while
/// it runs: its name, priority, addresses and timers.
struct RouterIdentity {
  std::string interface;  ///< the one it runs on; empty: none was found
  Vrid vrid;
  Family family = Family::kIpv4;
  Version version = Version::k3;
  std::optional<IpAddress> multicast_group;  ///< nothing: unicast

  friend bool operator==(const RouterIdentity&, const RouterIdentity&) = default;
};

/// `interface` is the one that `config` names, or the one found for it.
[[nodiscard]] RouterIdentity identity_of(const InstanceConfig& config, std::string interface);

/// For each of `after` the index of the one in `before` that goes on as it; nothing if it starts
/// anew. Those of `before` that do not occur in the answer hand over. Two that exchange their VRIDs
/// both go on: the virtual routers stay, and have each other's names and addresses from then on.
[[nodiscard]] std::vector<std::optional<std::size_t>> predecessors(
    std::span<const RouterIdentity> before, std::span<const RouterIdentity> after);

}  // namespace ha::vrrp
