#include "vrrpd/runtime/virtual_devices.hpp"

#include <algorithm>
#include <utility>

namespace ha::vrrp {
namespace {

constexpr std::uint8_t kOwnAddressesOnly = 1;  ///< arp_ignore
constexpr std::uint8_t kByRoute = 1;           ///< arp_filter
constexpr std::uint8_t kBestAddress = 2;       ///< arp_announce

const Link* find_link(const std::vector<Link>& links, const std::string& name) {
  const auto found =
      std::find_if(links.begin(), links.end(), [&](const Link& link) { return link.name == name; });
  return found == links.end() ? nullptr : &*found;
}

const Link* find_link(const std::vector<Link>& links, IfIndex index) {
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&](const Link& link) { return link.index == index; });
  return found == links.end() ? nullptr : &*found;
}

bool is_macvlan(const Link& link) { return link.parent != IfIndex{}; }

/// How `parent` behaved before it had macvlans of ours.
ArpBehaviour arp_before(const std::vector<Link>& links, const Link& parent) {
  for (const Link& link : links) {
    if (link.parent == parent.index && link.parent_arp) return *link.parent_arp;
  }
  return parent.arp;
}

std::uint8_t restored(std::uint8_t now, std::uint8_t ours, std::uint8_t before) {
  return now == ours ? before : now;
}

}  // namespace

DevicePlan plan_devices(const std::vector<Link>& links, std::span<const WantedDevice> wanted) {
  DevicePlan plan;
  const auto is_wanted = [wanted](const std::string& name) {
    return std::any_of(wanted.begin(), wanted.end(),
                       [&](const WantedDevice& device) { return device.name == name; });
  };
  for (const WantedDevice& device : wanted) {
    const Link* const parent = find_link(links, device.parent);
    if (parent == nullptr) continue;
    const Macvlan macvlan{device.name, device.parent, device.mac, arp_before(links, *parent)};
    const Link* const present = find_link(links, device.name);
    // Two of them with one MAC address cannot be up on one interface.
    for (const Link& link : links) {
      const bool is_its_former_self = link.parent == device.parent && link.mac == device.mac &&
                                      link.parent_arp && link.name != device.name;
      if (is_its_former_self && !is_wanted(link.name)) plan.remove.push_back(link.index);
    }
    const bool fits = present != nullptr && is_macvlan(*present) &&
                      present->parent == device.parent && present->mac == device.mac;
    if (present == nullptr || (fits && (!present->parent_arp || !present->up))) {
      plan.make.push_back(macvlan);
    } else if (!fits && present->parent_arp) {
      plan.remove.push_back(present->index);
      plan.make.push_back(macvlan);
    } else if (!fits) {
      plan.taken.emplace(device.name, is_macvlan(*present)
                                          ? "a macvlan of somebody else's has this name"
                                          : "another interface has this name");
    }
  }
  return plan;
}

ArpBehaviour as_parent(ArpBehaviour before) {
  return {std::max(before.ignore, kOwnAddressesOnly), std::max(before.filter, kByRoute),
          std::max(before.announce, kBestAddress)};
}

ArpBehaviour restored(const ArpBehaviour& now, const ArpBehaviour& before) {
  return {restored(now.ignore, kOwnAddressesOnly, before.ignore),
          restored(now.filter, kByRoute, before.filter),
          restored(now.announce, kBestAddress, before.announce)};
}

bool VirtualDevices::provide(std::span<const WantedDevice> wanted) {
  for (const WantedDevice& device : wanted) provided_.insert(device.name);
  const DevicePlan plan = plan_devices(kernel_.links(), wanted);
  for (const auto& [name, reason] : plan.taken) complain(name, reason);
  if (const auto removed = kernel_.remove_links(plan.remove); !removed) {
    log_.error("{}", removed.error().message());
  }
  for (const Macvlan& device : plan.make) {
    const auto its = std::find_if(wanted.begin(), wanted.end(),
                                  [&](const auto& other) { return other.name == device.name; });
    make(device, its->family);
  }
  for (const WantedDevice& device : wanted) {
    if (device.family == Family::kIpv4) hush_parent(device.parent);
  }
  if (plan.make.empty()) return false;
  kernel_.catch_up();
  return true;
}

void VirtualDevices::make(const Macvlan& device, Family family) {
  if (find_link(kernel_.links(), device.name) != nullptr) {
    log_.warning("the interface {} is there already; it is used", device.name);
  }
  if (const auto made = kernel_.add_macvlan(device); !made) {
    return complain(device.name, made.error().message());
  }
  troubles_.erase(device.name);
  const auto restricted = kernel_.restrict_ipv6(device.name, family == Family::kIpv6);
  if (restricted || std::exchange(told_about_ipv6_, true)) return;
  log_.warning("{}; where a router announces IPv6 networks, {} gets addresses of its own",
               restricted.error().message(), device.name);
}

void VirtualDevices::hush_parent(IfIndex parent) {
  const Link* const link = find_link(kernel_.links(), parent);
  if (link == nullptr || link->arp == as_parent(link->arp)) return;
  if (const auto set = kernel_.set_arp(parent, as_parent(link->arp)); !set) {
    complain(link->name, set.error().message());
  }
}

void VirtualDevices::complain(const std::string& name, std::string trouble) {
  std::string& known = troubles_[name];
  if (known == trouble) return;
  log_.error("{}: {}", name, trouble);
  known = std::move(trouble);
}

std::string VirtualDevices::trouble(const std::string& name) const {
  const auto known = troubles_.find(name);
  return known == troubles_.end() ? std::string{} : known->second;
}

void VirtualDevices::keep(const std::set<std::string>& kept, bool leftovers) {
  remove_devices(kernel_, log_, [&](const std::string& name) {
    return !kept.contains(name) && (leftovers || provided_.contains(name));
  });
  provided_ = kept;
  std::erase_if(troubles_, [&](const auto& entry) { return !kept.contains(entry.first); });
}

void remove_devices(Kernel& kernel, Log& log,
                    const std::function<bool(const std::string&)>& doomed) {
  const std::vector<Link>& links = kernel.links();
  std::vector<IfIndex> gone;
  std::map<IfIndex, ArpBehaviour> parents;  // and how they behaved before
  for (const Link& link : links) {
    if (!link.parent_arp || !doomed(link.name)) continue;
    gone.push_back(link.index);
    parents.emplace(link.parent, *link.parent_arp);
  }
  Result<void> result = kernel.remove_links(gone);
  for (const auto& [index, before] : parents) {
    const Link* const parent = find_link(links, index);
    const bool has_others = std::any_of(links.begin(), links.end(), [&](const Link& link) {
      return link.parent == index && link.parent_arp && !doomed(link.name);
    });
    if (parent == nullptr || has_others) continue;
    const auto set = kernel.set_arp(index, restored(parent->arp, before));
    if (result && !set) result = set;
  }
  if (!result) log.error("{}", result.error().message());
}

}  // namespace ha::vrrp
