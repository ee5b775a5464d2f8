/// The command line of keepalived(8), for who starts vrrpd by that name.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ha::keepalived {

/// What `keepalived -v` calls itself: the release that people's tools see here, which is the one
/// that this command line, the dumps and the log lines follow.
inline constexpr const char* kReleaseFollowed = "Keepalived v2.2.7 (01/16,2022)";

/// keepalived's exit codes (its scheduler.h), as far as they can happen here.
enum ExitCode : int {
  kExitOk = 0,
  kExitFatal = 1,
  kExitConfiguration = 2,
  kExitPermission = 4,
  kExitNoConfiguration = 6,
};
/// Those of -t, which are others.
enum TestExitCode : int {
  kTestOk = 0,
  kTestFatal = 4,  ///< the file cannot be read; keepalived says 0 here
  kTestErrors = 5,
};

struct CommandLine {
  std::string file = "/etc/keepalived/keepalived.conf";
  std::string config_id;                ///< -i; empty: the short host name
  bool stays_in_foreground = false;     ///< -n
  bool logs_to_console = false;         ///< -l
  bool logs_to_syslog = true;           ///< not with -G
  int facility = 3;                     ///< -S, as in RFC 5424: 3 is daemon
  std::optional<std::string> log_file;  ///< -g
  bool logs_details = false;            ///< -D
  bool keeps_addresses = false;         ///< -V
  bool restarts_engine = true;          ///< not with -R
  bool only_tests = false;              ///< -t
  std::string test_log;                 ///< empty: standard error
  std::string pid_file = "/run/keepalived.pid";
  std::string engine_pid_file = "/run/vrrp.pid";
  std::string network_namespace;  ///< -s; empty: ours
  /// Where -p names another file than the default, there may be several daemons on this machine:
  /// then the control socket stands beside that file. Empty: at its usual place.
  std::string control_socket;
  std::optional<unsigned> umask;
  bool dumps_core = false;           ///< -m
  std::vector<std::string> ignored;  ///< options that have nothing to do here, for the log

  friend bool operator==(const CommandLine&, const CommandLine&) = default;
};

/// To be printed instead of running anything.
struct Reply {
  int exit_code = 0;
  std::string out;
  std::string err;

  friend bool operator==(const Reply&, const Reply&) = default;
};

/// `arguments` are those after the program's name.
[[nodiscard]] std::variant<CommandLine, Reply> parse_command_line(
    const std::vector<std::string>& arguments);

/// Whether a program that was started as `name` (its argv[0]) is asked to be keepalived.
[[nodiscard]] bool is_keepalived(std::string_view name);

// The signals of keepalived's functions, sent to either process.
[[nodiscard]] int signal_for_data();         ///< writes keepalived.data
[[nodiscard]] int signal_for_stats();        ///< writes keepalived.stats
[[nodiscard]] int signal_for_stats_clear();  ///< and then counts from 0
[[nodiscard]] int signal_for_json();         ///< writes keepalived.json

}  // namespace ha::keepalived
