#include "sync/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sync/json_fields.hpp"

namespace ha::sync {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

template <class T>
[[nodiscard]] Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

[[nodiscard]] Json to_json(const std::optional<UpCount>& count) {
  return count ? Json{{"up", count->up}, {"all", count->all}} : Json(nullptr);
}

[[nodiscard]] Json to_json(const MirrorStatus& mirror) {
  return {{"team", mirror.team},
          {"env", mirror.env},
          {"role", mirror.role},
          {"lag-ms", or_null(mirror.lag_ms)},
          {"generation", mirror.target.generation},
          {"epoch", mirror.target.epoch},
          {"applied-generation", mirror.applied.generation},
          {"pending", or_null(mirror.pending)},
          {"pending-since-ms", mirror.pending_since_ms},
          {"running", mirror.running},
          {"alarm", mirror.alarm},
          {"successes", mirror.successes},
          {"failures", mirror.failures},
          {"recoveries", mirror.recoveries}};
}

/// A number of bricks; nothing while the mount does not say how many there are.
[[nodiscard]] std::optional<std::uint32_t> known(std::uint32_t number, const VolumeStatus& volume) {
  return volume.bricks.bricks > 0 ? std::optional{number} : std::nullopt;
}

[[nodiscard]] Json to_json(const VolumeStatus& volume) {
  return {{"name", volume.name},
          {"mount", volume.mount},
          {"state", name_of(volume.state)},
          {"text", volume.text},
          {"bricks", or_null(known(volume.bricks.bricks, volume))},
          {"bricks-connected", or_null(known(volume.bricks.connected, volume))},
          {"quorum", or_null(volume.bricks.quorum)},
          {"bricks-online", to_json(volume.cluster.bricks)},
          {"peers", to_json(volume.cluster.peers)},
          {"heal-pending", or_null(volume.cluster.heal.pending)},
          {"split-brain-files", or_null(volume.cluster.heal.split_brain)},
          {"cluster-text", volume.cluster.text},
          {"remounts", volume.remounts}};
}

/// Samples of one metric under their HELP and TYPE.
class Metric {
 public:
  Metric(std::string& out, const char* name, const char* type, const char* help)
      : out_{out}, name_{name} {
    out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  /// Names of teams, volumes and paths need no more than these two escapes.
  [[nodiscard]] static std::string label(const char* key, const std::string& value) {
    std::string text;
    for (const char c : value) {
      if (c == '\\' || c == '"') text += '\\';
      text += c == '\n' ? ' ' : c;
    }
    return fmt::format("{}=\"{}\"", key, text);
  }
  void add(const std::string& labels, double value) {
    out_ += fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }

 private:
  std::string& out_;
  const char* name_;
};

[[nodiscard]] std::string labels_of(const MirrorStatus& mirror) {
  return Metric::label("team", mirror.team) + "," + Metric::label("env", mirror.env);
}

void add_counter(std::string& out, const Status& status, const char* name, const char* help,
                 std::uint64_t MirrorStatus::*count) {
  Metric metric{out, name, "counter", help};
  for (const MirrorStatus& mirror : status.mirrors) {
    metric.add(labels_of(mirror), static_cast<double>(mirror.*count));
  }
}

}  // namespace

std::vector<TeamLag> team_lags(const Status& status) {
  std::vector<TeamLag> lags;
  for (const MirrorStatus& mirror : status.mirrors) {
    if (lags.empty() || lags.back().team != mirror.team) lags.push_back({mirror.team, {}});
    if (!mirror.lag_ms) continue;
    lags.back().lag_ms = std::max(lags.back().lag_ms.value_or(0), *mirror.lag_ms);
  }
  return lags;
}

std::string lag_line(const TeamLag& lag, std::int64_t alert_after_ms) {
  const std::int64_t threshold = alert_after_ms / kMsPerSecond;
  if (!lag.lag_ms) {
    return fmt::format("ALERT: Team {} sync lag: unknown (threshold: {}s)", lag.team, threshold);
  }
  const std::int64_t seconds = *lag.lag_ms / kMsPerSecond;
  if (*lag.lag_ms <= alert_after_ms) {
    return fmt::format("OK: Team {} sync lag: {}s", lag.team, seconds);
  }
  return fmt::format("ALERT: Team {} sync lag: {}s (threshold: {}s)", lag.team, seconds, threshold);
}

bool has_alarm(const Status& status) {
  const std::vector<TeamLag> lags = team_lags(status);
  return std::any_of(lags.begin(), lags.end(),
                     [&](const TeamLag& lag) {
                       return lag.lag_ms.value_or(status.alert_after_ms + 1) >
                              status.alert_after_ms;
                     }) ||
         std::any_of(status.mirrors.begin(), status.mirrors.end(),
                     [](const MirrorStatus& mirror) { return !mirror.alarm.empty(); }) ||
         std::any_of(status.volumes.begin(), status.volumes.end(), [](const VolumeStatus& volume) {
           return volume.state != MountState::kUsable || !what_is_wrong(volume.cluster).empty();
         });
}

std::string to_json(const Status& status) {
  Json json{{"node", status.node}, {"version", status.version}};
  json["alarm"] = has_alarm(status);
  json["alert-after-ms"] = status.alert_after_ms;
  json["teams"] = Json::array();
  for (const TeamLag& lag : team_lags(status)) {
    json["teams"].push_back({{"name", lag.team},
                             {"lag-ms", or_null(lag.lag_ms)},
                             {"line", lag_line(lag, status.alert_after_ms)}});
  }
  json["mirrors"] = Json::array();
  for (const MirrorStatus& mirror : status.mirrors) json["mirrors"].push_back(to_json(mirror));
  json["volumes"] = Json::array();
  for (const VolumeStatus& volume : status.volumes) json["volumes"].push_back(to_json(volume));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Status& status) {
  std::string text;
  for (const TeamLag& lag : team_lags(status)) {
    text += lag_line(lag, status.alert_after_ms) + "\n";
  }
  for (const MirrorStatus& mirror : status.mirrors) {
    text += fmt::format("{}/{}: {}, generation {} on the target, {} here", mirror.team, mirror.env,
                        mirror.role, mirror.target.generation, mirror.applied.generation);
    if (mirror.pending.value_or(1) > 0) {
      text += mirror.pending ? fmt::format(", {} paths pending", *mirror.pending)
                             : std::string{", changes pending"};
      text += fmt::format(" for {}s", mirror.pending_since_ms / kMsPerSecond);
    }
    if (!mirror.running.empty()) text += ", " + mirror.running;
    if (!mirror.alarm.empty()) text += "; ALARM: " + mirror.alarm;
    text += "\n";
  }
  for (const VolumeStatus& volume : status.volumes) {
    const auto number = [](const std::optional<std::uint64_t>& value) {
      return value ? fmt::format("{}", *value) : std::string{"unknown"};
    };
    const std::string bricks = volume.bricks.bricks == 0
                                   ? std::string{"bricks unknown"}
                                   : fmt::format("{} of {} bricks connected",
                                                 volume.bricks.connected, volume.bricks.bricks);
    text += fmt::format(
        "volume {} at {}: {}{}{}, {}, heal pending {}, split-brain {}\n", volume.name, volume.mount,
        name_of(volume.state), volume.text.empty() ? "" : ": ", volume.text, bricks,
        number(volume.cluster.heal.pending), number(volume.cluster.heal.split_brain));
  }
  return text;
}

std::string to_json_text(const Status& status) {
  return Json{{"text", to_text(status)}, {"alarm", has_alarm(status)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

std::string to_metrics(const Status& status) {
  std::string out;
  {
    Metric metric{out, "gluster_sync_lag_seconds", "gauge",
                  "Age of the state that the last committed generation holds."};
    for (const MirrorStatus& mirror : status.mirrors) {
      if (mirror.lag_ms) metric.add(labels_of(mirror), static_cast<double>(*mirror.lag_ms) / 1e3);
    }
  }
  add_counter(out, status, "gluster_sync_success_total", "Passes that ended well.",
              &MirrorStatus::successes);
  add_counter(out, status, "gluster_sync_failures_total", "Passes that did not.",
              &MirrorStatus::failures);
  add_counter(out, status, "gluster_recovery_total", "Recoveries after a takeover.",
              &MirrorStatus::recoveries);
  {
    Metric metric{out, "gluster_heal_pending", "gauge", "Entries that wait to be healed."};
    for (const VolumeStatus& volume : status.volumes) {
      if (!volume.cluster.heal.pending) continue;
      metric.add(Metric::label("volume", volume.name),
                 static_cast<double>(*volume.cluster.heal.pending));
    }
  }
  {
    Metric metric{out, "gluster_split_brain_files", "gauge", "Entries in split-brain."};
    for (const VolumeStatus& volume : status.volumes) {
      if (!volume.cluster.heal.split_brain) continue;
      metric.add(Metric::label("volume", volume.name),
                 static_cast<double>(*volume.cluster.heal.split_brain));
    }
  }
  Metric metric{out, "gluster_mount_healthy", "gauge", "1 if the mount can be used, 0 if not."};
  for (const VolumeStatus& volume : status.volumes) {
    if (volume.state == MountState::kUnknown) continue;
    metric.add(Metric::label("path", volume.mount), volume.state == MountState::kUsable ? 1 : 0);
  }
  return out;
}

}  // namespace ha::sync
