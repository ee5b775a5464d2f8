/// One schedule: a random LAN, a time of chaos, calm, and up to two clean faults with calm after
/// each. All of it follows from the seed, on every machine and with every compiler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "trace.hpp"

namespace ha::sim {

/// What broke; nothing if every invariant held. `trace`, if given, is filled.
[[nodiscard]] std::optional<std::string> run_schedule(std::uint64_t seed, Trace* trace = nullptr);

/// For a seed that failed: what broke, how to see all of it, and the end of the trace.
[[nodiscard]] std::string explain_failure(std::uint64_t seed, std::string_view what,
                                          std::size_t trace_lines);

}  // namespace ha::sim
