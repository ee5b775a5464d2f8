/// rtnetlink messages about macvlans and about how interfaces answer ARP <-> values. Bytes only, no
/// socket. Known to netlink.cpp and rtnetlink.cpp alone.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/kernel/kernel.hpp"

namespace ha::vrrp {

/// One request, and the error numbers that mean that there was nothing to do.
struct LinkRequest {
  std::vector<std::uint8_t> message;
  std::vector<int> harmless;
};

/// What makes a macvlan of `macvlan`, one after the other; the first one, which creates it, finds
/// nothing to do if there is an interface of its name. They are numbered from `first` on.
[[nodiscard]] std::vector<LinkRequest> macvlan_requests(const Macvlan& macvlan,
                                                        std::uint32_t first);

/// What removes all of `links` at once: the kernel waits for a moment with every removal, some
/// 20 ms, however many it is about.
[[nodiscard]] std::vector<LinkRequest> removal_requests(std::span<const IfIndex> links,
                                                        std::uint32_t first);

[[nodiscard]] LinkRequest arp_request(IfIndex link, const ArpBehaviour& arp, std::uint32_t number);

/// The note that a macvlan of ours carries as its alias, which `ip link` shows: "vrrpd, of an
/// interface with arp_ignore=0 arp_filter=0 arp_announce=0". It outlives whoever wrote it.
[[nodiscard]] std::string note_of(const ArpBehaviour& parent);
/// Nothing for any other alias.
[[nodiscard]] std::optional<ArpBehaviour> read_note(std::string_view alias);

/// What IFLA_AF_SPEC says, which may be null.
[[nodiscard]] ArpBehaviour arp_of(nlattr* families);
/// Whether IFLA_LINKINFO, which may be null, says so.
[[nodiscard]] bool is_macvlan(nlattr* information);

}  // namespace ha::vrrp
