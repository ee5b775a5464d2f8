/// RouterDriver: what it does with addresses, routes and rules.
#include <algorithm>

#include "vrrpd/runtime/router_driver.hpp"

namespace ha::vrrp {
namespace {

AddressRequest request_for(const VirtualAddress& address, IfIndex interface,
                           std::optional<Duration> lease) {
  return {interface,
          address.prefix,
          address.label,
          address.noprefixroute,
          std::chrono::duration_cast<std::chrono::seconds>(lease.value_or(Duration{})),
          address.scope,
          address.broadcast};
}

}  // namespace

std::vector<AddressRequest> RouterDriver::requests(const InstanceConfig& config) const {
  std::vector<AddressRequest> requests;
  for (const VirtualAddress& address : config.addresses) {
    const std::string* const device = config.device_of(address);
    const std::string& name = device != nullptr           ? *device
                              : address.interface.empty() ? interface_
                                                          : address.interface;
    for (const Link& link : services_.kernel.links()) {
      if (link.name != name) continue;
      requests.push_back(request_for(address, link.index, config.lease));
    }
  }
  return requests;
}

std::vector<AddressRequest> RouterDriver::managed(const InstanceConfig& config) const {
  std::vector<AddressRequest> requests = this->requests(config);
  if (config.router.priority != kPriorityOwner) return requests;
  const auto& present = services_.kernel.addresses();
  std::erase_if(requests, [&](const AddressRequest& request) {
    return std::any_of(present.begin(), present.end(), [&](const Address& address) {
      return !address.ours && address.interface == request.interface &&
             address.prefix.address == request.prefix.address;
    });
  });
  return requests;
}

std::vector<AddressRequest> RouterDriver::held() const {
  std::vector<AddressRequest> held = managed();
  for (const Address& present : services_.kernel.addresses()) {
    const auto same_address = [&](const VirtualAddress& address) {
      return address.prefix.address == present.prefix.address;
    };
    const auto same_place = [&](const AddressRequest& request) {
      return request.interface == present.interface && request.prefix == present.prefix;
    };
    if (present.ours &&
        std::any_of(config_.addresses.begin(), config_.addresses.end(), same_address) &&
        std::none_of(held.begin(), held.end(), same_place)) {
      held.push_back({present.interface, present.prefix, {}, false});
    }
  }
  return held;
}

std::vector<Routing> RouterDriver::routing(const InstanceConfig& config) {
  std::vector<Routing> all{config.routes.begin(), config.routes.end()};
  all.insert(all.end(), config.rules.begin(), config.rules.end());
  return all;
}

void RouterDriver::change_routing(const InstanceConfig& next) {
  if (!is_master()) return;
  std::vector<Routing> gone = routing(config_);
  std::vector<Routing> come = routing(next);
  std::erase_if(come, [&](const Routing& one) { return std::erase(gone, one) > 0; });
  services_.outbox.remove_routing(gone);
  services_.outbox.add_routing(come);
}

void RouterDriver::announce(Announced which) {
  for (const AddressRequest& request : requests()) {
    const auto is_this = [&](const AddressRequest& other) {
      return other.interface == request.interface && other.prefix.address == request.prefix.address;
    };
    if (which == Announced::kNew &&
        std::none_of(new_addresses_.begin(), new_addresses_.end(), is_this)) {
      continue;
    }
    const auto& links = services_.kernel.links();
    const auto link = std::find_if(links.begin(), links.end(), [&](const Link& other) {
      return other.index == request.interface;
    });
    services_.outbox.announce({request.interface, link->mac, request.prefix.address,
                               config_.gratuitous_arp_form, config_.announcement_spacing});
    log_announcement(request, link->name);
  }
}

void RouterDriver::announce_new(std::span<const AddressRequest> added, TimePoint now) {
  const auto* master = std::get_if<Master>(&state_);
  if (master == nullptr || added.empty()) return;
  // Those of a burst that is not over yet are announced along.
  if (!in_a_burst(*master)) new_addresses_.clear();
  new_addresses_.insert(new_addresses_.end(), added.begin(), added.end());
  feed(AnnouncementDue{Announced::kNew}, now);
}

// Leases: whoever advertises keeps its addresses, so they are renewed with advertisements only.

bool RouterDriver::lease_has_lapsed(TimePoint now) const {
  return config_.lease && now >= acquired_at_ + *config_.lease;
}

void RouterDriver::renew_lease(TimePoint now) {
  if (!config_.lease) return;
  // Half an interval early, so that an advertisement a moment early does not leave it to the next
  // one.
  const Duration after = *config_.lease / 3 - config_.router.advertisement_interval / 2;
  if (now < acquired_at_ + after) return;
  acquired_at_ = now;
  services_.outbox.add_addresses(managed());
}

void RouterDriver::restore(std::span<const AddressRequest> missing, TimePoint now) {
  lost_.assign(missing.begin(), missing.end());
  handle(AddressesLost{}, now);
  lost_.clear();
}

void RouterDriver::put_back(TimePoint now) {
  if (lost_.empty() || lease_has_lapsed(now)) {
    services_.log.warning("({}) this machine stood still; making sure of the addresses",
                          config_.name);
    acquired_at_ = now;
    services_.outbox.add_addresses(managed());
    services_.outbox.add_routing(routing(config_));
    return;
  }
  statistics_.addresses_restored += lost_.size();
  if (!alarms_) alarms_ = Alarms{};
  for (const AddressRequest& request : lost_) {
    if (alarms_->refresh("address-removed", "", now, alarm_lasting()) &&
        alarms_->raise("address-removed", "", to_string(request.prefix), "removed by somebody else",
                       now)) {
      services_.log.warning("({}) {} was removed by somebody else; put back", config_.name,
                            to_string(request.prefix));
      services_.events.note(
          "alarm", standing(),
          fmt::format("address-removed {} by somebody else; put back", to_string(request.prefix)));
    }
  }
  services_.outbox.add_addresses(lost_);
  // Those that named the address went with it.
  services_.outbox.add_routing(routing(config_));
}

}  // namespace ha::vrrp
