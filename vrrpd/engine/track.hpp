/// Effective priority: the configured one less the demotions in force.
#pragma once

#include <span>

#include "ha/messages.hpp"
#include "ha/types.hpp"

namespace ha::vrrp {

/// `base` minus the sum of the amounts, clamped to 1-254; an owner (255) is never changed
/// (RFC 9568 section 5.2.4: 0 and 255 have meanings of their own).
[[nodiscard]] Priority effective_priority(Priority base, std::span<const Demotion> demotions);

}  // namespace ha::vrrp
