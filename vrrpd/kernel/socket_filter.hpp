/// Which VRRP messages a raw socket gets to see, as a program that the kernel runs on each of them
/// (classic BPF): what is not for this machine's virtual routers wakes nobody.
///
/// The program looks at the VRID and at nothing else. Whatever else is wrong with a message that
/// names one of our virtual routers has to be seen, because it is counted and may be an alarm: a
/// peer with another version, a TTL that says it comes from elsewhere, a checksum that does not
/// fit. Pure but for the last two
/// functions.
#pragma once

#include <linux/filter.h>

#include <bitset>
#include <cstdint>
#include <vector>

#include "ha/types.hpp"

namespace ha::vrrp {

/// Bit n: VRID n.
using VridSet = std::bitset<256>;

/// Passes messages that name one of `vrids`, and those too short to name any. The program is for a
/// raw socket of this family: for IPv4 it sees the IP header, which may have options, for IPv6 the
/// message alone. Its length does not depend on `vrids`.
[[nodiscard]] std::vector<sock_filter> vrid_filter(Family family, const VridSet& vrids);

/// The program that lets nothing through.
[[nodiscard]] std::vector<sock_filter> deaf_filter();

/// Puts `program` in the place of the one that `descriptor` has, in one step: each packet meets
/// either the old one or the new one. Returns whether the kernel took it; if not, the old one
/// stays.
[[nodiscard]] bool attach(int descriptor, const std::vector<sock_filter>& program);

/// From then on everything passes.
void remove_filter(int descriptor);

}  // namespace ha::vrrp
