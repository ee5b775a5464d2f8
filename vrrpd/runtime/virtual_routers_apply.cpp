/// VirtualRouters::apply(): from one list of instances to another without disturbing what stays.
#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "ha/check.hpp"
#include "vrrpd/runtime/address_change.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {
namespace {

/// Every interface that the file names for this instance.
std::vector<std::string> named_interfaces(const InstanceConfig& config) {
  std::vector<std::string> names{config.interface};
  for (const VirtualAddress& address : config.addresses) names.push_back(address.interface);
  for (const Track& track : config.tracks) {
    const auto* tracked = std::get_if<TrackInterface>(&track);
    if (tracked != nullptr) names.push_back(tracked->interface);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, std::string{});
  return names;
}

template <class T>
void append(std::vector<T>& all, std::vector<T> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<std::string> VirtualRouters::apply(const std::vector<InstanceConfig>& instances,
                                               std::span<RouterRecord> records,
                                               OnRefusal on_refusal) {
  HA_CHECK(records.size() == instances.size());
  log_.hold();
  // If this process stood still, others may have what would be installed for it here.
  for (const auto& entry : segments_) entry.second->drain();
  const TimePoint at = std::chrono::steady_clock::now();
  std::vector<RouterIdentity> before;
  for (const auto& router : routers_) before.push_back(identity_now(router->config()));
  std::vector<RouterIdentity> after;
  for (const InstanceConfig& config : instances) after.push_back(identity_now(config));
  const Successions successions = predecessors(before, after);

  // Nothing is touched until nothing can go wrong any more but what may at any time.
  std::vector<std::string> obstacles;
  if (on_refusal == OnRefusal::kUndo) obstacles = this->obstacles(instances, successions);
  if (obstacles.empty()) provide_devices_of(instances, on_refusal, obstacles);
  const std::vector<AddressRequest> wanted = to_hold(instances, successions);
  const AddressChange change = address_change(held(), wanted);
  if (obstacles.empty()) {
    const auto added = add_or_undo(change.add, on_refusal);
    if (!added) obstacles.push_back(added.error().message());
  }
  if (!obstacles.empty()) {
    close_unused_segments();
    keep_devices(false);
    finish_turn();
    return obstacles;
  }

  const std::vector<AddressRequest> released =
      exchange_routers(instances, records, successions, at);
  outbox_.remove_addresses(change.remove);
  // What a virtual router that is gone leaves to one that goes on stays installed.
  for (const AddressRequest& request : wanted) {
    const bool let_go =
        std::any_of(released.begin(), released.end(), [&](const AddressRequest& other) {
          return other.interface == request.interface && other.prefix == request.prefix;
        });
    if (let_go) outbox_.add_addresses({&request, 1});
  }
  outbox_.add_addresses(change.add_again);
  announce_new(change.announce, at);
  index_addresses();
  form_groups();
  demote_by_haproxy(at);
  demote_by_checks(at);
  demote_by_syncs(at);
  if (drain_) {
    for (const auto& router : routers_) router->set_drain(drain_, at);
  }
  look_again();
  keep_devices(is_alone_ && !leftovers_removed_);
  remove_leftovers();
  return {};
}

void VirtualRouters::provide_devices_of(const std::vector<InstanceConfig>& instances,
                                        OnRefusal on_refusal, std::vector<std::string>& obstacles) {
  std::vector<const InstanceConfig*> configs;
  for (const InstanceConfig& config : instances) configs.push_back(&config);
  provide_devices(configs);
  drop_segments_of_lost_links(std::chrono::steady_clock::now());
  if (on_refusal == OnRefusal::kGoOn) return;
  for (const InstanceConfig& config : instances) {
    for (const WantedDevice& wanted : devices_for(config)) {
      const auto device = find_device(wanted);
      if (device) continue;
      obstacles.push_back(fmt::format("instance {}: {}", config.name, device.error().message()));
    }
  }
}

RouterIdentity VirtualRouters::identity_now(const InstanceConfig& config) const {
  const Link* const link = interface_for(config);
  return identity_of(config, link == nullptr ? config.interface : link->name);
}

std::vector<std::string> VirtualRouters::obstacles(const std::vector<InstanceConfig>& instances,
                                                   const Successions& successions) {
  // One that was named before is waited for already; one that was not is a slip of the pen.
  std::set<std::string> acceptable;
  for (const Link& link : kernel_.links()) acceptable.insert(link.name);
  for (const auto& router : routers_) {
    for (std::string& name : named_interfaces(router->config())) acceptable.insert(std::move(name));
  }
  std::vector<std::string> obstacles;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    const InstanceConfig& config = instances[i];
    for (const std::string& name : named_interfaces(config)) {
      if (acceptable.contains(name)) continue;
      obstacles.push_back(
          fmt::format("instance {}: this machine has no interface {}", config.name, name));
    }
    const Link* const link = interface_for(config);
    if (link == nullptr && config.interface.empty() && !successions[i]) {
      obstacles.push_back(fmt::format(
          "instance {}: no interface has a network that holds its first address", config.name));
    }
    if (link == nullptr || !link->up || !link->running) continue;
    if (const auto segment = segment_for(config, *link); !segment) {
      obstacles.push_back(fmt::format("instance {}: {}", config.name, segment.error().message()));
    }
  }
  return obstacles;
}

std::vector<AddressRequest> VirtualRouters::held() const {
  std::vector<AddressRequest> held;
  for (const auto& router : routers_) {
    if (router->is_master()) append(held, router->managed());
  }
  return held;
}

std::vector<AddressRequest> VirtualRouters::to_hold(const std::vector<InstanceConfig>& instances,
                                                    const Successions& successions) const {
  std::vector<AddressRequest> wanted;
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (!successions[i]) continue;
    const RouterDriver& router = *routers_[*successions[i]];
    if (router.is_master()) append(wanted, router.managed(instances[i]));
  }
  return wanted;
}

Result<void> VirtualRouters::add_or_undo(std::span<const AddressRequest> added,
                                         OnRefusal on_refusal) {
  Result<void> result = kernel_.add_addresses(added);
  if (result) return {};
  if (on_refusal == OnRefusal::kGoOn) {
    log_.error("{}", result.error().message());
    return {};
  }
  std::vector<AddressRequest> undone{added.begin(), added.end()};
  // What somebody else had put there before us is not ours to remove.
  std::erase_if(undone, [&](const AddressRequest& request) {
    const auto& present = kernel_.addresses();
    return std::any_of(present.begin(), present.end(), [&](const Address& address) {
      return address.interface == request.interface && address.prefix == request.prefix;
    });
  });
  if (const auto removed = kernel_.remove_addresses(undone); !removed) {
    log_.error("{}", removed.error().message());
  }
  return result;
}

/// Returns the addresses that were let go.
std::vector<AddressRequest> VirtualRouters::exchange_routers(
    const std::vector<InstanceConfig>& instances, std::span<RouterRecord> records,
    const Successions& successions, TimePoint at) {
  std::vector<std::unique_ptr<RouterDriver>> next(instances.size());
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (successions[i]) next[i] = std::move(routers_[*successions[i]]);
  }
  std::vector<AddressRequest> released;
  for (auto& router : routers_) {
    if (router == nullptr) continue;
    if (router->is_master()) append(released, router->managed());
    router->remove(at);
  }
  routers_.clear();
  for (std::size_t i = 0; i < instances.size(); ++i) {
    if (next[i] != nullptr) {
      next[i]->move_to(records[i]);
      next[i]->reconfigure(instances[i], at);
    } else {
      next[i] = std::make_unique<RouterDriver>(instances[i], services_, records[i]);
    }
  }
  routers_ = std::move(next);
  return released;
}

void VirtualRouters::announce_new(std::span<const AddressRequest> added, TimePoint at) {
  if (added.empty()) return;
  for (const auto& router : routers_) {
    if (!router->is_master()) continue;
    std::vector<AddressRequest> its_own = router->managed();
    std::erase_if(its_own, [&](const AddressRequest& request) {
      return std::find(added.begin(), added.end(), request) == added.end();
    });
    router->announce_new(its_own, at);
  }
}

}  // namespace ha::vrrp
