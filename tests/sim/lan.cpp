#include "lan.hpp"

#include <algorithm>
#include <utility>

#include "ha/check.hpp"

namespace ha::sim {
namespace {

/// Timers sort behind packets of the same instant: the driver reads before it acts on a timer.
constexpr std::uint64_t kWakeOrder = std::uint64_t{1} << 63U;

}  // namespace

Lan::Lan(std::uint64_t seed, const LinkQuality& quality, Duration wake_latency_max)
    : random_{seed},
      quality_{quality},
      wake_latency_max_{wake_latency_max},
      now_{kStart},
      links_(kNodesMax * kNodesMax) {}

NodeId Lan::add(const vrrp::RouterConfig& config, const IpAddress& address, Duration clock_offset) {
  HA_CHECK(nodes_.size() < kNodesMax);
  nodes_.push_back({config, config.priority, address, clock_offset, {}, false, false, {}, false});
  timing_.emplace_back();
  return nodes_.size() - 1;
}

void Lan::start(NodeId id) {
  Node& node = nodes_[id];
  if (node.running) return;
  node.running = true;
  if (node.fault) {
    feed(id, vrrp::Faulted{*node.fault});
  } else {
    feed(id, vrrp::Started{node.priority, node.address});
  }
}

void Lan::shut_down(NodeId id) { command(id, vrrp::ShutDown{}); }

void Lan::crash(NodeId id) {
  Node& node = nodes_[id];
  if (!node.running) return;
  if (node.is_master()) ++master_changes_;
  node.running = false;
  node.paused = false;
  node.state = vrrp::Initialize{};
  release(node);
  timing_[id].socket.clear();
  timing_[id].commands.clear();
  rearm(id);
  for (Observer* observer : observers_) observer->crashed(id, now_);
}

void Lan::pause(NodeId id) {
  if (!nodes_[id].running || nodes_[id].paused) return;
  nodes_[id].paused = true;
  for (Observer* observer : observers_) observer->paused(id, now_);
}

void Lan::resume(NodeId id) {
  Node& node = nodes_[id];
  if (!node.paused) return;
  node.paused = false;
  for (Observer* observer : observers_) observer->resumed(id, now_);

  // Which of the two the event loop serves first is chance; that timers of a backup and of a master
  // that is late come last is the driver's rule.
  const bool commands_first = random_.chance(1, 2);
  if (commands_first) run_commands(id);
  if (!must_read_before_timer(id) && random_.chance(1, 2)) wake_if_due(id);
  for (const vrrp::AdvertReceived& advert : std::exchange(timing_[id].socket, {})) {
    if (node.running && node.attached()) feed(id, advert);
  }
  if (!commands_first) run_commands(id);
  if (!node.running) return;
  wake_if_due(id);
  // The wake that was armed before the pause may have passed unheard.
  timing_[id].armed_for.reset();
  rearm(id);
}

bool Lan::must_read_before_timer(NodeId id) const {
  const Node& node = nodes_[id];
  const std::optional<TimePoint> due = vrrp::deadline(node.state);
  return due && (!node.is_master() || clock_of(id) - *due > node.config.advertisement_interval);
}

void Lan::run_commands(NodeId id) {
  for (const vrrp::Event& event : std::exchange(timing_[id].commands, {})) command(id, event);
}

void Lan::wake_if_due(NodeId id) {
  const std::optional<TimePoint> due = vrrp::deadline(nodes_[id].state);
  if (due && *due <= clock_of(id)) feed(id, vrrp::DeadlineReached{});
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
  command(id, vrrp::Started{node.priority, node.address});
}

void Lan::reconfigure(NodeId id, Duration advertisement_interval) {
  Node& node = nodes_[id];
  if (!node.running || node.paused) return;
  node.config.advertisement_interval = advertisement_interval;
  feed(id, vrrp::Reconfigured{});
}

void Lan::stray(NodeId id, const vrrp::Event& event) {
  if (!nodes_[id].paused) feed(id, event);
}

void Lan::set_quality(const LinkQuality& quality) { quality_ = quality; }

void Lan::cut(NodeId from, NodeId to) { link(from, to).cut = true; }

void Lan::mend(NodeId from, NodeId to) { link(from, to).cut = false; }

void Lan::mend_all() {
  for (Link& each : links_) each.cut = false;
}

void Lan::inject(NodeId to, const vrrp::AdvertReceived& advert) {
  happen({now_, 0, to, false, 0, advert});
}

void Lan::run_until(TimePoint until) {
  while (!queue_.empty() && queue_.front().at <= until) {
    std::pop_heap(queue_.begin(), queue_.end(), is_later);
    const Pending pending = queue_.back();
    queue_.pop_back();
    now_ = pending.at;
    happen(pending);
  }
  now_ = until;
}

std::vector<NodeId> Lan::masters() const {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < nodes_.size(); ++id) {
    if (nodes_[id].is_master()) found.push_back(id);
  }
  return found;
}

std::optional<NodeId> Lan::master() const {
  const std::vector<NodeId> all = masters();
  return all.size() == 1 ? std::optional{all.front()} : std::nullopt;
}

void Lan::remark(std::string_view text) {
  for (Observer* observer : observers_) observer->remarked(text, now_);
}

void Lan::happen(const Pending& pending) {
  const Node& node = nodes_[pending.node];
  Timing& timing = timing_[pending.node];
  if (pending.is_wake) {
    if (pending.arming == timing.arming && !node.paused) {
      timing.armed_for.reset();
      feed(pending.node, vrrp::DeadlineReached{});
    }
    return;
  }
  if (!node.running || !node.attached()) return;
  if (!node.paused) {
    feed(pending.node, pending.advert);
  } else if (timing.socket.size() < kSocketBufferPackets) {
    timing.socket.push_back(pending.advert);
  }
}

void Lan::command(NodeId id, const vrrp::Event& event) {
  if (!nodes_[id].running) return;
  if (nodes_[id].paused) {
    timing_[id].commands.push_back(event);
    return;
  }
  feed(id, event);
  if (std::holds_alternative<vrrp::ShutDown>(event)) nodes_[id].running = false;
}

void Lan::feed(NodeId id, const vrrp::Event& event) {
  Node& node = nodes_[id];
  const TimePoint clock = clock_of(id);
  vrrp::Step step = vrrp::step(node.config, node.state, event, clock);
  for (Observer* observer : observers_) {
    observer->stepped({id, clock, now_, node.config, node.state, event, step});
  }
  if (std::holds_alternative<vrrp::Master>(step.next) != node.is_master()) ++master_changes_;
  node.state = std::move(step.next);
  for (const vrrp::Action& action : step.actions) carry_out(id, action);
  rearm(id);
}

void Lan::carry_out(NodeId id, const vrrp::Action& action) {
  Node& node = nodes_[id];
  if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) {
    transmit(id, advert->priority);
  } else if (std::holds_alternative<vrrp::AcquireAddresses>(action)) {
    if (!node.holds_addresses) ++holders_;
    node.holds_addresses = true;
  } else if (std::holds_alternative<vrrp::ReleaseAddresses>(action)) {
    release(node);
  } else if (std::holds_alternative<vrrp::Announce>(action)) {
    if (node.attached()) last_announcer_ = id;
  }
}

void Lan::release(Node& node) {
  if (node.holds_addresses) --holders_;
  node.holds_addresses = false;
  fewest_holders_ = std::min(fewest_holders_, holders_);
}

void Lan::rearm(NodeId id) {
  Timing& timing = timing_[id];
  const std::optional<TimePoint> due = vrrp::deadline(nodes_[id].state);
  if (due == timing.armed_for) return;
  timing.armed_for = due;
  ++timing.arming;
  if (!due) return;
  const Duration latency = random_.between(Duration::zero(), wake_latency_max_);
  push({std::max(*due - nodes_[id].clock_offset, now_) + latency,
        kWakeOrder,
        id,
        true,
        timing.arming,
        {}});
}

void Lan::transmit(NodeId from, Priority priority) {
  ++timing_[from].adverts_sent;
  const Node& sender = nodes_[from];
  if (!sender.attached()) return;
  const vrrp::AdvertReceived advert{sender.address, priority, sender.config.advertisement_interval};
  for (NodeId to = 0; to < nodes_.size(); ++to) {
    if (to == from || link(from, to).cut) continue;
    if (random_.chance(quality_.loss_per_mille, 1'000)) continue;
    send_copy(from, to, advert);
    if (random_.chance(quality_.duplicate_per_mille, 1'000)) send_copy(from, to, advert);
  }
}

void Lan::send_copy(NodeId from, NodeId to, const vrrp::AdvertReceived& advert) {
  TimePoint at = now_ + random_.between(quality_.delay_min, quality_.delay_max);
  if (!quality_.reorders) at = std::max(at, link(from, to).last_arrival);
  link(from, to).last_arrival = std::max(at, link(from, to).last_arrival);
  push({at, 0, to, false, 0, advert});
}

void Lan::push(Pending pending) {
  pending.order += ++scheduled_;
  queue_.push_back(std::move(pending));
  std::push_heap(queue_.begin(), queue_.end(), is_later);
}

}  // namespace ha::sim
