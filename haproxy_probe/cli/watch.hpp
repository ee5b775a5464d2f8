/// The probe at work: HAProxy's answers in, lines on standard output.
#pragma once

#include <cstdint>

#include "haproxy_probe/config.hpp"

namespace ha::probe::cli {

enum class Format : std::uint8_t { kText, kJson };

/// Exit codes.
inline constexpr int kHealthy = 0;
inline constexpr int kUnhealthy = 1;  ///< or HAProxy is dead
inline constexpr int kUnusable = 2;   ///< nothing can be said

/// Asks once, prints what it hears and returns the exit code. There is no history: what is bad is
/// unhealthy, without grace.
[[nodiscard]] int probe_once(ProbeConfig config, Format format);

/// Goes on until SIGINT or SIGTERM and returns kHealthy. As text it prints each change, as JSON
/// each time HAProxy is heard or not (record.hpp).
[[nodiscard]] int watch(ProbeConfig config, Format format);

}  // namespace ha::probe::cli
