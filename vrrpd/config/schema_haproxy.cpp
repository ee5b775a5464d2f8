#include "vrrpd/config/schema_haproxy.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "haproxy_probe/http.hpp"
#include "vrrpd/config/choices.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {
namespace {

using namespace std::chrono_literals;
using probe::ProbeConfig;

constexpr std::string_view kKnown[] = {
    "stats",   "credentials_file", "events", "interval", "timeout", "stale_after", "teams",
    "servers", "threshold",        "quorum", "combine",  "grace",   "recover",     "demote"};
constexpr std::string_view kServersKnown[] = {"match"};
constexpr std::string_view kDemoteKnown[] = {"unhealthy", "down"};

// Polling faster than that costs HAProxy more than it tells.
constexpr DurationRange kIntervalRange{100ms, 1h};
constexpr DurationRange kTimeoutRange{10ms, 60s};
constexpr DurationRange kStaleAfterRange{100ms, 1h};
constexpr DurationRange kHoldRange{0s, 24h};
constexpr IntegerRange kQuorumRange{0, 1000};
constexpr IntegerRange kDemoteRange{0, 254};
constexpr std::size_t kTeamNameSizeBytesMax = 64;
constexpr std::size_t kBackendsMax = 1000;
constexpr std::size_t kPathSizeBytesMax = 4095;

[[nodiscard]] Parsed<std::string> parse_stats(std::string_view text) {
  if (!probe::is_url(text)) return parse_socket_path(text);
  if (const auto url = probe::parse_url(text); !url) return tl::make_unexpected(url.error());
  return std::string{text};
}

/// The name of a ring, or nothing at all.
[[nodiscard]] Parsed<std::string> parse_events(std::string_view text) {
  if (text.empty()) return std::string{};
  return parse_proxy_name(text);
}

[[nodiscard]] Parsed<std::string> parse_path(std::string_view text) {
  if (text.empty() || text[0] != '/' || text.size() > kPathSizeBytesMax) {
    return tl::make_unexpected(
        fmt::format("is not an absolute path of 1-{} bytes", kPathSizeBytesMax));
  }
  return std::string{text};
}

/// What belongs to a page, or to a socket, only.
void read_source(const Section& section, ProbeConfig& config, const FileReader& read_file,
                 Diagnostics& diagnostics) {
  section.read("stats", config.stats, parse_stats);
  const bool is_page = probe::is_url(config.stats);
  section.read("events", config.events, parse_events);
  if (is_page && !config.events.empty()) {
    diagnostics.error(section.position_of("events"),
                      "events needs a Unix socket in 'stats': a page has none");
  }
  const Read file = section.read("credentials_file", config.credentials_file, parse_path);
  if (file != Read::kValid) return;
  const Position position = section.position_of("credentials_file");
  if (!is_page) {
    diagnostics.error(position, "credentials_file needs a URL in 'stats': a socket has none");
    return;
  }
  if (!read_file) return;
  const std::string what = fmt::format("credentials_file {}", shown(config.credentials_file));
  const auto text = read_file(config.credentials_file);
  if (!text) {
    diagnostics.error(position, fmt::format("{} {}", what, text.error().message()));
    return;
  }
  auto credentials = probe::parse_credentials(*text);
  if (credentials) {
    config.credentials = std::move(*credentials);
  } else {
    diagnostics.error(position, fmt::format("{} {}", what, credentials.error()));
  }
}

/// Each team with its backends; a backend belongs to one team, else its servers would count twice.
[[nodiscard]] probe::TeamMap read_team_map(const Node& value, Diagnostics& diagnostics) {
  probe::TeamMap teams;
  std::map<std::string, std::string> team_of_backend;
  if (value.entries.empty()) diagnostics.error(value.position, "teams is an empty map");
  for (const Entry& entry : value.entries) {
    if (const auto name = parse_word(entry.key, kTeamNameSizeBytesMax); !name) {
      diagnostics.error(entry.position, fmt::format("team {} {}", shown(entry.key), name.error()));
    }
    const std::string what = fmt::format("team {}", shown(entry.key));
    if (!is_list(entry.value, what, kBackendsMax, diagnostics)) continue;
    for (const Node& item : entry.value.items) {
      const auto backend = read_scalar(item, "backend", diagnostics, parse_proxy_name);
      if (!backend) continue;
      const auto [other, is_new] = team_of_backend.emplace(*backend, entry.key);
      if (is_new) {
        teams[entry.key].push_back(*backend);
      } else {
        diagnostics.error(item.position, fmt::format("backend {} is already one of team {}",
                                                     shown(*backend), shown(other->second)));
      }
    }
  }
  return teams;
}

void read_teams(const Node& value, ProbeConfig& config, Diagnostics& diagnostics) {
  if (value.kind == Node::Kind::kMap) {
    config.teams = read_team_map(value, diagnostics);
    return;
  }
  const auto pattern = read_scalar(value, "teams", diagnostics,
                                   [](std::string_view text) { return parse_expression(text, 1); });
  if (pattern) config.teams = probe::TeamPattern{*pattern};
}

void read_servers(const Node& value, ProbeConfig& config, Diagnostics& diagnostics) {
  if (value.kind != Node::Kind::kMap) {
    const auto scope = read_scalar(
        value, "servers", diagnostics, [](std::string_view text) -> Parsed<probe::ServerScope> {
          auto choice = parse_choice(text, kScopeChoices);
          if (!choice) return tl::make_unexpected("is not local, all or {match: EXPRESSION}");
          return choice;
        });
    if (scope) config.scope = *scope;
    return;
  }
  const auto section = Section::open(value, "servers", kServersKnown, diagnostics);
  if (!section || section->require("match") == nullptr) return;
  config.scope = probe::ServerScope::kMatch;
  section->read("match", config.server_match,
                [](std::string_view text) { return parse_expression(text, 0); });
}

void read_demote(const Node& value, ProbeConfig& config, Diagnostics& diagnostics) {
  const auto section = Section::open(value, "demote", kDemoteKnown, diagnostics);
  if (!section) return;
  section->integer("unhealthy", config.demote_unhealthy, kDemoteRange);
  section->integer("down", config.demote_down, kDemoteRange);
}

/// Between two good answers lie the interval and the time the second may take; an answer that
/// counts as stale before the next one can be there would make a healthy HAProxy `down`.
void check_staleness(const Section& section, const ProbeConfig& config, Diagnostics& diagnostics) {
  const Duration needed = config.interval + config.timeout;
  if (config.stale_after >= needed) return;
  std::string_view culprit = "stale_after";
  if (section.find(culprit) == nullptr) culprit = "interval";
  if (section.find(culprit) == nullptr) culprit = "timeout";
  diagnostics.error(section.position_of(culprit),
                    fmt::format("stale_after {} is less than interval plus timeout, {}",
                                to_text(config.stale_after), to_text(needed)));
}

}  // namespace

ProbeConfig read_haproxy(const Node& value, const FileReader& read_file, Diagnostics& diagnostics) {
  ProbeConfig config;
  const auto section = Section::open(value, "haproxy", kKnown, diagnostics);
  if (!section) return config;

  read_source(*section, config, read_file, diagnostics);
  const Read interval = section->duration("interval", config.interval, kIntervalRange);
  const Read timeout = section->duration("timeout", config.timeout, kTimeoutRange);
  const Read stale_after = section->duration("stale_after", config.stale_after, kStaleAfterRange);
  const bool times_are_known =
      interval != Read::kRefused && timeout != Read::kRefused && stale_after != Read::kRefused;
  if (times_are_known) check_staleness(*section, config, diagnostics);
  if (const Node* teams = section->find("teams")) read_teams(*teams, config, diagnostics);
  if (const Node* servers = section->find("servers")) read_servers(*servers, config, diagnostics);
  section->read("threshold", config.threshold, parse_percentage);
  section->integer("quorum", config.quorum, kQuorumRange);
  section->read("combine", config.combine,
                [](std::string_view text) { return parse_choice(text, kCombineChoices); });
  section->duration("grace", config.grace, kHoldRange);
  section->duration("recover", config.recover, kHoldRange);
  if (const Node* demote = section->find("demote")) read_demote(*demote, config, diagnostics);
  return config;
}

}  // namespace ha::config
