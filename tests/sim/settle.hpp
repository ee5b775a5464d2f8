/// Calm, and what has to have become of the LAN after it: I1 and I4.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "invariants.hpp"
#include "setup.hpp"

namespace ha::sim {

/// The group of each router; routers of different groups do not hear each other.
using Groups = std::vector<unsigned>;

/// What a claim is compared by.
struct ClaimOf {
  Priority priority;
  IpAddress address;
  friend bool operator<(const ClaimOf& a, const ClaimOf& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.address < b.address;
  }
};
[[nodiscard]] ClaimOf claim_of(const Node& node);

/// The longest down interval on this LAN.
[[nodiscard]] Duration longest_down(const Setup& setup);
/// The bound of I1.
[[nodiscard]] Duration settling_time(const Setup& setup);

/// Routers of `group` that run, are not paused, and are master.
[[nodiscard]] std::vector<NodeId> live_masters(const Lan& lan, const Groups& groups,
                                               unsigned group);
/// Routers that take part in the election and are not paused.
[[nodiscard]] std::vector<NodeId> live_participants(const Lan& lan);

/// Waits for the bound of I1, checks I1 and I4 in each group, waits for two down intervals more and
/// checks that nothing moved. Throws BrokenInvariant.
void settle(Lan& lan, const Invariants& invariants, const Setup& setup, const Groups& groups);
/// All routers in one group.
void settle(Lan& lan, const Invariants& invariants, const Setup& setup);

[[noreturn]] void broken(const Lan& lan, const std::string& what);

}  // namespace ha::sim
