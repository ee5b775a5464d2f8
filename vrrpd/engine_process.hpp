/// The engine process, in which configuration, kernel, virtual routers, health and control are
/// wired together.
#pragma once

#include <cstddef>

#include "vrrpd/daemon.hpp"
#include "vrrpd/guard/estate.hpp"
#include "vrrpd/guard/shared_memory.hpp"
#include "vrrpd/kernel/packet_filter.hpp"

namespace ha::vrrp {

/// Of the memory in which the engine keeps packets and events, for itself and its successors.
inline constexpr std::size_t kDiarySizeBytes = std::size_t{768} * 1024;

/// Goes on with what was committed to `estate`, by the guard or by an engine that died. Returns the
/// process's exit status: 0 after an orderly stop, 1 with the reason in the log.
[[nodiscard]] int run_engine(const DaemonOptions& options, Estate& estate,
                             const SharedMemory& diary, PacketFilter& filter);

}  // namespace ha::vrrp
