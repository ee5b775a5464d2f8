/// The sections `checks` and `groups` of the configuration, and whether they fit the instances.
#pragma once

#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/config/draft.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::config {

/// Reads the map, by name. `uses` are the instances' tracks: each has to name a check, and a check
/// that none names is worth a warning. What is wrong is in `diagnostics`, and then the values are
/// of no use.
[[nodiscard]] std::vector<checks::CheckConfig> read_checks(const Node* value, const TrackUses& uses,
                                                           Diagnostics& diagnostics);

/// Reads the list; members have to be among `instances`. Where `notify` asks for mail is added to
/// `mails`.
[[nodiscard]] std::vector<vrrp::GroupConfig> read_groups(
    const Node& value, const std::vector<vrrp::InstanceConfig>& instances,
    std::vector<Position>& mails, Diagnostics& diagnostics);

}  // namespace ha::config
