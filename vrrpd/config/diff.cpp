#include "vrrpd/config/diff.hpp"

#include <map>
#include <tuple>
#include <utility>

namespace ha::vrrp {
namespace {

struct Before {
  bool operator()(const RouterIdentity& a, const RouterIdentity& b) const {
    const auto key = [](const RouterIdentity& identity) {
      return std::tie(identity.interface, identity.vrid, identity.family, identity.version,
                      identity.multicast_group);
    };
    return key(a) < key(b);
  }
};

}  // namespace

RouterIdentity identity_of(const InstanceConfig& config, std::string interface) {
  RouterIdentity identity{
      std::move(interface), config.vrid, config.family(), config.router.version, {}};
  if (config.unicast_peers.empty()) identity.multicast_group = config.multicast_group;
  return identity;
}

std::vector<std::optional<std::size_t>> predecessors(std::span<const RouterIdentity> before,
                                                     std::span<const RouterIdentity> after) {
  // Several have one identity only where instances without an interface of their own ended up on
  // the same one; then they go on in their order.
  std::multimap<RouterIdentity, std::size_t, Before> unclaimed;
  for (std::size_t i = 0; i < before.size(); ++i) unclaimed.emplace(before[i], i);

  std::vector<std::optional<std::size_t>> answer(after.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto found = unclaimed.lower_bound(after[i]);
    if (found == unclaimed.end() || found->first != after[i]) continue;
    answer[i] = found->second;
    unclaimed.erase(found);
  }
  return answer;
}

}  // namespace ha::vrrp
