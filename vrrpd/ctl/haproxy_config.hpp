/// `vrrpctl haproxy-config`: HAProxy's backends for teams that run on several machines, and what
/// vrrpd has to know about them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ha::ctl {

enum class Strategy {
  kActivePassive,  ///< the first machine serves; another one where a team's server there is down
  kActiveActive,   ///< all machines serve
  kLocalOnly,      ///< each machine knows its own servers only
};

struct BackendHost {
  std::string name;
  std::string address;
  friend bool operator==(const BackendHost&, const BackendHost&) = default;
};

struct BackendTeam {
  std::string name;
  int port = 0;
  friend bool operator==(const BackendTeam&, const BackendTeam&) = default;
};

/// Errors below are sentences for the operator.

/// "active-passive", "active-active" or "local-only".
[[nodiscard]] tl::expected<Strategy, std::string> parse_strategy(std::string_view text);

/// From NAME=ADDRESS.
[[nodiscard]] tl::expected<BackendHost, std::string> parse_host(std::string_view text);

/// From NAME or NAME=PORT; without a port it is 8080 for the first team, 8081 for the second one,
/// and so on.
[[nodiscard]] tl::expected<std::vector<BackendTeam>, std::string> parse_teams(
    const std::vector<std::string>& texts);

/// The hosts of an Ansible inventory in YAML: `all: children: GROUP: hosts: NAME: ansible_host:
/// ADDRESS`. Where there are several groups, `group` says which; empty: the only one.
[[nodiscard]] tl::expected<std::vector<BackendHost>, std::string> read_inventory(
    std::string_view text, std::string_view name, std::string_view group);

/// Text for haproxy.cfg, with the `haproxy` section of vrrpd.yaml in comments. `node` is the
/// machine it is for, which only kLocalOnly depends on. An error if a name occurs twice.
[[nodiscard]] tl::expected<std::string, std::string> backends(Strategy strategy,
                                                              const std::vector<BackendHost>& hosts,
                                                              const std::vector<BackendTeam>& teams,
                                                              std::string_view node);

}  // namespace ha::ctl
