#include "vrrpd/engine/track.hpp"

#include <algorithm>

namespace ha::vrrp {

Priority effective_priority(Priority base, std::span<const Demotion> demotions) {
  if (base == kPriorityOwner) return base;
  int effective = base.value();
  for (const Demotion& demotion : demotions) effective -= std::clamp(demotion.amount, -254, 254);
  return Priority{static_cast<std::uint8_t>(std::clamp(effective, 1, 254))};
}

}  // namespace ha::vrrp
