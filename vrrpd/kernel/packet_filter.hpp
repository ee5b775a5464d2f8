/// Traffic from and to some of this machine's addresses is dropped: those of virtual routers that
/// do not accept it (Accept_Mode, RFC 9568 section 6.1). ARP and IPv6 neighbour discovery are
/// answered all the same.
///
/// It is done with one nf_tables table that belongs to the object's socket (`flags owner`, Linux
/// 5.12): the kernel removes it when the last process that has the socket is gone, however it went,
/// and `nft flush ruleset`, which reloading a firewall often is, leaves it alone. That is why the
/// guard opens it and the engines inherit it. nft(8) as a child would need the daemon's
/// capabilities, time, and somebody who cleans up after a crash.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "ha/ip.hpp"
#include "ha/result.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {

struct FilteredAddress {
  IpAddress address;
  /// Of a link-local IPv6 address the interface it belongs to, which others may have, too; empty
  /// for all else.
  std::string interface;

  friend bool operator==(const FilteredAddress&, const FilteredAddress&) = default;
};

class PacketFilter {
 public:
  /// In the network namespace that the thread is in. Without nf_tables, or the right to use it,
  /// set() says so.
  PacketFilter();

  /// Makes these addresses, each at most once, the ones whose traffic is dropped, in one step:
  /// nobody meets a filter that is half made. They need not be there yet. An empty list removes the
  /// table. Does not wait. Needs CAP_NET_ADMIN. What is refused changes nothing.
  [[nodiscard]] Result<void> set(std::span<const FilteredAddress> addresses);

 private:
  Descriptor socket_;
  int open_error_ = 0;
  std::string table_;  ///< no other socket of this network namespace has the same name
  std::uint32_t sequence_ = 0;
};

}  // namespace ha::vrrp
