#include "vrrpd/as_keepalived.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "vrrpd/daemon.hpp"
#include "vrrpd/keepalived/command_line.hpp"
#include "vrrpd/keepalived/dumps.hpp"
#include "vrrpd/keepalived/load.hpp"
#include "vrrpd/keepalived/process.hpp"
#include "vrrpd/runtime/capabilities.hpp"
#include "vrrpd/version.hpp"

namespace ha::vrrp {
namespace {

using keepalived::CommandLine;

/// The configuration as this command line wants it.
[[nodiscard]] Loaded load_for(const CommandLine& line) {
  Loaded loaded = keepalived::load_conf(line.file, line.config_id);
  if (!loaded.config) return loaded;
  if (line.logs_details) loaded.config->log.level = LogLevel::kDebug;
  if (!line.control_socket.empty()) loaded.config->control.socket = line.control_socket;
  // Addresses that are to outlive us may not run out.
  if (line.keeps_addresses) {
    for (InstanceConfig& instance : loaded.config->instances) instance.lease.reset();
  }
  return loaded;
}

[[nodiscard]] std::string text_of(const Loaded& loaded) {
  std::string text;
  for (const Diagnostic& diagnostic : loaded.diagnostics) text += to_string(diagnostic) + '\n';
  return text;
}

[[nodiscard]] bool is_readable(const std::string& path) {
  return keepalived::ThisMachine{}.read(path, 1).has_value();
}

int test(const CommandLine& line) {
  const Loaded loaded = load_for(line);
  const std::string text = text_of(loaded);
  if (line.test_log.empty()) {
    std::fputs(text.c_str(), stderr);
  } else if (const auto written = keepalived::replace_file(line.test_log, text); !written) {
    std::fprintf(stderr, "%s\n", written.error().message().c_str());
    return keepalived::kTestFatal;
  }
  if (!is_readable(line.file)) return keepalived::kTestFatal;
  return loaded.config ? keepalived::kTestOk : keepalived::kTestErrors;
}

[[nodiscard]] LogTarget target_of(const CommandLine& line, std::string identity) {
  LogTarget target;
  target.to_console = line.logs_to_console;
  target.style = LogTarget::Style::kKeepalived;
  if (line.logs_to_syslog) target.syslog_facility = line.facility;
  target.identity = std::move(identity);
  target.file = line.log_file.value_or("");
  return target;
}

/// Where keepalived puts them.
[[nodiscard]] std::string dump_path(std::string_view name) {
  const char* const directory = std::getenv("TMPDIR");
  return fmt::format("{}/{}", directory == nullptr || *directory == '\0' ? "/tmp" : directory,
                     name);
}

/// Writes what a signal asks for, and remembers from where the counters count.
class Dumper {
 public:
  void operator()(int signal, const Config& config, const Status& all, Log& log) {
    const Status status = keepalived::since(baseline_, all);
    if (signal == keepalived::signal_for_data()) {
      log.info("Printing VRRP data for process({}) on signal", ::getpid());
      write("keepalived.data", keepalived::data_text(config, status), log);
    } else if (signal == keepalived::signal_for_json()) {
      log.info("Printing VRRP as json for process({}) on signal", ::getpid());
      write("keepalived.json", keepalived::json_text(config, status), log);
    } else {
      log.info("Printing VRRP stats for process({}) on signal", ::getpid());
      write("keepalived.stats", keepalived::stats_text(status), log);
    }
    if (signal == keepalived::signal_for_stats_clear()) baseline_ = keepalived::baseline_of(all);
  }

 private:
  static void write(std::string_view name, const std::string& text, Log& log) {
    const auto written = keepalived::replace_file_aside(dump_path(name), text);
    if (!written) log.error("{}", written.error().message());
  }

  keepalived::Baseline baseline_;
};

/// What it takes before the first line is logged; nothing if all is well.
[[nodiscard]] Result<void> settle(const CommandLine& line) {
  if (line.umask) ::umask(*line.umask);
  if (line.dumps_core) {
    const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_CORE, &unlimited);
  }
  if (!line.network_namespace.empty()) {
    if (auto entered = keepalived::enter_network_namespace(line.network_namespace); !entered) {
      return entered;
    }
  }
  if (!line.stays_in_foreground) return keepalived::daemonise();
  return {};
}

[[nodiscard]] DaemonOptions options_for(const CommandLine& line) {
  DaemonOptions options;
  options.path = line.file;
  options.load = [line] { return load_for(line); };
  options.guard_log = target_of(line, "Keepalived");
  options.engine_log = target_of(line, "Keepalived_vrrp");
  options.restarts_engine = line.restarts_engine;
  options.keeps_addresses = line.keeps_addresses;
  options.is_alone = line.control_socket.empty();
  options.in_engine = [path = line.engine_pid_file](Log& log) {
    if (const auto written = keepalived::write_pid_file(path); !written) {
      log.error("{}", written.error().message());
    }
  };
  options.engine_ends = [path = line.engine_pid_file] { keepalived::remove_pid_file(path); };
  options.dump = [dumper = std::make_shared<Dumper>()](int signal, const Config& config,
                                                       const Status& status, Log& log) {
    (*dumper)(signal, config, status, log);
  };
  return options;
}

int run(const CommandLine& line) {
  Log log;
  log.direct(target_of(line, "Keepalived"));
  log.info("Starting {}", keepalived::kReleaseFollowed);
  log.info("This is vrrpd {} in its place", kProgramVersion);
  if (!is_readable(line.file)) {
    log.error("Config files missing '{}'.", line.file);
    std::fprintf(stderr, "keepalived: %s cannot be read\n", line.file.c_str());
    return keepalived::kExitNoConfiguration;
  }
  Loaded loaded = load_for(line);
  for (const Diagnostic& diagnostic : loaded.diagnostics) log.info("{}", to_string(diagnostic));
  if (!loaded.config) {
    if (!line.logs_to_console) std::fputs(text_of(loaded).c_str(), stderr);
    return keepalived::kExitConfiguration;
  }
  log.configure(loaded.config->log);
  for (const std::string& option : line.ignored) log.debug("{} has no effect here", option);
  if (const auto missing = missing_capabilities(); !missing.empty()) {
    log.error("{} is missing: run it as root, or with this capability", missing.front());
    return keepalived::kExitPermission;
  }
  if (const pid_t other = keepalived::running_process(line.pid_file); other != 0) {
    log.error("daemon is already running, as process {}", other);
    return keepalived::kExitFatal;
  }
  if (const auto settled = settle(line); !settled) {
    log.error("{}", settled.error().message());
    return keepalived::kExitFatal;
  }
  if (const auto written = keepalived::write_pid_file(line.pid_file); !written) {
    log.error("{}", written.error().message());
    return keepalived::kExitFatal;
  }
  const int status = run_daemon(options_for(line), std::move(*loaded.config));
  keepalived::remove_pid_file(line.pid_file);
  log.info("Stopped {}", keepalived::kReleaseFollowed);
  return status;
}

}  // namespace

int run_as_keepalived(const std::vector<std::string>& arguments) {
  const auto parsed = keepalived::parse_command_line(arguments);
  if (const auto* reply = std::get_if<keepalived::Reply>(&parsed)) {
    std::fputs(reply->out.c_str(), stdout);
    std::fputs(reply->err.c_str(), stderr);
    return reply->exit_code;
  }
  const auto& line = std::get<CommandLine>(parsed);
  return line.only_tests ? test(line) : run(line);
}

}  // namespace ha::vrrp
