/// Telling a process that stood still from one whose children or peers are slow.
#pragma once

#include <chrono>

#include "ha/types.hpp"

namespace ha::vrrp {

/// A loop that is merely busy is not so late.
inline constexpr Duration kStall = std::chrono::milliseconds{250};

/// Whether a timer that was due at `due` comes so late that this process, or the machine, must have
/// stood still meanwhile. Then those it gave so much time had less, and a verdict on them would be
/// one on ourselves.
[[nodiscard]] inline bool stood_still(TimePoint due, TimePoint now) { return now - due > kStall; }

}  // namespace ha::vrrp
