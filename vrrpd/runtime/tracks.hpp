/// What a track makes of the health of what it watches. Pure.
#pragma once

#include <string>

#include "ha/messages.hpp"
#include "vrrpd/config/config.hpp"

namespace ha::vrrp {

/// The claim on the priority that `effect` makes while `source` has this health. Unknown counts as
/// unhealthy.
[[nodiscard]] Demotion demotion_of(std::string source, const TrackEffect& effect,
                                   const Health& health);

}  // namespace ha::vrrp
