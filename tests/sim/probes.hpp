/// One clean fault on a settled LAN, and the protocol's exact promise about it: I2, I3, I4, I6 and
/// I7. Each leaves the LAN settled again. One that the LAN offers no occasion for does nothing.
#pragma once

#include "settle.hpp"

namespace ha::sim {

class Probes {
 public:
  /// All must outlive this.
  Probes(Lan& lan, const Invariants& invariants, const Setup& setup, Random& random)
      : lan_{lan}, invariants_{invariants}, setup_{setup}, random_{random} {}

  /// A random one.
  void any();

  /// The master crashes: I3.
  void silence();
  /// The master shuts down: I3.
  void shutdown();
  /// The master's priority drops: I7.
  void drop();
  /// A backup's priority rises above the master's: I4.
  void raise();
  /// A router that was off starts: I4.
  void join();
  /// The LAN breaks in two and heals: I1 in each half, then I2.
  void partition();
  /// The master is frozen until another took over, and wakes up: I6.
  void freeze();

 private:
  [[nodiscard]] std::optional<NodeId> settled_master() const;
  [[nodiscard]] std::vector<NodeId> backups() const;
  /// A master that others had to replace: when they must have, if all of them wait for
  /// `wait(backup, interval of the master)` after its last word.
  template <class Wait>
  void expect_replacement(NodeId gone, Duration interval, Wait wait);
  void settle() { sim::settle(lan_, invariants_, setup_); }

  Lan& lan_;
  const Invariants& invariants_;
  const Setup& setup_;
  Random& random_;
};

}  // namespace ha::sim
