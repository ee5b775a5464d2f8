/// What the daemon needs of the kernel's network configuration, as verbs on values. The real one is
/// netlink.hpp; tests use an in-memory one (tests/support/fake_kernel.hpp) that a contract test
/// keeps honest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "ha/ip.hpp"
#include "ha/mac.hpp"
#include "ha/result.hpp"
#include "ha/routing.hpp"
#include "ha/types.hpp"

namespace ha::vrrp {

/// Which ARP requests an interface answers and with which addresses it asks: arp_ignore, arp_filter
/// and arp_announce of Linux (ip-sysctl).
struct ArpBehaviour {
  std::uint8_t ignore = 0;
  std::uint8_t filter = 0;
  std::uint8_t announce = 0;
  friend bool operator==(const ArpBehaviour&, const ArpBehaviour&) = default;
};

struct Link {
  IfIndex index;
  std::string name;
  bool up = false;       ///< administratively (IFF_UP)
  bool running = false;  ///< and has carrier (IFF_RUNNING)
  MacAddress mac{};
  /// How often it lost its carrier: a loss that was over before anybody looked shows only here.
  std::uint32_t carrier_losses = 0;
  IfIndex parent{};  ///< of a macvlan; 0 for every other kind
  ArpBehaviour arp{};
  /// Of a macvlan that carries our mark: how its parent behaved before there was any.
  std::optional<ArpBehaviour> parent_arp{};
  friend bool operator==(const Link&, const Link&) = default;
};

/// An address on an interface.
struct Address {
  IfIndex interface;
  Prefix prefix;
  bool ours = false;  ///< carries our mark (IFA_PROTO): this daemon or a predecessor put it there
  /// IPv6: duplicate address detection is not through, so it cannot be sent from yet.
  bool tentative = false;
  friend bool operator==(const Address&, const Address&) = default;
};

/// An address to install.
struct AddressRequest {
  IfIndex interface;
  Prefix prefix;
  std::string label;  ///< IPv4; empty: none
  bool noprefixroute = false;
  /// The kernel removes it by itself when so long has passed since it was last installed; whole
  /// seconds, 0 is never. It may take up to a second longer.
  std::chrono::seconds lease{};
  std::uint8_t scope = 0;                                  ///< rtnetlink(7); IPv4 only
  std::optional<boost::asio::ip::address_v4> broadcast{};  ///< nothing: none
  /// Gets our mark. Without it, it counts as the machine's own.
  bool marked = true;
  friend bool operator==(const AddressRequest&, const AddressRequest&) = default;
};

/// A macvlan to make: an interface with a MAC address of its own on the wire of another one.
struct Macvlan {
  std::string name;
  IfIndex parent;
  MacAddress mac{};
  ArpBehaviour parent_arp{};  ///< noted on it
  friend bool operator==(const Macvlan&, const Macvlan&) = default;
};

struct LinkChanged {
  Link link;
};
struct LinkRemoved {
  IfIndex index;
};
/// A new address, or one whose mark or state changed.
struct AddressAdded {
  Address address;
};
struct AddressRemoved {
  Address address;
};
/// Notifications were lost (ENOBUFS); links() and addresses() have been read again, look at all of
/// them.
struct Resynchronised {};
using KernelEvent =
    std::variant<LinkChanged, LinkRemoved, AddressAdded, AddressRemoved, Resynchronised>;

class Kernel {
 public:
  virtual ~Kernel() = default;

  /// The current picture, kept up to date by notifications; no system call. A change made here is
  /// visible when the loop has read its notification. In the order in which the kernel named them.
  [[nodiscard]] virtual const std::vector<Link>& links() const = 0;
  [[nodiscard]] virtual const std::vector<Address>& addresses() const = 0;

  /// Installs all of `requests` in batches: marked as ours where that is asked for, IPv6 without
  /// duplicate address detection and marked /128 ones with preferred lifetime 0. One that is there
  /// already is success, whoever put it there, and gets the mark and these lifetimes. Returns the
  /// first refusal, after trying all.
  virtual Result<void> add_addresses(std::span<const AddressRequest> requests) = 0;

  /// Removes them in batches; one that is gone already is success. Returns the first refusal, after
  /// trying all.
  virtual Result<void> remove_addresses(std::span<const AddressRequest> requests) = 0;

  /// Installs all of `routing`, one after the other. What is there already is success. Returns the
  /// first refusal, after trying all; an interface that is missing is one.
  virtual Result<void> add_routing(std::span<const Routing> routing) = 0;

  /// Removes them; what is gone already, or its interface, is success.
  virtual Result<void> remove_routing(std::span<const Routing> routing) = 0;

  /// Makes `macvlan`, with our mark, and brings it up. It makes no addresses by itself, answers ARP
  /// for its own ones only, and what comes from its own MAC address reaches its parent, too. An
  /// interface of its name that is a macvlan already is made all this; which parent and MAC address
  /// it has is not looked at.
  virtual Result<void> add_macvlan(const Macvlan& macvlan) = 0;

  /// Removes all of them at once; one that is gone already is success. Takes some 20 ms.
  virtual Result<void> remove_links(std::span<const IfIndex> links) = 0;

  virtual Result<void> set_arp(IfIndex link, const ArpBehaviour& arp) = 0;

  /// Has an interface take no notice of IPv6 routers, or of IPv6 at all. A machine without IPv6 is
  /// success; a sandbox may forbid it.
  virtual Result<void> restrict_ipv6(const std::string& interface, bool uses_ipv6) = 0;

  /// Reads the notifications that are there already, without waiting for the loop; afterwards the
  /// picture holds every change that was made here. Not for use in the handler of on_event(), which
  /// is called for each.
  virtual void catch_up() = 0;

  /// Called from the event loop for each change after it is visible in links() and addresses().
  virtual void on_event(std::function<void(const KernelEvent&)> handler) = 0;
};

}  // namespace ha::vrrp
