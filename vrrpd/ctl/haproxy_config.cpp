#include "vrrpd/ctl/haproxy_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/scalars.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::ctl {
namespace {

constexpr int kFirstPort = 8080;
constexpr std::string_view kCheck = "check inter 5s fall 3 rise 2";

tl::unexpected<std::string> failure(std::string what) { return tl::unexpected{std::move(what)}; }

/// An address as HAProxy wants it before a port.
std::string before_port(const std::string& address) {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

tl::expected<BackendHost, std::string> make_host(std::string_view name, std::string_view address) {
  if (const auto good = config::parse_proxy_name(name); !good) {
    return failure(fmt::format("the host {} {}", config::shown(name), good.error()));
  }
  const auto parsed = config::parse_host_address(address);
  if (!parsed) {
    return failure(
        fmt::format("the address {} of host {} {}", config::shown(address), name, parsed.error()));
  }
  return BackendHost{std::string{name}, parsed->to_string()};
}

const config::Node* find(const config::Node& map, std::string_view key) {
  for (const config::Entry& entry : map.entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string_view word_for(Strategy strategy) {
  switch (strategy) {
    case Strategy::kActivePassive:
      return "active-passive";
    case Strategy::kActiveActive:
      return "active-active";
    case Strategy::kLocalOnly:
      return "local-only";
  }
  return "";
}

/// What vrrpd has to know, as comments. The quorum is half of the teams: one that is down moves
/// nothing.
std::string vrrpd_section(std::size_t teams) {
  return fmt::format(
      "# In vrrpd.yaml, with `track: [haproxy]` in the instance:\n"
      "#\n"
      "#   haproxy:\n"
      "#     stats: /run/haproxy/admin.sock   # of level operator\n"
      "#     teams: \"jenkins_backend_(.+)\"\n"
      "#     servers: local\n"
      "#     threshold: 50%\n"
      "#     quorum: {}\n"
      "#     grace: 30s\n"
      "#     demote: {{unhealthy: 50, down: 100}}\n",
      std::max<std::size_t>(1, teams / 2));
}

std::string server(const BackendTeam& team, const BackendHost& host, std::string_view options) {
  return fmt::format("    server {}-{} {}:{} {}{}\n", team.name, host.name,
                     before_port(host.address), team.port, kCheck, options);
}

std::string servers(Strategy strategy, const std::vector<BackendHost>& hosts,
                    const BackendTeam& team, std::string_view node) {
  std::string text;
  if (strategy == Strategy::kLocalOnly) {
    return server(team, {std::string{node}, "127.0.0.1"}, "");
  }
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (strategy == Strategy::kActiveActive) {
      text += server(team, hosts[i], " weight 100");
      continue;
    }
    text += fmt::format("    # Active-passive: {} is {}\n", hosts[i].name,
                        i == 0 ? "the primary" : "a backup");
    text += server(team, hosts[i], i == 0 ? "" : " backup");
  }
  return text;
}

template <class Items>
std::optional<std::string> twice(const Items& items) {
  std::set<std::string_view> seen;
  for (const auto& item : items) {
    if (!seen.insert(item.name).second) return item.name;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<Strategy, std::string> parse_strategy(std::string_view text) {
  for (const Strategy strategy :
       {Strategy::kActivePassive, Strategy::kActiveActive, Strategy::kLocalOnly}) {
    if (text == word_for(strategy)) return strategy;
  }
  return failure(fmt::format("the strategy {} is not active-passive, active-active or local-only",
                             config::shown(text)));
}

tl::expected<BackendHost, std::string> parse_host(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return failure(fmt::format("the host {} is not NAME=ADDRESS", config::shown(text)));
  }
  return make_host(text.substr(0, equals), text.substr(equals + 1));
}

tl::expected<std::vector<BackendTeam>, std::string> parse_teams(
    const std::vector<std::string>& texts) {
  std::vector<BackendTeam> teams;
  for (const std::string_view text : texts) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    if (const auto good = config::parse_proxy_name(name); !good) {
      return failure(fmt::format("the team {} {}", config::shown(name), good.error()));
    }
    int port = kFirstPort + static_cast<int>(teams.size());
    if (equals != std::string_view::npos) {
      const auto parsed = config::parse_integer(text.substr(equals + 1), {1, 65'535});
      if (!parsed)
        return failure(fmt::format("the port {} of team {} {}",
                                   config::shown(text.substr(equals + 1)), name, parsed.error()));
      port = *parsed;
    }
    teams.push_back({std::string{name}, port});
  }
  return teams;
}

tl::expected<std::vector<BackendHost>, std::string> read_inventory(std::string_view text,
                                                                   std::string_view name,
                                                                   std::string_view group) {
  config::Diagnostics diagnostics{name};
  const auto root = config::parse(text, diagnostics);
  if (!root || diagnostics.has_errors()) {
    return failure(to_string(diagnostics.in_file_order().front()));
  }
  const config::Node* const all = find(*root, "all");
  const config::Node* const groups = all == nullptr ? nullptr : find(*all, "children");
  if (groups == nullptr || groups->entries.empty()) {
    return failure(fmt::format("{} has no `all: children:` with groups of hosts", name));
  }
  if (group.empty() && groups->entries.size() > 1) {
    return failure(fmt::format("{} has several groups; say which one with --group", name));
  }
  const config::Node* const chosen =
      group.empty() ? &groups->entries.front().value : find(*groups, group);
  const config::Node* const listed = chosen == nullptr ? nullptr : find(*chosen, "hosts");
  if (listed == nullptr) {
    return failure(fmt::format("{} has no hosts in the group {}", name,
                               group.empty() ? groups->entries.front().key : std::string{group}));
  }
  std::vector<BackendHost> hosts;
  for (const config::Entry& entry : listed->entries) {
    const config::Node* const address = find(entry.value, "ansible_host");
    if (address == nullptr) {
      return failure(
          fmt::format("{}:{}: {} has no ansible_host", name, entry.position.line, entry.key));
    }
    auto host = make_host(entry.key, address->text);
    if (!host) return tl::unexpected{host.error()};
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

tl::expected<std::string, std::string> backends(Strategy strategy,
                                                const std::vector<BackendHost>& hosts,
                                                const std::vector<BackendTeam>& teams,
                                                std::string_view node) {
  if (teams.empty()) return failure("there is no team: name each with --team");
  if (const auto name = twice(teams)) return failure(fmt::format("team {} is there twice", *name));
  if (const auto name = twice(hosts)) return failure(fmt::format("host {} is there twice", *name));
  if (strategy != Strategy::kLocalOnly && hosts.size() < 2) {
    return failure("this strategy needs two hosts at least: --host NAME=ADDRESS, or --inventory");
  }
  std::string text =
      fmt::format("# Made by `vrrpctl haproxy-config --strategy {}`{}.\n#\n", word_for(strategy),
                  strategy == Strategy::kLocalOnly ? fmt::format(", for {}", node) : std::string{});
  text += vrrpd_section(teams.size());
  for (const BackendTeam& team : teams) {
    fmt::format_to(std::back_inserter(text),
                   "\nbackend jenkins_backend_{}\n"
                   "    balance roundrobin\n"
                   "    option httpchk GET /login\n"
                   "    http-check expect status 200\n\n",
                   team.name);
    text += servers(strategy, hosts, team, node);
  }
  return text;
}

}  // namespace ha::ctl
