/// Reading `static`, and the routes and rules that it shares with instances.
#pragma once

#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {

[[nodiscard]] vrrp::StaticConfig read_static(const Node& value, Diagnostics& diagnostics);

/// Reads `routes` and `rules`.
void read_routing(const Section& section, std::vector<Route>& routes, std::vector<Rule>& rules,
                  Diagnostics& diagnostics);

}  // namespace ha::config
