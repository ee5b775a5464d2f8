#include "settle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "timers.hpp"
#include "trace.hpp"

namespace ha::sim {
namespace {

bool preempts(const Node& node) {
  return node.config.preempt == vrrp::Preempt::kYes || node.priority == kPriorityOwner;
}

void check_group(const Lan& lan, const Groups& groups, unsigned group) {
  const std::vector<NodeId> masters = live_masters(lan, groups, group);
  std::vector<NodeId> members;
  for (const NodeId id : live_participants(lan)) {
    if (groups[id] == group) members.push_back(id);
  }
  if (masters.size() != (members.empty() ? 0U : 1U)) {
    broken(lan, fmt::format("I1: {} masters among the {} routers of group {}", masters.size(),
                            members.size(), group));
  }
  if (masters.empty()) return;
  const Node& master = lan.node(masters.front());
  if (!master.serves()) {
    broken(lan, fmt::format("I11: {} is master without its addresses", name_of(masters.front())));
  }
  for (const NodeId id : members) {
    const Node& other = lan.node(id);
    if (!other.is_master() && other.serves()) {
      broken(lan, fmt::format("I11: {} has the addresses though it is a backup", name_of(id)));
    }
    if (preempts(other) && other.priority > master.priority) {
      broken(lan, fmt::format("I4: {} has priority {}, but {} with {} is master", name_of(id),
                              other.priority.value(), name_of(masters.front()),
                              master.priority.value()));
    }
  }
}

/// Those that cannot give their addresses back lose them with their lease.
void check_leases(const Lan& lan) {
  for (NodeId id = 0; id < lan.size(); ++id) {
    const Node& node = lan.node(id);
    if (!node.serves() || (node.running && !node.paused) || !node.lease()) continue;
    if (lan.now() > node.addresses_set_at + *node.lease() + Lan::kLeaseSlack) {
      broken(lan, fmt::format("I11: {} has the addresses beyond their lease", name_of(id)));
    }
  }
}

/// Whoever announced last is whom the neighbours believe. A master with a refresh announces at
/// least that often.
void check_neighbours(const Lan& lan, Duration quiet) {
  const std::vector<NodeId> masters = lan.masters();
  if (masters.size() != 1 || lan.node(masters.front()).paused) return;
  const vrrp::AnnouncementSchedule& schedule = lan.node(masters.front()).config.announcements;
  if (schedule.refresh == Duration::zero() || quiet <= schedule.refresh) return;
  if (lan.last_announcer() != masters.front()) {
    broken(lan, "I8: the neighbours believe another router than the master");
  }
}

}  // namespace

void broken(const Lan& lan, const std::string& what) {
  std::string roles;
  for (NodeId id = 0; id < lan.size(); ++id) {
    const Node& node = lan.node(id);
    roles += fmt::format(" {}={}/{}{}", name_of(id), vrrp::name_of(node.state),
                         node.priority.value(), node.paused ? "/paused" : "");
  }
  throw BrokenInvariant{fmt::format("{} at {}:{}", what, seconds(lan.now() - Lan::kStart), roles)};
}

ClaimOf claim_of(const Node& node) { return {node.priority, node.address}; }

Duration longest_down(const Setup& setup) {
  return master_down_interval(setup.routers.front().config.version, Priority{1},
                              setup.longest_interval());
}

Duration settling_time(const Setup& setup) {
  const Duration round = longest_down(setup) + setup.longest_interval() +
                         2 * (setup.wake_latency_max + setup.calm.delay_max);
  Duration hold{};
  for (const Setup::Router& router : setup.routers) {
    hold = std::max(hold, router.config.preempt_delay);
  }
  return hold == Duration::zero() ? round : 2 * round + hold;
}

std::vector<NodeId> live_participants(const Lan& lan) {
  std::vector<NodeId> found;
  for (NodeId id = 0; id < lan.size(); ++id) {
    if (lan.node(id).participates() && !lan.node(id).paused) found.push_back(id);
  }
  return found;
}

std::vector<NodeId> live_masters(const Lan& lan, const Groups& groups, unsigned group) {
  std::vector<NodeId> found;
  for (const NodeId id : live_participants(lan)) {
    if (groups[id] == group && lan.node(id).is_master()) found.push_back(id);
  }
  return found;
}

void settle(Lan& lan, const Invariants& invariants, const Setup& setup, const Groups& groups) {
  lan.run_for(settling_time(setup));
  const unsigned last = *std::max_element(groups.begin(), groups.end());
  for (unsigned group = 0; group <= last; ++group) check_group(lan, groups, group);

  const std::uint64_t changes = lan.master_changes();
  const Duration quiet = 2 * longest_down(setup);
  lan.run_for(quiet);
  if (lan.master_changes() != changes) broken(lan, "I1: it did not stay so");
  invariants.check_nobody_is_silent();
  check_neighbours(lan, quiet);
  for (unsigned group = 0; group <= last; ++group) check_group(lan, groups, group);
  check_leases(lan);
}

void settle(Lan& lan, const Invariants& invariants, const Setup& setup) {
  settle(lan, invariants, setup, Groups(lan.size(), 0));
}

}  // namespace ha::sim
