#include "vrrpd/kernel/picture.hpp"

#include <algorithm>
#include <type_traits>

namespace ha::vrrp {
namespace {

/// What tells addresses apart: everything else about one may change while it stays.
bool same_address(const Address& a, const Address& b) {
  return a.interface == b.interface && a.prefix == b.prefix;
}

}  // namespace

void Picture::apply(const KernelEvent& event,
                    const std::function<void(const KernelEvent&)>& changed) {
  const bool news = std::visit(
      [&](const auto& e) {
        using Event = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<Event, LinkChanged>) {
          return put(e.link);
        } else if constexpr (std::is_same_v<Event, LinkRemoved>) {
          remove_link(e.index, changed);
          return false;
        } else if constexpr (std::is_same_v<Event, AddressAdded>) {
          return put(e.address);
        } else if constexpr (std::is_same_v<Event, AddressRemoved>) {
          return take(e.address);
        } else {
          static_assert(std::is_same_v<Event, Resynchronised>);
          return false;
        }
      },
      event);
  if (news && changed) changed(event);
}

bool Picture::put(const Link& link) {
  const auto known = std::find_if(links_.begin(), links_.end(),
                                  [&](const Link& l) { return l.index == link.index; });
  if (known == links_.end()) {
    links_.push_back(link);
    return true;
  }
  if (*known == link) return false;
  *known = link;
  return true;
}

bool Picture::put(const Address& address) {
  const auto known = std::find_if(addresses_.begin(), addresses_.end(),
                                  [&](const Address& a) { return same_address(a, address); });
  if (known == addresses_.end()) {
    addresses_.push_back(address);
    return true;
  }
  if (*known == address) return false;
  *known = address;
  return true;
}

bool Picture::take(const Address& address) {
  return std::erase_if(addresses_, [&](const Address& a) { return same_address(a, address); }) > 0;
}

void Picture::remove_link(IfIndex index, const std::function<void(const KernelEvent&)>& changed) {
  std::vector<Address> lost;
  std::copy_if(addresses_.begin(), addresses_.end(), std::back_inserter(lost),
               [&](const Address& address) { return address.interface == index; });
  std::erase_if(addresses_, [&](const Address& address) { return address.interface == index; });
  for (const Address& address : lost) {
    if (changed) changed(AddressRemoved{address});
  }
  if (std::erase_if(links_, [&](const Link& link) { return link.index == index; }) > 0 && changed) {
    changed(LinkRemoved{index});
  }
}

}  // namespace ha::vrrp
