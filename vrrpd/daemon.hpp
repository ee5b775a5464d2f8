/// The daemon: a guard process, and the engine process that it starts.
#pragma once

#include <filesystem>
#include <functional>

#include "vrrpd/config/load.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

/// How a daemon runs besides its configuration.
struct DaemonOptions {
  std::filesystem::path path;    ///< of the configuration, for messages
  std::function<Loaded()> load;  ///< reads it again, for a reload
  LogTarget guard_log{};
  LogTarget engine_log{};
  bool restarts_engine = true;
  bool keeps_addresses = false;  ///< they stay at the end
  /// False: other daemons may run on this machine, whose addresses carry the same mark.
  bool is_alone = true;
  /// Called in the engine when it runs, and at its orderly end; may be empty.
  std::function<void(Log&)> in_engine{};
  std::function<void()> engine_ends{};
  /// Carries out one of dump_signals(); empty: they mean nothing.
  std::function<void(int signal, const Config&, const Status&, Log&)> dump{};
};

/// Runs with `config` until SIGTERM or SIGINT; SIGHUP reloads. Becomes the guard; the engine is its
/// child. Returns the exit status: 0 after an orderly stop, 1 if it could not start or the engine
/// died too often, with the reason in the log.
[[nodiscard]] int run_daemon(const DaemonOptions& options, Config config);

}  // namespace ha::vrrp
