/// What gluster-sync.yaml means, as values. Whoever holds a Config holds a valid one: ranges,
/// uniqueness and overlaps have been checked, defaults and placeholders filled in.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "ha/types.hpp"

namespace ha::sync {

/// A GlusterFS volume and where it is mounted on this machine.
struct VolumeConfig {
  std::string name;
  std::string server;
  std::string mount;     ///< absolute, without a trailing slash
  bool remount = false;  ///< a mount that is gone, stale or hanging may be mounted anew

  friend bool operator==(const VolumeConfig&, const VolumeConfig&) = default;
};

/// Who may write a target.
enum class WriterRule : std::uint8_t {
  kInstance,  ///< the machine where the VRRP instance is master
  kAlways,    ///< this machine
  kManual,    ///< whoever runs `gluster-sync now`
};

/// What a machine that is not the writer does with its own copy.
enum class Standby : std::uint8_t {
  kWarm,  ///< applies every committed generation
  kCold,  ///< nothing until it is told to recover
};

/// Commands to run, as argument lists; empty: none. TEAM and ENV are appended.
struct Hooks {
  std::vector<std::string> before_recover;
  std::vector<std::string> after_recover;
  std::vector<std::string> before_switch;
  std::vector<std::string> after_switch;

  friend bool operator==(const Hooks&, const Hooks&) = default;
};

/// One environment of one team: a local directory and its copy on the volume.
struct Mirror {
  std::string team;
  std::string env;
  std::string source;  ///< absolute, normal, as is `target`; neither contains the other
  std::string target;
  WriterRule writer = WriterRule::kManual;
  std::string instance;  ///< of kInstance
  Standby standby = Standby::kWarm;
  std::vector<std::string> exclude;
  Hooks hooks;

  /// "devops/blue".
  [[nodiscard]] std::string name() const { return team + "/" + env; }

  friend bool operator==(const Mirror&, const Mirror&) = default;
};

struct ListenConfig {
  std::string address;
  std::uint16_t port = 0;

  friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

struct Config {
  std::string vrrpd = "/run/vrrpd/control.sock";
  std::vector<VolumeConfig> volumes;
  std::vector<Mirror> mirrors;  ///< in the order of the file: team by team
  Duration interval = std::chrono::minutes{5};
  bool watch = true;
  Duration settle = std::chrono::seconds{1};
  Duration alert_after = std::chrono::minutes{10};
  int keep_backups = 2;
  std::optional<ListenConfig> http;

  /// The one mirror of that name, or null.
  [[nodiscard]] const Mirror* find(std::string_view team, std::string_view env) const {
    for (const Mirror& mirror : mirrors) {
      if (mirror.team == team && mirror.env == env) return &mirror;
    }
    return nullptr;
  }

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace ha::sync
