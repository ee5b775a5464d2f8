/// The section `instances` of the configuration.
#pragma once

#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/config/draft.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::config {

struct Instances {
  std::vector<vrrp::InstanceConfig> configs;
  TrackUses tracks;
  std::vector<Position> mails;  ///< where `notify` asks for mail
};

/// Reads the list, with all checks within an instance and between them; what is wrong is in
/// `diagnostics`, and then the values are of no use.
[[nodiscard]] Instances read_instances(const Node& value, Diagnostics& diagnostics);

}  // namespace ha::config
