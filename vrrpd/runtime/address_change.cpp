#include "vrrpd/runtime/address_change.hpp"

#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace ha::vrrp {
namespace {

using Place = std::pair<IfIndex, IpAddress>;

Place place_of(const AddressRequest& request) {
  return {request.interface, request.prefix.address};
}

std::map<Place, const AddressRequest*> by_place(std::span<const AddressRequest> requests) {
  std::map<Place, const AddressRequest*> map;
  for (const AddressRequest& request : requests) map.emplace(place_of(request), &request);
  return map;
}

/// Whether Linux has room for both at once: it tells the IPv4 addresses of an interface apart by
/// their prefix length too, the IPv6 ones by the address alone.
bool fit_together(const AddressRequest& a, const AddressRequest& b) {
  return a.prefix.address.is_v4() && a.prefix.length != b.prefix.length;
}

/// Whether installing `b` over `a` makes it what `b` says. A label, a scope and a broadcast address
/// never change, and the connected route neither comes nor goes.
bool changes_in_place(const AddressRequest& a, const AddressRequest& b) {
  return a.prefix == b.prefix && a.label == b.label && a.noprefixroute == b.noprefixroute &&
         a.scope == b.scope && a.broadcast == b.broadcast;
}

/// The IPv4 network of a prefix on an interface.
using Network = std::tuple<IfIndex, std::uint8_t, std::uint32_t>;

Network network_of(const AddressRequest& request) {
  const std::uint8_t length = request.prefix.length;
  const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32U - length);
  return {request.interface, length, request.prefix.address.to_v4().to_uint() & mask};
}

}  // namespace

AddressChange address_change(std::span<const AddressRequest> before,
                             std::span<const AddressRequest> after) {
  const auto held = by_place(before);
  const auto wanted = by_place(after);
  AddressChange change;
  std::set<Network> disturbed;
  for (const AddressRequest& request : before) {
    const auto next = wanted.find(place_of(request));
    const bool stays = next != wanted.end() && changes_in_place(request, *next->second);
    if (stays) continue;
    change.remove.push_back(request);
    if (request.prefix.address.is_v4()) disturbed.insert(network_of(request));
  }
  const auto is_disturbed = [&disturbed](const AddressRequest& request) {
    return request.prefix.address.is_v4() && disturbed.contains(network_of(request));
  };
  for (const AddressRequest& request : after) {
    const auto known = held.find(place_of(request));
    const bool is_new = known == held.end();
    if (is_new) change.announce.push_back(request);
    if (is_new || fit_together(*known->second, request)) {
      change.add.push_back(request);
      if (is_disturbed(request)) change.add_again.push_back(request);
    } else if (!changes_in_place(*known->second, request) || is_disturbed(request)) {
      change.add_again.push_back(request);
    } else if (request != *known->second) {
      change.add.push_back(request);
    }
  }
  return change;
}

}  // namespace ha::vrrp
