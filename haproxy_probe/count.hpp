/// Which servers count, for which team, and how many of them are up (DESIGN: teams).
///
/// Pure, and knows no time: what the counts mean for the verdict is evaluator.hpp's.
#pragma once

#include <cstddef>
#include <optional>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ha/messages.hpp"
#include "haproxy_probe/config.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {

struct TeamHealth {
  std::string name;
  int up = 0;
  int servers = 0;  ///< counted ones; 0 means the team itself does not count
  [[nodiscard]] bool healthy() const { return up > 0; }
  friend bool operator==(const TeamHealth&, const TeamHealth&) = default;
};

/// What one answer says.
struct Count {
  std::vector<TeamHealth> teams;  ///< in the order of HAProxy's answer
  int servers_up = 0;
  int servers = 0;        ///< of which the percentage is taken
  int healthy_teams = 0;  ///< with at least one counted server up
  int counted_teams = 0;  ///< with at least one counted server
  /// What an operator should look at: why nothing is counted, or which configured teams are
  /// missing.
  std::optional<std::string> complaint;

  friend bool operator==(const Count&, const Count&) = default;
};

/// Counts answer after answer. Names are matched against the configuration's expressions once, not
/// at every poll.
class Counter {
 public:
  /// Compiles the expressions; throws std::regex_error for one that is wrong.
  explicit Counter(const ProbeConfig& config);

  /// From now on these addresses are this machine's. Loopback addresses and Unix sockets always
  /// are.
  void set_local(const LocalAddresses& local);

  /// The result is this object's, and good until the next call.
  [[nodiscard]] const Count& count(const std::vector<ServerRow>& servers);

 private:
  static constexpr std::size_t kNoTeam = static_cast<std::size_t>(-1);
  struct Turn {
    std::string backend;
    std::size_t team = kNoTeam;
  };

  void begin_team(std::size_t place, const std::string& name);
  [[nodiscard]] std::size_t team_in_turn(std::size_t turn, const std::string& backend);
  [[nodiscard]] std::size_t team_of(const std::string& backend);
  [[nodiscard]] std::string name_of_team(const std::string& backend) const;
  [[nodiscard]] std::optional<std::string> missing_teams(
      const std::vector<std::size_t>& places) const;
  [[nodiscard]] bool in_scope(const ServerRow& row);
  [[nodiscard]] bool is_local(const ServerRow& row) const;
  void forget_old_names(std::size_t servers);

  ServerScope scope_;
  bool is_page_;
  std::optional<std::regex> team_pattern_;  ///< or team_by_backend_
  std::unordered_map<std::string, std::string> team_by_backend_;
  std::vector<std::string> configured_teams_;  ///< those of a map
  std::optional<std::regex> server_pattern_;
  std::vector<IpAddress> local_;  ///< sorted

  std::vector<std::string> team_names_;                        ///< by number
  std::unordered_map<std::string, std::size_t> team_numbers_;  ///< by name
  /// Names seen so far: a backend's team, or kNoTeam; whether a server fits server_pattern_.
  std::unordered_map<std::string, std::size_t> backends_;
  std::unordered_map<std::string, bool> server_names_;
  std::vector<Turn> order_;  ///< the backends as they were last

  Count count_;
};

}  // namespace ha::probe
