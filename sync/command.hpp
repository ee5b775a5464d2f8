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
  bool json = false;
};

/// `now TEAM [ENV]`: commits what has changed, of all environments if none is named.
[[nodiscard]] int run_now(const Setting& setting, const std::string& team, const std::string& env);

/// `recover TEAM ENV`.
[[nodiscard]] int run_recover(const Setting& setting, const std::string& team,
                              const std::string& env, const RecoverOptions& options);

}  // namespace ha::sync
