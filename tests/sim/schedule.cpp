#include "schedule.hpp"

#include <fmt/format.h>

#include "chaos.hpp"
#include "probes.hpp"

namespace ha::sim {

std::optional<std::string> run_schedule(std::uint64_t seed, Trace* trace) {
  Random random{seed};
  const Setup setup = random_setup(random);
  Lan lan{random.next(), setup.calm, setup.wake_latency_max};
  Invariants invariants{lan, setup.longest_interval()};
  // The trace first, so that it has the step that the invariants object to.
  if (trace != nullptr) lan.observe(*trace);
  lan.observe(invariants);
  for (const Setup::Router& router : setup.routers) {
    lan.add(router.config, router.address, router.clock_offset, router.shortest_lease);
    if (trace != nullptr) {
      lan.remark(name_of(lan.size() - 1) + " " + describe(router.config, router.address));
    }
  }
  try {
    chaos(lan, setup, random);
    settle(lan, invariants, setup);
    Probes probes{lan, invariants, setup, random};
    for (int probe = random.between(0, 2); probe > 0; --probe) probes.any();
  } catch (const BrokenInvariant& failure) {
    return failure.what();
  }
  return std::nullopt;
}

std::string explain_failure(std::uint64_t seed, std::string_view what, std::size_t trace_lines) {
  Trace trace{Lan::kStart};
  (void)run_schedule(seed, &trace);
  return fmt::format("seed {}: {}\nall of it: vrrp_sim --seed {}\nthe last {} lines:\n{}", seed,
                     what, seed, trace_lines, trace.tail(trace_lines));
}

}  // namespace ha::sim
