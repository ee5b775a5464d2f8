/// The way from the addresses that this machine holds to those that it is to hold, with as little
/// disturbance as the kernel allows. Pure.
#pragma once

#include <span>
#include <vector>

#include "vrrpd/kernel/kernel.hpp"

namespace ha::vrrp {

/// In the order in which it is carried out. What stays as it is occurs nowhere.
struct AddressChange {
  /// Can be installed beside what is there; nothing is lost if the kernel refuses one.
  std::vector<AddressRequest> add;
  /// Then these go: what is not held any more, and what the kernel cannot change in place.
  std::vector<AddressRequest> remove;
  /// Then these are installed: what was in the way of itself, and what the kernel takes along when
  /// it removes the first address of a network (unless net.ipv4.conf.*.promote_secondaries).
  std::vector<AddressRequest> add_again;
  /// Those that were on none of the interface's prefixes before: neighbours have to be told.
  std::vector<AddressRequest> announce;

  friend bool operator==(const AddressChange&, const AddressChange&) = default;
};

/// Neither list has an address twice on one interface.
[[nodiscard]] AddressChange address_change(std::span<const AddressRequest> before,
                                           std::span<const AddressRequest> after);

}  // namespace ha::vrrp
