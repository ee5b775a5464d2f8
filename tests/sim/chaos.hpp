/// A random time of trouble: everything a network and its machines can do to the protocol, several
/// at once.
#pragma once

#include "lan.hpp"
#include "setup.hpp"

namespace ha::sim {

/// Starts the routers and lets faults happen for some 5 to 30 intervals. Only the steps' own
/// invariants hold meanwhile. Ends in calm: links mended, everybody resumed, what was sent has
/// arrived; some routers may be off or in fault for good.
void chaos(Lan& lan, const Setup& setup, Random& random);

}  // namespace ha::sim
