/// The parent process: starts the engine, starts it again when it dies, and cleans up after it when
/// that does not help. Nothing else, so that nothing in it can fail.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <functional>
#include <optional>

#include "ha/types.hpp"
#include "vrrpd/runtime/log.hpp"

namespace ha::vrrp {

/// An engine that dies again this soon after a death is not started again: whatever kills it would
/// go on killing it, and its peers would be kept from taking over.
inline constexpr Duration kRestartInterval = std::chrono::seconds{10};

/// Whether an engine that died at `now` is started again, after one that died at `before`.
[[nodiscard]] constexpr bool may_restart(std::optional<TimePoint> before, TimePoint now) {
  return !before || now - *before >= kRestartInterval;
}

struct Ward {
  /// Runs in the child, and again in each of its successors; returns the exit status. Called with
  /// the guard's signals blocked; see accept_signals().
  std::function<int()> engine;
  /// Called in the guard after each death.
  std::function<void()> died;
  /// Lets go in the name of an engine that died and has no successor.
  std::function<void()> last_will;
  /// Called in the guard when it has started an engine; may be empty.
  std::function<void(pid_t)> started{};
  /// False: an engine that dies has no successor.
  bool restarts = true;
};

/// Returns the exit status of the engine, or 1 if it could not be started or died too often.
///
/// SIGTERM, SIGINT, SIGHUP and the signals that ask for a dump (dump_signals()) are passed on to
/// the engine. If the guard itself is killed, the kernel sends the engine SIGTERM, so that no
/// engine works unguarded. To be called while the process has one thread.
[[nodiscard]] int guard(Log& log, const Ward& ward);

/// Those that ask keepalived to write its data, statistics or JSON.
[[nodiscard]] std::array<int, 4> dump_signals();

/// To be called by the engine when its own handlers are installed: what was sent to it before waits
/// until then.
void accept_signals();

}  // namespace ha::vrrp
