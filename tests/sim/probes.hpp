/// One clean fault on a settled LAN, and the exact promise about it: I2, I3, I4, I6, I7 and I11 to
/// I14. Each leaves the LAN settled again. One that the LAN offers no occasion for does nothing.
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

  /// The master loses its power: I3.
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
  /// The master is frozen until another took over, and wakes up: I6, I11.
  void freeze();
  /// Guard and engine of the master are killed together: I3, I11.
  void kill();
  /// The master's engine dies, and its successor is there in time: I12.
  void succession();
  /// The master's engine dies twice: I12.
  void last_will();
  /// Somebody removes the master's addresses: I13.
  void meddle();
  /// A router reads a new configuration: I14.
  void reload();

 private:
  [[nodiscard]] std::optional<NodeId> settled_master() const;
  [[nodiscard]] std::vector<NodeId> backups() const;
  /// What the first of the backups waits, if all of them wait for `wait(backup, interval of the
  /// master)` after its last word; nothing without backups.
  template <class Wait>
  [[nodiscard]] std::optional<Duration> shortest(Duration interval, Wait wait) const;
  /// A master that others had to replace, waiting for `shortest()`. Returns when they must have.
  Duration expect_replacement(NodeId gone, std::optional<Duration> shortest);
  /// Since Lan::watch_ownership().
  void expect_ownership(std::string_view invariant, Duration none_max, Duration several_max) const;
  /// How long a new master and the one before it may overlap, or two new ones: until one has heard
  /// the other, or the answer to its own advertisement.
  [[nodiscard]] Duration handing_over() const { return 2 * setup_.calm.delay_max; }
  /// What a master with a lease serves after its last advertisement, at the least and at the most.
  [[nodiscard]] static Duration serves_at_least(const Node& node);
  [[nodiscard]] static Duration serves_at_most(const Node& node);
  void wake_up(NodeId id, Freeze freeze);
  void settle() { sim::settle(lan_, invariants_, setup_); }

  Lan& lan_;
  const Invariants& invariants_;
  const Setup& setup_;
  Random& random_;
};

}  // namespace ha::sim
