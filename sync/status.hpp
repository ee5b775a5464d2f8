/// What the daemon tells about itself, in the three forms in which people and machines read it.
/// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/types.hpp"
#include "sync/glance.hpp"
#include "sync/gluster_xml.hpp"
#include "sync/session.hpp"

namespace ha::sync {

/// What a client asks the daemon's socket for: to_json(), or to_json_text().
inline constexpr std::string_view kStatusRequest = R"({"command": "status"})";
inline constexpr std::string_view kTextRequest = R"({"command": "text"})";

struct MirrorStatus {
  std::string team;
  std::string env;
  std::string role;                      ///< "writer", "standby", "manual", "unknown", "fenced"
  std::optional<std::int64_t> lag_ms;    ///< nothing: not known
  Version target;                        ///< generation 0: none, or not known
  Version applied;                       ///< of the own copy, as far as this daemon knows
  std::optional<std::uint64_t> pending;  ///< changed paths; nothing: not known how many
  std::int64_t pending_since_ms = 0;     ///< age of the oldest of them
  std::string running;                   ///< "commit: copy 10 of 200 files"; empty: nothing
  std::string alarm;                     ///< why it cannot go on; empty: it can
  std::uint64_t successes = 0;
  std::uint64_t failures = 0;
  std::uint64_t recoveries = 0;
};

struct VolumeStatus {
  std::string name;
  std::string mount;
  MountState state = MountState::kUnknown;
  std::string text;
  BrickView bricks;
  ClusterView cluster;  ///< as the gluster command sees it
  std::uint64_t remounts = 0;
};

struct Status {
  std::string node;
  std::string version;
  std::int64_t alert_after_ms = 0;
  std::vector<MirrorStatus> mirrors;
  std::vector<VolumeStatus> volumes;
};

/// The worst lag of each team, in the order of the mirrors. A team none of whose environments has
/// ever been committed has none.
struct TeamLag {
  std::string team;
  std::optional<std::int64_t> lag_ms;
};
[[nodiscard]] std::vector<TeamLag> team_lags(const Status& status);

/// "OK: Team devops sync lag: 245s", "ALERT: Team qa sync lag: 650s (threshold: 600s)".
[[nodiscard]] std::string lag_line(const TeamLag& lag, std::int64_t alert_after_ms);

/// Whether something needs attention: a lag, a mount, a mirror.
[[nodiscard]] bool has_alarm(const Status& status);

[[nodiscard]] std::string to_json(const Status& status);
/// The lag lines, then one line for each mirror and volume.
[[nodiscard]] std::string to_text(const Status& status);
/// The same as a JSON object, for a client that prints it.
[[nodiscard]] std::string to_json_text(const Status& status);
/// Prometheus text. A number that is not known has no line.
[[nodiscard]] std::string to_metrics(const Status& status);

}  // namespace ha::sync
