/// The RFC's formulas, once more and on purpose not the engine's: invariants that were computed
/// with the code under test could not fail together with it.
#pragma once

#include "ha/types.hpp"

namespace ha::sim {

/// Skew_Time: a share of the master's interval (RFC 9568 section 6.1), or of a second in version 2
/// (RFC 3768 section 6.1).
[[nodiscard]] constexpr Duration skew_time(Version version, Priority priority, Duration interval) {
  const Duration whole = version == Version::k2 ? Duration{std::chrono::seconds{1}} : interval;
  return whole - whole * int{priority.value()} / 256;
}

/// Active_Down_Interval.
[[nodiscard]] constexpr Duration master_down_interval(Version version, Priority priority,
                                                      Duration interval) {
  return interval + interval + interval + skew_time(version, priority, interval);
}

}  // namespace ha::sim
