#include "probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "timers.hpp"
#include "trace.hpp"
#include "vrrpd/guard/guard.hpp"

namespace ha::sim {

std::optional<NodeId> Probes::settled_master() const { return lan_.master(); }

std::vector<NodeId> Probes::backups() const {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < lan_.size(); ++id) {
    if (lan_.node(id).is_backup()) found.push_back(id);
  }
  return found;
}

void Probes::any() {
  using Probe = void (Probes::*)();
  static constexpr Probe kProbes[] = {&Probes::silence,   &Probes::shutdown,   &Probes::drop,
                                      &Probes::drop,      &Probes::raise,      &Probes::join,
                                      &Probes::join,      &Probes::partition,  &Probes::partition,
                                      &Probes::freeze,    &Probes::freeze,     &Probes::kill,
                                      &Probes::kill,      &Probes::succession, &Probes::succession,
                                      &Probes::last_will, &Probes::meddle,     &Probes::reload};
  (this->*kProbes[random_.below(std::size(kProbes))])();
}

template <class Wait>
std::optional<Duration> Probes::shortest(Duration interval, Wait wait) const {
  std::optional<Duration> shortest;
  for (const NodeId id : backups()) {
    const Node& backup = lan_.node(id);
    const Duration this_one = wait(backup.config.version, backup.priority, interval);
    shortest = std::min(shortest.value_or(this_one), this_one);
  }
  return shortest;
}

Duration Probes::expect_replacement(NodeId gone, std::optional<Duration> shortest) {
  if (!shortest) return Duration::max();
  const Duration bound = setup_.calm.delay_max + *shortest + setup_.wake_latency_max;
  lan_.run_for(bound);
  const std::vector<NodeId> masters = lan_.masters();
  if (std::none_of(masters.begin(), masters.end(), [&](NodeId id) { return id != gone; })) {
    broken(lan_, fmt::format("I3: nobody replaced {} within {}", name_of(gone), seconds(bound)));
  }
  return bound;
}

void Probes::expect_ownership(std::string_view invariant, Duration none_max,
                              Duration several_max) const {
  const Ownership owners = lan_.ownership();
  const Duration none = owners.longest_with_none(lan_.now());
  const Duration several = owners.longest_with_several(lan_.now());
  if (none > none_max) {
    broken(lan_, fmt::format("{}: nobody had the addresses for {}, longer than {}", invariant,
                             seconds(none), seconds(none_max)));
  }
  if (several > several_max) {
    broken(lan_, fmt::format("{}: several had the addresses for {}, longer than {}", invariant,
                             seconds(several), seconds(several_max)));
  }
}

Duration Probes::serves_at_least(const Node& node) {
  if (!node.lease()) return Duration::max();
  const Duration unrenewed = *node.lease() / 3 - node.config.advertisement_interval / 2;
  return *node.lease() - std::max(unrenewed, Duration::zero());
}

Duration Probes::serves_at_most(const Node& node) {
  return node.lease() ? *node.lease() + Lan::kLeaseSlack : Duration::max();
}

void Probes::silence() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: the master loses its power");
  const auto wait =
      shortest(lan_.node(*master).config.advertisement_interval, master_down_interval);
  lan_.watch_ownership();
  lan_.crash(*master);
  const Duration bound = expect_replacement(*master, wait);
  settle();
  expect_ownership("I3", bound, handing_over());
}

void Probes::shutdown() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: the master shuts down");
  const auto wait = shortest(lan_.node(*master).config.advertisement_interval, skew_time);
  lan_.watch_ownership();
  lan_.shut_down(*master);
  const Duration bound = expect_replacement(*master, wait);
  settle();
  expect_ownership("I3", bound, handing_over());
}

void Probes::kill() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: guard and engine of the master are killed");
  const Node dead = lan_.node(*master);
  const Duration interval = dead.config.advertisement_interval;
  const auto wait = shortest(interval, master_down_interval);
  lan_.watch_ownership();
  lan_.kill(*master);
  const Duration bound = expect_replacement(*master, wait);
  settle();
  if (wait && dead.lease()) {
    const Duration delay = handing_over();
    expect_ownership("I11", std::max(Duration::zero(), bound - serves_at_least(dead)),
                     std::max(delay, serves_at_most(dead) - 3 * interval + delay));
  }
  lan_.crash(*master);
}

void Probes::succession() {
  const auto master = settled_master();
  if (!master || !lan_.has_a_successor(*master)) return;
  const Duration interval = lan_.node(*master).config.advertisement_interval;
  const Duration skew = shortest(interval, skew_time).value_or(interval);
  const Duration spread = setup_.calm.delay_max - setup_.calm.delay_min;
  // In time: its advertisement arrives before the first timer runs out.
  const TimePoint latest = lan_.advertised_at(*master) + 3 * interval +
                           std::min(skew - spread - Duration{1}, Duration::zero());
  if (latest <= lan_.now()) return;
  lan_.remark("probe: the master's engine dies");
  const std::uint64_t changes = lan_.master_changes();
  lan_.watch_ownership();
  const Duration restart_after = random_.between(Duration::zero(), latest - lan_.now());
  lan_.kill_engine(*master, restart_after);
  lan_.run_for(restart_after);
  if (!lan_.node(*master).is_master()) broken(lan_, "I12: the successor is not master");
  settle();
  if (lan_.master() != master || lan_.master_changes() != changes + 2) {
    broken(lan_, "I12: somebody noticed a succession");
  }
  expect_ownership("I12", Duration::zero(), Duration::zero());
}

void Probes::last_will() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: the master's engine dies twice");
  const Duration interval = lan_.node(*master).config.advertisement_interval;
  if (lan_.has_a_successor(*master)) {
    lan_.kill_engine(*master, Duration::zero());
    lan_.run_for(
        random_.between(Duration::zero(), std::min(3 * interval, vrrp::kRestartInterval) / 2));
  }
  const auto wait = shortest(interval, skew_time);
  lan_.watch_ownership();
  lan_.kill_engine(*master, Duration::zero());
  if (lan_.node(*master).holds_addresses) broken(lan_, "I12: nobody has let go");
  const Duration bound = expect_replacement(*master, wait);
  settle();
  expect_ownership("I12", bound, handing_over());
}

void Probes::meddle() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: somebody meddles");
  const std::uint64_t changes = lan_.master_changes();
  lan_.watch_ownership();
  lan_.remove_addresses(*master);
  lan_.run_for(setup_.wake_latency_max);
  if (!lan_.node(*master).serves()) broken(lan_, "I13: the addresses are not back");
  settle();
  expect_ownership("I13", setup_.wake_latency_max, Duration::zero());
  if (lan_.master_changes() != changes) broken(lan_, "I13: the master changed");
}

void Probes::reload() {
  const std::vector<NodeId> live = live_participants(lan_);
  if (live.empty()) return;
  const NodeId id = live[random_.below(live.size())];
  lan_.remark("probe: a reload");
  Reload reload{setup_.intervals[random_.below(setup_.intervals.size())],
                lan_.node(id).config.preempt};
  if (random_.chance(1, 2)) reload.preempt = vrrp::Preempt::kNo;
  reload.adds_addresses = random_.chance(1, 2);
  const std::uint64_t changes = lan_.master_changes();
  const std::uint64_t restorations = lan_.restorations(id);
  lan_.watch_ownership();
  lan_.reload(id, reload);
  settle();
  if (lan_.master_changes() != changes) broken(lan_, "I14: the master changed");
  if (lan_.restorations(id) != restorations) {
    broken(lan_, "I14: addresses were put back that nobody had removed");
  }
  if (lan_.ownership().fewest() == 0) broken(lan_, "I14: there was a moment without addresses");
}

void Probes::drop() {
  const auto master = settled_master();
  if (!master || lan_.node(*master).priority == kPriorityOwner) return;
  const int now = lan_.node(*master).priority.value();
  const Priority lowered{static_cast<std::uint8_t>(random_.between(1, now))};
  if (lowered.value() == now) return;
  lan_.remark("probe: the master's priority drops");

  Duration shortest = Duration::max();
  const Duration interval = lan_.node(*master).config.advertisement_interval;
  for (const NodeId id : backups()) {
    const Node& backup = lan_.node(id);
    const bool may = backup.config.preempt != vrrp::Preempt::kNo;
    if (!may || backup.priority <= lowered) continue;
    shortest = std::min(shortest, skew_time(backup.config.version, backup.priority, interval));
  }
  const std::uint64_t changes = lan_.master_changes();
  lan_.watch_ownership();
  lan_.set_priority(*master, lowered);
  if (shortest != Duration::max()) {
    lan_.run_for(setup_.calm.delay_max + shortest + setup_.wake_latency_max);
    const std::vector<NodeId> masters = lan_.masters();
    if (std::none_of(masters.begin(), masters.end(), [&](NodeId id) { return id != *master; })) {
      broken(lan_, "I7: nobody relieved the master after its skew time");
    }
  }
  settle();
  if (lan_.ownership().fewest() == 0) broken(lan_, "I7: there was a moment without the addresses");
  if (shortest == Duration::max() && lan_.master_changes() != changes) {
    broken(lan_, "I7: the master changed although nobody may relieve it");
  }
}

void Probes::raise() {
  const auto master = settled_master();
  const std::vector<NodeId> candidates = backups();
  if (!master || candidates.empty() || lan_.node(*master).priority.value() >= 254) return;
  const NodeId id = candidates[random_.below(candidates.size())];
  if (lan_.node(id).priority == kPriorityOwner) return;
  lan_.remark("probe: a backup's priority rises");
  const std::uint64_t changes = lan_.master_changes();
  lan_.set_priority(id, Priority{static_cast<std::uint8_t>(
                            random_.between(lan_.node(*master).priority.value() + 1, 254))});
  settle();
  if (lan_.node(id).config.preempt == vrrp::Preempt::kNo && lan_.master_changes() != changes) {
    broken(lan_, "I4: the holder did not stay");
  }
}

void Probes::join() {
  const auto master = settled_master();
  if (!master) return;
  std::optional<NodeId> joining;
  for (NodeId id = 0; id < lan_.size(); ++id) {
    if (!lan_.node(id).running && !lan_.node(id).fault) joining = id;
  }
  if (!joining) {
    const std::vector<NodeId> candidates = backups();
    if (candidates.empty()) return;
    joining = candidates[random_.below(candidates.size())];
    if (random_.chance(1, 2)) {
      lan_.shut_down(*joining);
    } else {
      lan_.crash(*joining);
    }
    settle();
    if (lan_.master() != master) broken(lan_, "I4: a backup left, and the master changed");
  }
  lan_.remark("probe: a router joins");
  const Node& holder = lan_.node(*master);
  const Node& newcomer = lan_.node(*joining);
  const bool higher = newcomer.priority > holder.priority;
  const bool may_win = higher && (newcomer.config.preempt == vrrp::Preempt::kYes ||
                                  newcomer.priority == kPriorityOwner);
  const bool hears_in_time =
      holder.config.advertisement_interval + setup_.calm.delay_max + setup_.wake_latency_max <
      3 * newcomer.config.advertisement_interval;
  const bool owner = newcomer.priority == kPriorityOwner;
  const std::uint64_t changes = lan_.master_changes();
  lan_.start(*joining);
  settle();
  const bool holder_stays = !may_win && hears_in_time && !owner;
  if (holder_stays && lan_.master_changes() != changes) {
    broken(lan_, "I4: the holder did not stay");
  }
}

void Probes::partition() {
  if (live_participants(lan_).size() < 2) return;
  lan_.remark("probe: the LAN breaks in two");
  Groups groups;
  for (NodeId id = 0; id < lan_.size(); ++id) {
    groups.push_back(static_cast<unsigned>(random_.below(2)));
  }
  for (NodeId a = 0; a < lan_.size(); ++a) {
    for (NodeId b = 0; b < lan_.size(); ++b) {
      if (groups[a] != groups[b]) lan_.cut(a, b);
    }
  }
  sim::settle(lan_, invariants_, setup_, groups);

  lan_.remark("probe: it heals");
  lan_.mend_all();
  const std::vector<NodeId> masters = lan_.masters();
  const Duration slack = setup_.calm.delay_max + setup_.wake_latency_max;
  if (masters.size() == 2) {
    const bool first_wins = claim_of(lan_.node(masters[1])) < claim_of(lan_.node(masters[0]));
    const NodeId winner = first_wins ? masters[0] : masters[1];
    const NodeId loser = first_wins ? masters[1] : masters[0];
    lan_.run_for(std::min(lan_.node(winner).config.advertisement_interval,
                          lan_.node(loser).config.advertisement_interval + setup_.calm.delay_max) +
                 slack);
    if (lan_.master() != winner) broken(lan_, "I2: the better claim is not alone in time");
  }
  settle();
}

void Probes::freeze() {
  const auto master = settled_master();
  if (!master || backups().empty()) return;
  const Freeze freeze = random_.chance(1, 3) ? Freeze::kMachine : Freeze::kProcesses;
  lan_.remark(freeze == Freeze::kMachine ? "probe: the master's machine freezes"
                                         : "probe: the master freezes");
  const Node frozen = lan_.node(*master);
  const Duration interval = frozen.config.advertisement_interval;
  const auto wait = shortest(interval, master_down_interval);
  const Duration delay = handing_over();
  lan_.watch_ownership();
  lan_.pause(*master, freeze);
  const Duration bound = expect_replacement(*master, wait);
  settle();
  if (freeze == Freeze::kMachine) {
    expect_ownership("I11", bound, delay);
  } else if (frozen.lease()) {
    expect_ownership("I11", std::max(Duration::zero(), bound - serves_at_least(frozen)),
                     std::max(delay, serves_at_most(frozen) - 3 * interval + delay));
  }
  wake_up(*master, freeze);
  settle();
}

void Probes::wake_up(NodeId id, Freeze freeze) {
  const auto announcer = lan_.last_announcer();
  const std::uint64_t sent = lan_.adverts_sent(id);
  const std::uint64_t changes = lan_.master_changes();
  // What a process finds in its socket, a machine has to wait for.
  Duration hears_within{};
  if (freeze == Freeze::kMachine) {
    for (const NodeId other : lan_.masters()) {
      if (other == id) continue;
      hears_within = lan_.node(other).config.advertisement_interval + setup_.calm.delay_max +
                     setup_.wake_latency_max;
    }
  }
  const bool hears_in_time = hears_within < lan_.node(id).config.advertisement_interval;
  lan_.resume(id);
  if (!hears_in_time) return;
  lan_.run_for(hears_within);
  const Node& node = lan_.node(id);
  if (!node.is_backup()) broken(lan_, "I6: woke up and stayed master");
  if (node.holds_addresses) broken(lan_, "I11: woke up and kept the addresses");
  const bool spoke = lan_.adverts_sent(id) != sent;
  if (spoke || (freeze == Freeze::kProcesses && lan_.last_announcer() != announcer)) {
    broken(lan_, "I6: woke up and spoke");
  }
  if (node.config.preempt == vrrp::Preempt::kYes || node.priority == kPriorityOwner) return;
  settle();
  if (lan_.master_changes() != changes + 1) broken(lan_, "I6: a thaw moved the addresses again");
}

}  // namespace ha::sim
