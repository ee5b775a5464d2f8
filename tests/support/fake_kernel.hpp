/// A small kernel in memory for tests of whoever uses the Kernel port. tests/contract runs the same
/// cases against it and against the real one, so it cannot drift.
///
/// As with the real one, a change is made at once but seen later: deliver() is the turn of the
/// event loop in which the notifications are read.
#pragma once

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ha/check.hpp"
#include "vrrpd/kernel/kernel.hpp"
#include "vrrpd/kernel/picture.hpp"

namespace ha::vrrp {

class FakeKernel final : public Kernel {
 public:
  // ---- the port ----

  [[nodiscard]] const std::vector<Link>& links() const override { return seen_.links(); }
  [[nodiscard]] const std::vector<Address>& addresses() const override { return seen_.addresses(); }

  Result<void> add_addresses(std::span<const AddressRequest> requests) override {
    Result<void> result;
    for (const AddressRequest& request : requests) {
      const int error_number = refusal_ != 0 ? refusal_ : add(request);
      if (error_number != 0 && result)
        result = failure(error_number, "add " + to_string(request.prefix));
    }
    return result;
  }

  Result<void> remove_addresses(std::span<const AddressRequest> requests) override {
    Result<void> result;
    for (const AddressRequest& request : requests) {
      if (refusal_ == 0) {
        remove_address(request.interface, request.prefix);
      } else if (result) {
        result = failure(refusal_, "remove " + to_string(request.prefix));
      }
    }
    return result;
  }

  Result<void> add_routing(std::span<const Routing> routing) override {
    if (refusal_ != 0) return failure(refusal_, "add routes");
    for (const Routing& one : routing) {
      if (std::find(routing_.begin(), routing_.end(), one) == routing_.end()) {
        routing_.push_back(one);
      }
    }
    return {};
  }

  Result<void> remove_routing(std::span<const Routing> routing) override {
    if (refusal_ != 0) return failure(refusal_, "remove routes");
    for (const Routing& one : routing) std::erase(routing_, one);
    return {};
  }

  Result<void> add_macvlan(const Macvlan& macvlan) override {
    if (refusal_ != 0) return failure(refusal_, "make the interface " + macvlan.name);
    const auto& links = now_.links();
    const auto known = std::find_if(links.begin(), links.end(),
                                    [&](const Link& link) { return link.name == macvlan.name; });
    Link link{
        .index = IfIndex{}, .name = macvlan.name, .mac = macvlan.mac, .parent = macvlan.parent};
    if (known != links.end()) {
      link = *known;
    } else {
      link.index = IfIndex{++last_index_};
    }
    link.up = true;
    link.running = link_at(macvlan.parent).running;
    link.arp = {1, 0, 2};
    link.parent_arp = macvlan.parent_arp;
    happen(LinkChanged{link});
    return {};
  }

  Result<void> remove_links(std::span<const IfIndex> links) override {
    if (refusal_ != 0) return failure(refusal_, "remove interfaces");
    for (const IfIndex link : links) remove_link(link);
    return {};
  }

  Result<void> set_arp(IfIndex index, const ArpBehaviour& arp) override {
    if (refusal_ != 0) return failure(refusal_, "set how an interface answers ARP");
    Link link = link_at(index);
    link.arp = arp;
    happen(LinkChanged{link});
    return {};
  }

  Result<void> restrict_ipv6(const std::string&, bool) override { return {}; }

  void catch_up() override { deliver(); }

  void on_event(std::function<void(const KernelEvent&)> handler) override {
    handler_ = std::move(handler);
  }

  // ---- the loop ----

  /// Makes all changes so far visible, one after the other, and calls the handler for each.
  void deliver() {
    while (!pending_.empty()) {
      const KernelEvent event = std::move(pending_.front());
      pending_.pop_front();
      if (std::holds_alternative<Resynchronised>(event)) {
        pending_.clear();
        seen_ = now_;
        if (handler_) handler_(event);
      } else {
        seen_.apply(event, handler_);
      }
    }
  }

  /// The queue of notifications overflows: what was not delivered yet is lost.
  void lose_notifications() { pending_.assign(1, Resynchronised{}); }

  // ---- what others do to the machine ----

  /// A new interface with carrier, up, with an Ethernet address made from its number.
  IfIndex add_link(const std::string& name) {
    const IfIndex index{++last_index_};
    const auto octet = [&](int shift) {
      return static_cast<std::uint8_t>(static_cast<unsigned>(index.value()) >> shift);
    };
    happen(LinkChanged{Link{.index = index,
                            .name = name,
                            .up = true,
                            .running = true,
                            .mac = {2, 0, octet(24), octet(16), octet(8), octet(0)}}});
    return index;
  }

  /// Going down takes the IPv6 addresses along, as Linux does it.
  void set_up(IfIndex index, bool up) {
    Link link = link_at(index);
    link.up = up;
    link.running = up;
    happen(LinkChanged{link});
    if (up) return;
    const std::vector<Address> before = now_.addresses();
    for (const Address& address : before) {
      if (address.interface == index && address.prefix.address.is_v6()) {
        happen(AddressRemoved{address});
      }
    }
  }

  void set_carrier(IfIndex index, bool carrier) {
    Link link = link_at(index);
    if (link.running && !carrier) ++link.carrier_losses;
    link.running = link.up && carrier;
    happen(LinkChanged{link});
  }

  void rename(IfIndex index, const std::string& name) {
    Link link = link_at(index);
    link.name = name;
    happen(LinkChanged{link});
  }

  /// Takes the macvlans on it along, as Linux does it.
  void remove_link(IfIndex index) {
    const std::vector<Link> before = now_.links();
    for (const Link& link : before) {
      if (link.parent == index) happen(LinkRemoved{link.index});
    }
    happen(LinkRemoved{index});
  }

  /// Puts an address there as it is, or changes its properties.
  void put_address(const Address& address) { happen(AddressAdded{address}); }

  void remove_address(IfIndex index, const Prefix& prefix) {
    happen(AddressRemoved{Address{.interface = index, .prefix = prefix}});
  }

  /// Every request fails like this from now on; 0 ends it.
  void refuse_requests(int error_number) { refusal_ = error_number; }

  // ---- what really is, visible yet or not ----

  [[nodiscard]] const std::vector<Address>& installed() const { return now_.addresses(); }
  [[nodiscard]] const std::vector<Routing>& routing() const { return routing_; }

 private:
  int add(const AddressRequest& request) {
    const auto& links = now_.links();
    if (std::none_of(links.begin(), links.end(),
                     [&](const Link& link) { return link.index == request.interface; })) {
      return ENODEV;
    }
    Address address{
        .interface = request.interface, .prefix = request.prefix, .ours = request.marked};
    for (const Address& known : now_.addresses()) {
      // Linux tells the IPv4 addresses of an interface apart by prefix length too, the IPv6 ones by
      // address alone.
      if (known.interface == request.interface && known.prefix.address.is_v6() &&
          known.prefix.address == request.prefix.address) {
        address.prefix.length = known.prefix.length;
      }
    }
    happen(AddressAdded{address});
    return 0;
  }

  [[nodiscard]] Link link_at(IfIndex index) const {
    const auto& links = now_.links();
    const auto link =
        std::find_if(links.begin(), links.end(), [&](const Link& l) { return l.index == index; });
    HA_CHECK(link != links.end());
    return *link;
  }

  void happen(const KernelEvent& event) {
    now_.apply(event, [this](const KernelEvent& change) { pending_.push_back(change); });
  }

  std::vector<Routing> routing_;
  Picture now_;
  Picture seen_;
  std::deque<KernelEvent> pending_;
  std::function<void(const KernelEvent&)> handler_;
  int refusal_ = 0;
  int last_index_ = 0;
};

}  // namespace ha::vrrp
