#include "probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "timers.hpp"
#include "trace.hpp"

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
  static constexpr Probe kProbes[] = {
      &Probes::silence, &Probes::shutdown, &Probes::drop,      &Probes::drop,      &Probes::raise,
      &Probes::join,    &Probes::join,     &Probes::partition, &Probes::partition, &Probes::freeze};
  (this->*kProbes[random_.below(std::size(kProbes))])();
}

template <class Wait>
void Probes::expect_replacement(NodeId gone, Duration interval, Wait wait) {
  Duration shortest = Duration::max();
  for (const NodeId id : backups()) {
    const Node& backup = lan_.node(id);
    shortest = std::min(shortest, wait(backup.config.version, backup.priority, interval));
  }
  if (shortest == Duration::max()) return;
  const Duration bound = setup_.calm.delay_max + shortest + setup_.wake_latency_max;
  lan_.run_for(bound);
  const std::vector<NodeId> masters = lan_.masters();
  if (std::none_of(masters.begin(), masters.end(), [&](NodeId id) { return id != gone; })) {
    broken(lan_, fmt::format("I3: nobody replaced {} within {}", name_of(gone), seconds(bound)));
  }
}

void Probes::silence() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: the master falls silent");
  const Duration interval = lan_.node(*master).config.advertisement_interval;
  lan_.crash(*master);
  expect_replacement(*master, interval, master_down_interval);
  settle();
}

void Probes::shutdown() {
  const auto master = settled_master();
  if (!master) return;
  lan_.remark("probe: the master shuts down");
  const Duration interval = lan_.node(*master).config.advertisement_interval;
  lan_.shut_down(*master);
  expect_replacement(*master, interval, skew_time);
  settle();
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
  lan_.watch_holders();
  lan_.set_priority(*master, lowered);
  if (shortest != Duration::max()) {
    lan_.run_for(setup_.calm.delay_max + shortest + setup_.wake_latency_max);
    const std::vector<NodeId> masters = lan_.masters();
    if (std::none_of(masters.begin(), masters.end(), [&](NodeId id) { return id != *master; })) {
      broken(lan_, "I7: nobody relieved the master after its skew time");
    }
  }
  settle();
  if (lan_.fewest_holders() == 0) broken(lan_, "I7: there was a moment without the addresses");
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
  lan_.remark("probe: the master freezes");
  lan_.pause(*master);
  settle();
  const std::uint64_t sent = lan_.adverts_sent(*master);
  const auto announcer = lan_.last_announcer();
  lan_.resume(*master);
  if (!lan_.node(*master).is_backup()) broken(lan_, "I6: woke up and stayed master");
  if (lan_.adverts_sent(*master) != sent || lan_.last_announcer() != announcer) {
    broken(lan_, "I6: woke up and spoke");
  }
  settle();
}

}  // namespace ha::sim
