/// rtnetlink messages <-> values: requests are written, notifications and dumps are read. Bytes
/// only, no socket. Known to netlink.cpp alone.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "vrrpd/kernel/kernel.hpp"

namespace ha::vrrp {

enum class Change : std::uint8_t { kAdd, kRemove };

/// Appends to `batch` the message that asks for `change` of `request`, numbered `sequence`. `flags`
/// are those of the netlink header beyond the ones that every such request takes.
///
/// An address that is there already gets the mark and the lifetimes asked for. A removal names the
/// exact prefix.
void append_request(std::vector<std::uint8_t>& batch, Change change, const AddressRequest& request,
                    std::uint32_t sequence, int flags);

/// The same for a route or a rule. `interface` is that of the route, if it names one. One that is
/// there already is not replaced.
void append_request(std::vector<std::uint8_t>& batch, Change change, const Routing& routing,
                    std::optional<IfIndex> interface, std::uint32_t sequence);

/// The message that asks for all interfaces, and the one that asks for all addresses.
[[nodiscard]] std::vector<std::uint8_t> links_request(std::uint32_t sequence);
[[nodiscard]] std::vector<std::uint8_t> addresses_request(std::uint32_t sequence);

/// What a notification or one message of a dump says. Nothing for messages about other things: a
/// bridge's view of its ports, addresses of other families, anything malformed. libnl takes no
/// constant message, yet changes none.
[[nodiscard]] std::optional<KernelEvent> parse(nlmsghdr& message);

}  // namespace ha::vrrp
