/// An instance while its section is being read: what later checks need to know about the parts read
/// before.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {

struct Draft {
  vrrp::InstanceConfig config;
  Position position;             ///< of the section
  std::optional<Position> name;  ///< nothing: not given, or refused
  std::optional<Position> vrid;  ///< the same
  std::optional<Version>
      version;  ///< nothing: refused, so that nothing can be said about what depends on it
  std::optional<Family> family;         ///< of the first valid address
  std::vector<Position> addresses;      ///< of config.addresses, one by one
  bool addresses_are_complete = false;  ///< no address was refused
  bool interface_is_known = true;       ///< false: given, but refused
  std::optional<Position> device;       ///< of the macvlan's name, if that is given
  std::optional<bool> transmits;        ///< nothing: not given
};

/// Where instances track what other sections define.
struct TrackUses {
  std::vector<Position> haproxy;
  struct Check {
    std::string name;
    vrrp::TrackEffect::Kind effect = vrrp::TrackEffect::Kind::kDemote;
    Position position;
  };
  std::vector<Check> checks;
  bool are_complete = true;  ///< no track was refused
};

/// Reads `track`; needs the priority.
void read_tracks(const Section& section, Draft& draft, TrackUses& uses, Diagnostics& diagnostics);

/// Reads `virtual_mac`, as far as it is given.
void read_virtual_mac(const Section& section, Draft& draft, Diagnostics& diagnostics);

/// Decides by where advertisements leave; needs the peers.
void settle_transmission(const Section& section, Draft& draft, Diagnostics& diagnostics);

/// Reads `addresses`; needs the version, the interface and the virtual MAC address.
void read_addresses(const Section& section, Draft& draft, Diagnostics& diagnostics);

/// Reads the list `addresses` of the section `static`.
[[nodiscard]] std::vector<vrrp::VirtualAddress> read_static_addresses(const Node& list,
                                                                      Diagnostics& diagnostics);

/// Reads whom to talk to and from where (`source_address`, `multicast_group`, `unicast_peers`,
/// `minimum_ttl`); needs the addresses and the priority.
void read_peers(const Section& section, Draft& draft, Diagnostics& diagnostics);

}  // namespace ha::config
