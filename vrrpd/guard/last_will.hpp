/// What the guard does for an engine that died and has no successor.
#pragma once

#include "vrrpd/guard/estate.hpp"
#include "vrrpd/runtime/log.hpp"

namespace ha::vrrp {

/// Sends priority 0 for every virtual router that was master, so that the next one takes over after
/// its skew time, then removes the addresses and macvlans of all. What fails is logged and does not
/// keep the rest from being done.
void execute_last_will(Estate& estate, Log& log);

}  // namespace ha::vrrp
