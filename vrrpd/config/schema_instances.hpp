/// The section `instances` of the configuration.
#pragma once

#include <vector>

#include "settings/diagnostics.hpp"
#include "settings/source.hpp"
#include "vrrpd/config/config.hpp"

namespace ha::config {

struct Instances {
  std::vector<vrrp::InstanceConfig> configs;
  std::vector<Position> haproxy_tracks;  ///< where an instance tracks `haproxy`
  bool tracks_are_complete = true;       ///< no track was refused
};

/// Reads the list, with all checks within an instance and between them; what is wrong is in
/// `diagnostics`, and then the values are of no use.
[[nodiscard]] Instances read_instances(const Node& value, Diagnostics& diagnostics);

}  // namespace ha::config
