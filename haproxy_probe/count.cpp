#include "haproxy_probe/count.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "haproxy_probe/http.hpp"

namespace ha::probe {
namespace {

/// What became of the rows of team backends, for the complaint if none of them counts.
struct Seen {
  bool rows = false;
  bool addresses = false;
  bool in_scope = false;
};

std::string why_nothing_counts(const Seen& seen, ServerScope scope, bool is_page) {
  if (!seen.rows) return "no server of a team in HAProxy's answer: check `teams`";
  if (seen.in_scope)
    return "every server that could count is in maintenance, drained or not checked";
  if (scope == ServerScope::kMatch) return "no server of the teams fits `servers: match`";
  if (!seen.addresses) {
    return std::string{"HAProxy shows no server addresses: its "} +
           (is_page ? "page needs `stats show-legends`" : "stats socket needs `level operator`");
  }
  return "no server of the teams has an address of this machine";
}

void sum_up(Count& count) {
  count.servers_up = count.servers = count.healthy_teams = count.counted_teams = 0;
  for (const TeamHealth& team : count.teams) {
    count.servers_up += team.up;
    count.servers += team.servers;
    count.healthy_teams += team.healthy() ? 1 : 0;
    count.counted_teams += team.servers > 0 ? 1 : 0;
  }
}

}  // namespace

Counter::Counter(const ProbeConfig& config) : scope_{config.scope}, is_page_{is_url(config.stats)} {
  if (const auto* pattern = std::get_if<TeamPattern>(&config.teams)) {
    team_pattern_.emplace(pattern->expression, std::regex::ECMAScript | std::regex::optimize);
  } else {
    for (const auto& [team, backends] : std::get<TeamMap>(config.teams)) {
      configured_teams_.push_back(team);
      for (const std::string& backend : backends) team_by_backend_.emplace(backend, team);
    }
  }
  if (scope_ == ServerScope::kMatch) {
    server_pattern_.emplace(config.server_match, std::regex::ECMAScript | std::regex::optimize);
  }
}

void Counter::set_local(const LocalAddresses& local) {
  local_ = local.addresses;
  std::sort(local_.begin(), local_.end());
}

const Count& Counter::count(const std::vector<ServerRow>& servers) {
  forget_old_names(servers.size());
  Seen seen;
  std::vector<std::size_t> places(team_names_.size(), kNoTeam);  // in count_.teams, by team number
  std::size_t teams = 0;
  std::size_t turn = 0;
  const std::string* backend = nullptr;
  std::size_t team = kNoTeam;
  for (const ServerRow& row : servers) {
    // Rows of one backend follow each other.
    if (backend == nullptr || *backend != row.backend) {
      backend = &row.backend;
      team = team_in_turn(turn++, row.backend);
      places.resize(team_names_.size(), kNoTeam);
    }
    if (team == kNoTeam) continue;
    if (places[team] == kNoTeam) {
      places[team] = teams++;
      begin_team(places[team], team_names_[team]);
    }
    seen.rows = true;
    seen.addresses = seen.addresses || row.address || row.unix_socket;
    if (!in_scope(row)) continue;
    seen.in_scope = true;
    TeamHealth& health = count_.teams[places[team]];
    health.up += row.status == ServerClass::kUp ? 1 : 0;
    health.servers += row.status == ServerClass::kUp || row.status == ServerClass::kDown ? 1 : 0;
  }
  order_.resize(turn);
  count_.teams.resize(teams);
  sum_up(count_);
  count_.complaint =
      count_.servers == 0 ? why_nothing_counts(seen, scope_, is_page_) : missing_teams(places);
  return count_;
}

/// Writes over what the last answer left there, so that names need no memory of their own again.
void Counter::begin_team(std::size_t place, const std::string& name) {
  if (place == count_.teams.size()) count_.teams.emplace_back();
  TeamHealth& health = count_.teams[place];
  health.name = name;
  health.up = health.servers = 0;
}

/// The team of the backend whose turn it is. HAProxy keeps to its order, so that hardly any backend
/// has to be looked up.
std::size_t Counter::team_in_turn(std::size_t turn, const std::string& backend) {
  if (turn < order_.size() && order_[turn].backend == backend) return order_[turn].team;
  const std::size_t team = team_of(backend);
  if (turn == order_.size()) order_.emplace_back();
  order_[turn] = {backend, team};
  return team;
}

std::size_t Counter::team_of(const std::string& backend) {
  if (const auto known = backends_.find(backend); known != backends_.end()) return known->second;
  const std::string name = name_of_team(backend);
  std::size_t number = kNoTeam;
  if (!name.empty()) {
    const auto [entry, is_new] = team_numbers_.emplace(name, team_names_.size());
    if (is_new) team_names_.push_back(name);
    number = entry->second;
  }
  backends_.emplace(backend, number);
  return number;
}

/// Which teams of a map the answer, with its teams at `places`, did not have at all.
std::optional<std::string> Counter::missing_teams(const std::vector<std::size_t>& places) const {
  std::string names;
  for (const std::string& name : configured_teams_) {
    const auto number = team_numbers_.find(name);
    if (number != team_numbers_.end() && places[number->second] != kNoTeam) continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return std::nullopt;
  return "no server in HAProxy's answer for team " + names;
}

/// Empty: the backend belongs to no team.
std::string Counter::name_of_team(const std::string& backend) const {
  if (!team_pattern_) {
    const auto entry = team_by_backend_.find(backend);
    return entry == team_by_backend_.end() ? std::string{} : entry->second;
  }
  std::smatch match;
  if (!std::regex_match(backend, match, *team_pattern_)) return {};
  // An optional group that took no part leaves the backend to name its team.
  return match.size() > 1 && match.length(1) > 0 ? match.str(1) : backend;
}

bool Counter::in_scope(const ServerRow& row) {
  switch (scope_) {
    case ServerScope::kAll:
      return true;
    case ServerScope::kLocal:
      return is_local(row);
    case ServerScope::kMatch:
      break;
  }
  const auto known = server_names_.find(row.server);
  if (known != server_names_.end()) return known->second;
  const bool fits = std::regex_match(row.server, *server_pattern_);
  server_names_.emplace(row.server, fits);
  return fits;
}

bool Counter::is_local(const ServerRow& row) const {
  if (row.unix_socket) return true;
  if (!row.address) return false;
  return row.address->is_loopback() ||
         std::binary_search(local_.begin(), local_.end(), *row.address);
}

/// Names come and go with HAProxy's reloads and its `add server`; without this the memory of them
/// would only grow.
void Counter::forget_old_names(std::size_t servers) {
  const std::size_t limit = 2 * servers + 1000;
  if (backends_.size() <= limit && server_names_.size() <= limit) return;
  order_.clear();
  backends_.clear();
  server_names_.clear();
  team_numbers_.clear();
  team_names_.clear();
}

}  // namespace ha::probe
