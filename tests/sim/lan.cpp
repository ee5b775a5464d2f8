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

NodeId Lan::add(const vrrp::RouterConfig& config, const IpAddress& address, Duration clock_offset,
                std::optional<Duration> shortest_lease) {
  HA_CHECK(nodes_.size() < kNodesMax);
  Node node;
  node.config = config;
  node.priority = config.priority;
  node.address = address;
  node.clock_offset = clock_offset;
  node.shortest_lease = shortest_lease;
  nodes_.push_back(std::move(node));
  timing_.emplace_back();
  return nodes_.size() - 1;
}

void Lan::set_quality(const LinkQuality& quality) { quality_ = quality; }

void Lan::cut(NodeId from, NodeId to) { link(from, to).cut = true; }

void Lan::mend(NodeId from, NodeId to) { link(from, to).cut = false; }

void Lan::mend_all() {
  for (Link& each : links_) each.cut = false;
}

void Lan::inject(NodeId to, const vrrp::AdvertReceived& advert) { receive(to, advert); }

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
  const NodeId id = pending.node;
  Timing& timing = timing_[id];
  switch (pending.kind) {
    case Kind::kPacket:
      return receive(id, pending.advert);
    case Kind::kLook:
      return look(id);
    case Kind::kLeaseEnd:
      return end_lease(id);
    case Kind::kRestart:
      if (pending.arming == timing.restart_arming) finish_restart(id);
      return;
    case Kind::kWake:
      if (pending.arming != timing.arming || nodes_[id].paused) return;
      timing.armed_for.reset();
      return feed(id, vrrp::DeadlineReached{});
  }
}

void Lan::receive(NodeId id, const vrrp::AdvertReceived& advert) {
  const Node& node = nodes_[id];
  std::vector<vrrp::AdvertReceived>& socket = timing_[id].socket;
  if (!node.running || !node.attached() || node.kernel_stands_still) return;
  if (!node.paused) {
    feed(id, advert);
  } else if (socket.size() < kSocketBufferPackets) {
    socket.push_back(advert);
  }
}

/// A process that finds its lease at an end does not wait for the kernel to tell.
void Lan::feed(NodeId id, const vrrp::Event& event) {
  if (nodes_[id].is_master() && lease_has_lapsed(id)) handle(id, vrrp::AddressesLost{});
  handle(id, event);
  settle_group(id);
}

void Lan::handle(NodeId id, const vrrp::Event& event) {
  Node& node = nodes_[id];
  const TimePoint clock = clock_of(id);
  vrrp::Step step = vrrp::step(node.config, node.state, event, clock);
  if (is_deferred(id, event, step)) return handle(id, vrrp::TakeOverDeferred{});
  for (Observer* observer : observers_) {
    observer->stepped({id, clock, now_, node.config, node.state, event, step});
  }
  if (std::holds_alternative<vrrp::Master>(step.next) != node.is_master()) ++master_changes_;
  node.state = std::move(step.next);
  note(id, step.actions);
  const std::uint64_t sent = timing_[id].adverts_sent;
  for (const vrrp::Action& action : step.actions) {
    if (dies_now(id)) return;
    carry_out(id, action);
  }
  if (node.is_master() && timing_[id].adverts_sent != sent) renew_lease(id);
  rearm(id);
}

/// What outlives the engine is written before anything is done.
void Lan::note(NodeId id, const std::vector<vrrp::Action>& actions) {
  for (const vrrp::Action& action : actions) {
    if (std::holds_alternative<vrrp::SendAdvert>(action) && nodes_[id].is_master()) {
      timing_[id].record = clock_of(id);
    } else if (std::holds_alternative<vrrp::Transitioned>(action) && !nodes_[id].is_master()) {
      timing_[id].record.reset();
    }
  }
}

void Lan::carry_out(NodeId id, const vrrp::Action& action) {
  if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) {
    transmit(id, advert->priority);
  } else if (std::holds_alternative<vrrp::AcquireAddresses>(action)) {
    timing_[id].acquired_at = clock_of(id);
    set_addresses(id);
  } else if (std::holds_alternative<vrrp::ReleaseAddresses>(action)) {
    drop_addresses(id);
  } else if (std::holds_alternative<vrrp::RestoreAddresses>(action)) {
    put_back(id);
  } else if (std::holds_alternative<vrrp::Announce>(action)) {
    if (nodes_[id].attached()) last_announcer_ = id;
  }
}

void Lan::rearm(NodeId id) {
  Timing& timing = timing_[id];
  const std::optional<TimePoint> due = vrrp::deadline(nodes_[id].state);
  if (due == timing.armed_for) return;
  timing.armed_for = due;
  ++timing.arming;
  if (!due) return;
  const Duration latency = random_.between(Duration::zero(), wake_latency_max_);
  push(std::max(*due - nodes_[id].clock_offset + latency, now_), id, Kind::kWake, timing.arming);
}

void Lan::transmit(NodeId from, Priority priority) {
  ++timing_[from].adverts_sent;
  timing_[from].advertised_at = now_;
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
  push(at, to, Kind::kPacket, 0, advert);
}

void Lan::push(TimePoint at, NodeId node, Kind kind, std::uint64_t arming,
               const vrrp::AdvertReceived& advert) {
  const std::uint64_t order = (kind == Kind::kWake ? kWakeOrder : 0) + ++scheduled_;
  queue_.push_back({at, order, node, kind, arming, advert});
  std::push_heap(queue_.begin(), queue_.end(), is_later);
}

}  // namespace ha::sim
