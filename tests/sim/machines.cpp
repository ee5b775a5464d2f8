/// What happens to the machines of a Lan: their engines, guards and kernels.
#include <algorithm>
#include <utility>

#include "lan.hpp"
#include "vrrpd/engine/sync_group.hpp"
#include "vrrpd/guard/guard.hpp"

namespace ha::sim {

// ---- the engine process, and the guard ----

void Lan::start(NodeId id) {
  const Node& node = nodes_[id];
  if (node.running || node.restarting) return;
  timing_[id].last_death.reset();
  boot(id, std::nullopt);
}

/// A new engine process. What a predecessor left in the kernel is adopted if this one is master at
/// once, else removed.
void Lan::boot(NodeId id, std::optional<TimePoint> predecessor_advertised_at) {
  Node& node = nodes_[id];
  node.running = true;
  timing_[id].predecessor = predecessor_advertised_at;
  if (node.fault) {
    feed(id, vrrp::Faulted{*node.fault});
  } else {
    feed(id, vrrp::Started{node.priority, node.address, predecessor_advertised_at});
  }
  if (node.running && !node.is_master()) drop_addresses(id);
  run_commands(id);
}

void Lan::shut_down(NodeId id) { command(id, vrrp::ShutDown{}); }

/// The engine process is gone, with all that only it knew.
void Lan::bury(NodeId id) {
  Node& node = nodes_[id];
  Timing& timing = timing_[id];
  if (node.is_master()) ++master_changes_;
  node.running = false;
  node.paused = false;
  node.state = vrrp::Initialize{};
  timing.socket.clear();
  timing.commands.clear();
  timing.look_waits = false;
  timing.deadly_actions.reset();
  rearm(id);
  for (Observer* observer : observers_) observer->crashed(id, now_);
}

void Lan::crash(NodeId id) {
  if (std::exchange(nodes_[id].kernel_stands_still, false) && nodes_[id].holds_addresses) {
    ownership_.gained(now_);
  }
  kill(id);
  drop_addresses(id);
}

void Lan::kill(NodeId id) {
  if (nodes_[id].kernel_stands_still) return;
  nodes_[id].restarting = false;
  timing_[id].record.reset();
  if (nodes_[id].running) bury(id);
}

void Lan::kill_engine(NodeId id, Duration restart_after) {
  Node& node = nodes_[id];
  Timing& timing = timing_[id];
  if ((!node.running && !node.restarting) || node.kernel_stands_still) return;
  if (node.running) bury(id);
  node.restarting = has_a_successor(id);
  timing.last_death = clock_of(id);
  if (!node.restarting) return let_go(id);
  push(now_ + restart_after, id, Kind::kRestart, ++timing.restart_arming);
}

bool Lan::has_a_successor(NodeId id) const {
  return vrrp::may_restart(timing_[id].last_death, clock_of(id));
}

void Lan::kill_engine_after(NodeId id, int actions, Duration restart_after) {
  if (!nodes_[id].running) return;
  timing_[id].deadly_actions = actions;
  timing_[id].restart_after = restart_after;
}

bool Lan::dies_now(NodeId id) {
  Timing& timing = timing_[id];
  if (!timing.deadly_actions || --*timing.deadly_actions >= 0) return false;
  remark("killed in the midst of it");
  kill_engine(id, timing.restart_after);
  return true;
}

/// The last will: priority 0 in the engine's name, then away with the addresses.
void Lan::let_go(NodeId id) {
  remark("the guard lets go");
  if (std::exchange(timing_[id].record, std::nullopt)) transmit(id, kPriorityRelease);
  drop_addresses(id);
}

void Lan::finish_restart(NodeId id) {
  if (!std::exchange(nodes_[id].restarting, false)) return;
  boot(id, timing_[id].record);
}

void Lan::pause(NodeId id, Freeze freeze) {
  Node& node = nodes_[id];
  if (!node.running || node.paused) return;
  node.paused = true;
  if (freeze == Freeze::kMachine) {
    if (node.serves()) ownership_.lost(now_);
    node.kernel_stands_still = true;
  }
  for (Observer* observer : observers_) observer->paused(id, now_);
}

void Lan::resume(NodeId id) {
  Node& node = nodes_[id];
  Timing& timing = timing_[id];
  if (!node.paused) return;
  node.paused = false;
  if (std::exchange(node.kernel_stands_still, false)) {
    if (node.serves()) ownership_.gained(now_);
    if (std::exchange(timing.lease_end_waits, false)) {
      timing.lease_end_pending = true;
      push(now_ + random_.between(Duration::zero(), kLeaseSlack), id, Kind::kLeaseEnd);
    }
  }
  for (Observer* observer : observers_) observer->resumed(id, now_);

  // Which of the two the event loop serves first is chance; that timers of a backup and of a master
  // that is late come last is the driver's rule.
  const bool commands_first = random_.chance(1, 2);
  if (commands_first) run_commands(id);
  if (!must_read_before_timer(id) && random_.chance(1, 2)) wake_if_due(id);
  drain(id);
  if (!commands_first) run_commands(id);
  if (!node.running) return;
  wake_if_due(id);
  settle_group(id);
  // The wake that was armed before the pause may have passed unheard.
  timing.armed_for.reset();
  rearm(id);
}

/// Reads what came in while it stood still.
void Lan::drain(NodeId id) {
  for (const vrrp::AdvertReceived& advert : std::exchange(timing_[id].socket, {})) {
    if (nodes_[id].running && nodes_[id].attached()) feed(id, advert);
  }
}

bool Lan::must_read_before_timer(NodeId id) const {
  const Node& node = nodes_[id];
  const std::optional<TimePoint> due = vrrp::deadline(node.state);
  return due && (!node.is_master() || clock_of(id) - *due > node.config.advertisement_interval);
}

// ---- what it is told ----

void Lan::command(NodeId id, const vrrp::Event& event) {
  Node& node = nodes_[id];
  const bool shuts_down = std::holds_alternative<vrrp::ShutDown>(event);
  // The guard passes signals on; the rest the next engine finds for itself.
  if (node.paused || (node.restarting && shuts_down)) {
    timing_[id].commands.push_back(event);
    return;
  }
  if (!node.running) return;
  feed(id, event);
  if (shuts_down) node.running = false;
}

void Lan::run_commands(NodeId id) {
  if (std::exchange(timing_[id].look_waits, false)) look(id);
  for (const Command& command : std::exchange(timing_[id].commands, {})) {
    if (const auto* event = std::get_if<vrrp::Event>(&command)) {
      this->command(id, *event);
    } else {
      adopt(id, std::get<Reload>(command));
    }
  }
}

void Lan::wake_if_due(NodeId id) {
  const std::optional<TimePoint> due = vrrp::deadline(nodes_[id].state);
  if (due && *due <= clock_of(id)) feed(id, vrrp::DeadlineReached{});
}

bool Lan::is_deferred(NodeId id, const vrrp::Event& event, const vrrp::Step& step) const {
  return nodes_[id].others != Others::kNone && !nodes_[id].is_master() &&
         std::holds_alternative<vrrp::Master>(step.next) &&
         std::holds_alternative<vrrp::DeadlineReached>(event);
}

void Lan::settle_group(NodeId id) {
  const Node& node = nodes_[id];
  if (node.others == Others::kNone || !node.running || node.paused) return;
  const bool ready = node.others == Others::kReady;
  const vrrp::Place places[] = {vrrp::place_of(node.state),
                                ready ? vrrp::Place::kMaster : vrrp::Place::kFollowing};
  const vrrp::Move move = vrrp::settle(places).front();
  if (move == vrrp::Move::kTakeOver) handle(id, vrrp::TakeOver{});
  if (move == vrrp::Move::kStepAside) handle(id, vrrp::StepAside{});
}

void Lan::set_others(NodeId id, Others others) {
  nodes_[id].others = others;
  settle_group(id);
}

void Lan::set_priority(NodeId id, Priority priority) {
  nodes_[id].priority = priority;
  command(id, vrrp::PriorityChanged{priority});
}

void Lan::change_address(NodeId id, const IpAddress& address) {
  nodes_[id].address = address;
  command(id, vrrp::AddressChanged{address});
}

void Lan::fault(NodeId id, vrrp::Faulted::Cause cause) {
  if (nodes_[id].fault) return;
  nodes_[id].fault = cause;
  command(id, vrrp::Faulted{cause});
}

void Lan::restore(NodeId id) {
  Node& node = nodes_[id];
  if (!node.fault) return;
  node.fault.reset();
  command(id, vrrp::Started{node.priority, node.address, timing_[id].predecessor});
}

void Lan::reload(NodeId id, const Reload& reload) {
  Node& node = nodes_[id];
  if (!node.running && !node.restarting) return;
  node.priority = reload.priority.value_or(node.priority);
  if (node.paused || node.restarting) {
    timing_[id].commands.emplace_back(reload);
  } else {
    adopt(id, reload);
  }
}

void Lan::adopt(NodeId id, const Reload& reload) {
  Node& node = nodes_[id];
  drain(id);
  if (!node.running) return;
  const std::optional<Duration> lease_before = node.lease();
  node.config.advertisement_interval = reload.advertisement_interval;
  node.config.preempt = reload.preempt;
  node.config.priority = reload.priority.value_or(node.config.priority);
  // Addresses whose lifetime changed are installed anew, as those that were added are.
  if (node.lease() != lease_before) {
    timing_[id].acquired_at = clock_of(id);
    if (node.is_master()) set_addresses(id);
  }
  handle(id, vrrp::Reconfigured{});
  settle_group(id);
  // The effective one, which may have changed again since.
  if (reload.priority && node.running) feed(id, vrrp::PriorityChanged{node.priority});
  if (reload.adds_addresses && node.running && node.is_master()) {
    feed(id, vrrp::AnnouncementDue{vrrp::Announced::kNew});
  }
}

void Lan::stray(NodeId id, const vrrp::Event& event) {
  if (!nodes_[id].paused) feed(id, event);
}

// ---- leases: whoever advertises keeps its addresses, so they are renewed with advertisements ----

void Lan::renew_lease(NodeId id) {
  const std::optional<Duration> lease = nodes_[id].lease();
  if (!lease) return;
  const Duration after = *lease / 3 - nodes_[id].config.advertisement_interval / 2;
  if (clock_of(id) < timing_[id].acquired_at + after) return;
  timing_[id].acquired_at = clock_of(id);
  set_addresses(id);
}

bool Lan::lease_has_lapsed(NodeId id) const {
  const std::optional<Duration> lease = nodes_[id].lease();
  return lease && clock_of(id) >= timing_[id].acquired_at + *lease;
}

void Lan::put_back(NodeId id) {
  ++timing_[id].restorations;
  if (!timing_[id].lost || lease_has_lapsed(id)) timing_[id].acquired_at = clock_of(id);
  set_addresses(id);
}

// ---- the kernel ----

void Lan::set_addresses(NodeId id) {
  Node& node = nodes_[id];
  Timing& timing = timing_[id];
  if (!std::exchange(node.holds_addresses, true)) ownership_.gained(now_);
  node.addresses_set_at = now_;
  if (!node.lease()) {
    timing.lease_ends_at = TimePoint::max();
    return;
  }
  timing.lease_ends_at = now_ + *node.lease() + random_.between(Duration::zero(), kLeaseSlack);
  if (std::exchange(timing.lease_end_pending, true)) return;
  push(timing.lease_ends_at, id, Kind::kLeaseEnd);
}

void Lan::drop_addresses(NodeId id) {
  Node& node = nodes_[id];
  if (node.serves()) ownership_.lost(now_);
  node.holds_addresses = false;
  timing_[id].lease_end_waits = false;
}

void Lan::end_lease(NodeId id) {
  Node& node = nodes_[id];
  Timing& timing = timing_[id];
  timing.lease_end_pending = false;
  if (!node.holds_addresses || timing.lease_ends_at == TimePoint::max()) return;
  if (node.kernel_stands_still) {
    timing.lease_end_waits = true;
  } else if (timing.lease_ends_at > now_) {
    timing.lease_end_pending = true;
    push(timing.lease_ends_at, id, Kind::kLeaseEnd);
  } else {
    remark("a lease ends");
    drop_addresses(id);
    tell_lost(id);
  }
}

void Lan::remove_addresses(NodeId id) {
  if (!nodes_[id].holds_addresses || nodes_[id].kernel_stands_still) return;
  remark("somebody removes addresses");
  drop_addresses(id);
  tell_lost(id);
}

void Lan::tell_lost(NodeId id) {
  if (nodes_[id].paused) {
    timing_[id].look_waits = true;
  } else if (nodes_[id].running) {
    push(now_ + random_.between(Duration::zero(), wake_latency_max_), id, Kind::kLook);
  }
}

void Lan::look(NodeId id) {
  const Node& node = nodes_[id];
  if (!node.running || !node.is_master() || node.holds_addresses) return;
  if (node.paused) {
    timing_[id].look_waits = true;
    return;
  }
  timing_[id].lost = true;
  handle(id, vrrp::AddressesLost{});
  timing_[id].lost = false;
}

}  // namespace ha::sim
