/// The macvlans that virtual routers with a virtual MAC address have their addresses on: makes
/// them, keeps them, and removes them.
///
/// One that is there already is used if it fits: a predecessor that died has left it. What an
/// interface was like before it had macvlans is noted on these themselves (Link::parent_arp), so
/// that whoever removes the last one can restore it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/kernel.hpp"
#include "vrrpd/runtime/log.hpp"

namespace ha::vrrp {

/// A macvlan that is wanted.
struct WantedDevice {
  std::string name;
  IfIndex parent;
  MacAddress mac{};
  Family family = Family::kIpv4;  ///< of the addresses on it
  friend bool operator==(const WantedDevice&, const WantedDevice&) = default;
};

/// What gets from the interfaces that there are to those that are wanted, carried out in this
/// order.
struct DevicePlan {
  /// Those of ours that have a name that is wanted but another parent or MAC address than they
  /// should, and those that have these but a name that is not.
  std::vector<IfIndex> remove;
  std::vector<Macvlan> make;
  /// The name of one that is wanted, and what has it.
  std::map<std::string, std::string> taken;
  friend bool operator==(const DevicePlan&, const DevicePlan&) = default;
};

/// Pure. A macvlan that fits but lacks our mark is taken over: keepalived left it.
[[nodiscard]] DevicePlan plan_devices(const std::vector<Link>& links,
                                      std::span<const WantedDevice> wanted);

/// How a parent of macvlans behaves: it answers for its own addresses only, and asks with no
/// other. Pure.
[[nodiscard]] ArpBehaviour as_parent(ArpBehaviour before);

/// How an interface is to behave whose last macvlan goes: what has been changed by somebody else
/// meanwhile stays. Pure.
[[nodiscard]] ArpBehaviour restored(const ArpBehaviour& now, const ArpBehaviour& before);

/// Removes those macvlans of ours whose name is `doomed`, and gives their interfaces back how they
/// behaved before. What is refused is logged.
void remove_devices(Kernel& kernel, Log& log,
                    const std::function<bool(const std::string&)>& doomed);

class VirtualDevices {
 public:
  /// Both must outlive the object.
  VirtualDevices(Kernel& kernel, Log& log) : kernel_{kernel}, log_{log} {}

  /// Sees to it that all of `wanted` are there. Returns whether something was done; the kernel's
  /// picture is up to date then.
  bool provide(std::span<const WantedDevice> wanted);
  /// Why the device of this name is not there; empty: no reason is known.
  [[nodiscard]] std::string trouble(const std::string& name) const;

  /// Removes those that provide() was ever asked for and that are not in `kept`; with
  /// `leftovers`, all others with our mark, too.
  void keep(const std::set<std::string>& kept, bool leftovers);

 private:
  void make(const Macvlan& device, Family family);
  void hush_parent(IfIndex parent);
  void complain(const std::string& name, std::string trouble);

  Kernel& kernel_;
  Log& log_;
  std::set<std::string> provided_;
  std::map<std::string, std::string> troubles_;  ///< by name
  bool told_about_ipv6_ = false;
};

}  // namespace ha::vrrp
