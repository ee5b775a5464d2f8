/// The commands of gluster-sync that do one thing and end. Each returns an exit code: 0 done, 1
/// refused or failed with the reason printed.
#pragma once

#include <optional>
#include <string>

#include "sync/config.hpp"
#include "sync/session.hpp"

namespace ha::sync {

/// What all commands need.
struct Setting {
  Config config;
  Workplace workplace;
  std::string socket;  ///< the daemon's
  bool json = false;
};

/// How a command is carried out.
enum class Mode : std::uint8_t { kReally, kDryRun };

/// `now TEAM [ENV]`: commits what has changed, of all environments if none is named.
[[nodiscard]] int run_now(const Setting& setting, const std::string& team, const std::string& env);

/// `recover TEAM ENV`, between its hooks.
[[nodiscard]] int run_recover(const Setting& setting, const std::string& team,
                              const std::string& env, std::optional<std::uint64_t> generation,
                              Mode mode);

/// `switch TEAM ENV`: commits the environment `from` (the team's other one, if it is empty), makes
/// ENV equal to it and commits that, between the hooks.
[[nodiscard]] int run_switch(const Setting& setting, const std::string& team,
                             const std::string& env, const std::string& from, Mode mode);

/// `status`: what the daemon says; 1 also if something needs attention, 3 if there is no daemon.
[[nodiscard]] int run_status(const Setting& setting);

/// `heal [VOLUME]`: lets GlusterFS heal what it knows to differ, of all volumes if none is named.
[[nodiscard]] int run_heal(const Setting& setting, const std::string& volume);

/// `remount MOUNT`.
[[nodiscard]] int run_remount(const Setting& setting, const std::string& mount);

/// `check-config` of a file that can be used: warns of volumes that cannot be both safe and
/// recoverable, as far as the gluster command of this machine knows them.
[[nodiscard]] int check_volumes(const Setting& setting);

/// A job of the daemon: its order on standard input, what job.hpp says on standard output.
[[nodiscard]] int run_job(const Setting& setting, const std::string& team, const std::string& env);

/// The daemon's look at one mount, again and again until nobody listens.
[[nodiscard]] int run_probe(const Setting& setting, const std::string& mount);

}  // namespace ha::sync
