#include "vrrpd/keepalived/command_line.hpp"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

// Long options without a letter.
enum Long : int { kSignum = 256, kAll, kFlushLogFile, kPerf, kDebug, kIgnoreSigint };

constexpr const char* kLetters = ":f:PCBlDS:g::Gu:XVIRndp:r:c:ab:xA:s:mM::ei:t::vh";

constexpr option kOptions[] = {
    {"use-file", required_argument, nullptr, 'f'},
    {"vrrp", no_argument, nullptr, 'P'},
    {"check", no_argument, nullptr, 'C'},
    {"no_bfd", no_argument, nullptr, 'B'},
    {"all", no_argument, nullptr, kAll},
    {"log-console", no_argument, nullptr, 'l'},
    {"log-detail", no_argument, nullptr, 'D'},
    {"log-facility", required_argument, nullptr, 'S'},
    {"log-file", optional_argument, nullptr, 'g'},
    {"flush-log-file", no_argument, nullptr, kFlushLogFile},
    {"no-syslog", no_argument, nullptr, 'G'},
    {"umask", required_argument, nullptr, 'u'},
    {"release-vips", no_argument, nullptr, 'X'},
    {"dont-release-vrrp", no_argument, nullptr, 'V'},
    {"dont-release-ipvs", no_argument, nullptr, 'I'},
    {"dont-respawn", no_argument, nullptr, 'R'},
    {"dont-fork", no_argument, nullptr, 'n'},
    {"dump-conf", no_argument, nullptr, 'd'},
    {"pid", required_argument, nullptr, 'p'},
    {"vrrp_pid", required_argument, nullptr, 'r'},
    {"checkers_pid", required_argument, nullptr, 'c'},
    {"address-monitoring", no_argument, nullptr, 'a'},
    {"bfd_pid", required_argument, nullptr, 'b'},
    {"snmp", no_argument, nullptr, 'x'},
    {"snmp-agent-socket", required_argument, nullptr, 'A'},
    {"namespace", required_argument, nullptr, 's'},
    {"core-dump", no_argument, nullptr, 'm'},
    {"core-dump-pattern", optional_argument, nullptr, 'M'},
    {"all-config", no_argument, nullptr, 'e'},
    {"config-id", required_argument, nullptr, 'i'},
    {"signum", required_argument, nullptr, kSignum},
    {"perf", optional_argument, nullptr, kPerf},
    {"debug", optional_argument, nullptr, kDebug},
    {"ignore-sigint", no_argument, nullptr, kIgnoreSigint},
    {"config-test", optional_argument, nullptr, 't'},
    {"version", no_argument, nullptr, 'v'},
    {"help", no_argument, nullptr, 'h'},
    {nullptr, 0, nullptr, 0},
};

constexpr const char* kUsage =
    "Usage: keepalived [OPTION...]\n"
    "vrrpd, called as keepalived. Options that are honoured:\n"
    "  -f, --use-file=FILE       the configuration, by default /etc/keepalived/keepalived.conf\n"
    "  -t, --config-test[=LOG]   check it and exit: 0 good, 4 unreadable, 5 errors\n"
    "  -i, --config-id=ID        what lines that begin with @ are for, by default the host name\n"
    "  -n, --dont-fork           stay in the foreground\n"
    "  -l, --log-console         log to standard error, too\n"
    "  -G, --no-syslog           do not log to syslog\n"
    "  -g, --log-file[=FILE]     log to FILE, too, by default /tmp/keepalived.log\n"
    "  -S, --log-facility=NAME   of syslog: 0-7 or local0-local7, user or daemon\n"
    "  -D, --log-detail          more detailed messages\n"
    "  -p, --pid=FILE            process id of the parent, by default /run/keepalived.pid;\n"
    "                            another one has the control socket beside it: NAME.sock\n"
    "  -r, --vrrp_pid=FILE       process id of the VRRP process, by default /run/vrrp.pid\n"
    "  -V, --dont-release-vrrp   leave the addresses in place at the end\n"
    "  -R, --dont-respawn        end when the VRRP process dies\n"
    "  -s, --namespace=NAME      run in a network namespace\n"
    "  -u, --umask=MASK          for files that are made\n"
    "  -m, --core-dump           leave a core when crashing\n"
    "      --signum=FUNCTION     print the signal for STOP, RELOAD, DATA, STATS, STATS_CLEAR, "
    "JSON\n"
    "  -v, --version             print the version\n"
    "Without effect here: -d -P -C -B --all -X -I -c -b -a -x -A -M -e --perf --debug\n";

[[nodiscard]] std::optional<int> facility_named(std::string_view name) {
  constexpr int kUser = 1;
  constexpr int kDaemon = 3;
  constexpr int kLocal0 = 16;
  if (name == "user") return kUser;
  if (name == "daemon") return kDaemon;
  if (name.substr(0, 5) == "local") name.remove_prefix(5);
  if (name.size() != 1 || name[0] < '0' || name[0] > '7') return std::nullopt;
  return kLocal0 + (name[0] - '0');
}

/// Octal with a leading 0, as strtol(3) with base 0 has it.
[[nodiscard]] std::optional<unsigned> mask_of(const char* text) {
  char* end = nullptr;
  const unsigned long mask = std::strtoul(text, &end, 0);
  if (end == text || *end != '\0' || mask > 0777) return std::nullopt;
  return static_cast<unsigned>(mask);
}

[[nodiscard]] Reply wrong(std::string text) { return {kExitFatal, "", std::move(text) + '\n'}; }

[[nodiscard]] Reply signal_number(std::string_view function) {
  const std::pair<std::string_view, int> known[] = {
      {"STOP", SIGTERM},
      {"RELOAD", SIGHUP},
      {"DATA", signal_for_data()},
      {"STATS", signal_for_stats()},
      {"STATS_CLEAR", signal_for_stats_clear()},
      {"JSON", signal_for_json()},
  };
  for (const auto& [name, number] : known) {
    if (name == function) return {kExitOk, fmt::format("{}\n", number), ""};
  }
  return wrong(fmt::format("Unknown sigfunc {}", function));
}

/// The control socket of a daemon with this pid file.
[[nodiscard]] std::string beside(std::string_view pid_file) {
  constexpr std::string_view kEnd = ".pid";
  const bool has_end =
      pid_file.size() >= kEnd.size() && pid_file.substr(pid_file.size() - kEnd.size()) == kEnd;
  return std::string{pid_file.substr(0, pid_file.size() - (has_end ? kEnd.size() : 0))} + ".sock";
}

/// Takes one option over; a Reply ends the reading.
[[nodiscard]] std::optional<Reply> take(CommandLine& line, int letter, const char* value) {
  switch (letter) {
    case 'f':
      line.file = value;
      break;
    case 'i':
      line.config_id = value;
      break;
    case 'n':
      line.stays_in_foreground = true;
      break;
    case 'l':
      line.logs_to_console = true;
      break;
    case 'G':
      line.logs_to_syslog = false;
      break;
    case 'g':
      line.log_file = value == nullptr ? "/tmp/keepalived.log" : value;
      break;
    case 'S':
      if (const auto facility = facility_named(value)) {
        line.facility = *facility;
        break;
      }
      return wrong(fmt::format("Invalid log facility '{}'", value));
    case 'D':
      line.logs_details = true;
      break;
    case 'V':
      line.keeps_addresses = true;
      break;
    case 'R':
      line.restarts_engine = false;
      break;
    case 't':
      line.only_tests = true;
      line.test_log = value == nullptr ? "" : value;
      break;
    case 'p':
      line.pid_file = value;
      break;
    case 'r':
      line.engine_pid_file = value;
      break;
    case 's':
      line.network_namespace = value;
      break;
    case 'u':
      line.umask = mask_of(value);
      if (!line.umask) return wrong(fmt::format("Invalid umask '{}'", value));
      break;
    case 'm':
      line.dumps_core = true;
      break;
    case kSignum:
      return signal_number(value);
    case 'v':
      return Reply{kExitOk, "", fmt::format("{}\n\nvrrpd in its place\n", kReleaseFollowed)};
    case 'h':
      return Reply{kExitOk, "", kUsage};
    default:
      for (const option& known : kOptions) {
        if (known.name != nullptr && known.val == letter) {
          line.ignored.push_back(std::string{"--"} + known.name);
        }
      }
  }
  return std::nullopt;
}

}  // namespace

std::variant<CommandLine, Reply> parse_command_line(const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"keepalived"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  CommandLine line;
  ::optind = 0;  // glibc: forget what was read before
  ::opterr = 0;
  const auto count = static_cast<int>(words.size());
  for (;;) {
    const int before = ::optind;
    const int letter = ::getopt_long(count, argv.data(), kLetters, kOptions, nullptr);
    if (letter == -1) break;
    const auto at = static_cast<std::size_t>(std::max(before, 1));
    if (letter == '?') return wrong("Unknown option " + words[std::min(at, words.size() - 1)]);
    if (letter == ':') {
      return wrong("Missing value of " + words[std::min(at, words.size() - 1)]);
    }
    if (auto reply = take(line, letter, ::optarg)) return *reply;
  }
  if (::optind < count) {
    std::string rest;
    for (auto i = static_cast<std::size_t>(::optind); i < words.size(); ++i) rest += ' ' + words[i];
    return wrong("Unexpected argument(s):" + rest);
  }
  if (line.pid_file != CommandLine{}.pid_file) {
    line.control_socket = beside(line.pid_file);
    const auto usable = config::parse_socket_path(line.control_socket);
    const bool is_printable = std::none_of(line.pid_file.begin(), line.pid_file.end(), [](char c) {
      return (c >= '\0' && c < ' ') || c == '\x7f';
    });
    if (!usable || !is_printable) {
      return wrong(fmt::format("--pid: the control socket beside it, {}, {}", line.control_socket,
                               usable ? "has control characters" : usable.error()));
    }
  }
  const auto asked_for = [&](const char* option) {
    return std::count(line.ignored.begin(), line.ignored.end(), option) > 0;
  };
  if (asked_for("--check") && !asked_for("--vrrp")) {
    return wrong("--check asks for the health checker alone, which vrrpd does not have");
  }
  return line;
}

bool is_keepalived(std::string_view name) {
  return name.substr(name.rfind('/') + 1) == "keepalived";
}

int signal_for_data() { return SIGUSR1; }
int signal_for_stats() { return SIGUSR2; }
int signal_for_stats_clear() { return SIGRTMAX - 1; }
int signal_for_json() { return SIGRTMIN + 2; }

}  // namespace ha::keepalived
