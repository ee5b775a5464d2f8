/// What the evaluator is told: the `haproxy` section of vrrpd.yaml.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "ha/types.hpp"

namespace ha::probe {

/// Teams are the backends whose whole name fits; the first group of the expression names the team.
struct TeamPattern {
  std::string expression;  ///< ECMAScript
  friend bool operator==(const TeamPattern&, const TeamPattern&) = default;
};
/// Teams by name, each with its backends.
using TeamMap = std::map<std::string, std::vector<std::string>>;

/// Which servers count. Local ones have an address of this machine.
enum class ServerScope : std::uint8_t { kLocal, kAll, kMatch };

enum class Combine : std::uint8_t { kAnd, kOr };

struct ProbeConfig {
  /// Path of the stats socket, or the URL of the statistics page (http.hpp: parse_url).
  std::string stats = "/run/haproxy/admin.sock";
  std::string credentials_file;  ///< of the page; empty: none
  std::string credentials;       ///< what that file says, "user:password"; a secret
  std::string events;            ///< name of a ring whose lines are a doorbell; empty: none
  Duration interval = std::chrono::seconds{1};
  Duration timeout = std::chrono::milliseconds{500};  ///< for one answer
  Duration stale_after = std::chrono::seconds{5};     ///< no usable answer for so long is `down`
  std::variant<TeamPattern, TeamMap> teams = TeamPattern{"(.+)"};
  ServerScope scope = ServerScope::kLocal;
  std::string server_match;  ///< for kMatch: an expression the whole server name fits
  int threshold = 50;        ///< percent, 0-100
  int quorum = 2;            ///< healthy teams, 0 and up
  Combine combine = Combine::kAnd;
  Duration grace = std::chrono::seconds{30};
  Duration recover = std::chrono::seconds{10};
  int demote_unhealthy = 50;  ///< 0-254
  int demote_down = 100;      ///< 0-254

  friend bool operator==(const ProbeConfig&, const ProbeConfig&) = default;
};

}  // namespace ha::probe
