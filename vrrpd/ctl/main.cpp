/// vrrpctl: the operator's command. Parses the arguments, asks the daemon, prints what it answers.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "vrrpd/ctl/connection.hpp"
#include "vrrpd/ctl/drain.hpp"
#include "vrrpd/ctl/events.hpp"
#include "vrrpd/ctl/local_commands.hpp"
#include "vrrpd/ctl/pcapng.hpp"
#include "vrrpd/ctl/render.hpp"
#include "vrrpd/keepalived/load.hpp"
#include "vrrpd/version.hpp"

namespace {

using namespace ha::ctl;

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{5};
/// Between two questions for what has happened since.
constexpr std::chrono::milliseconds kPause{250};

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done; for `status`: and everything is well\n"
    "  1  refused, the reason is printed; for `status`: an instance is in fault or has an alarm,\n"
    "     or HAProxy is unhealthy or down; for `drain`: an address is still here\n"
    "  2  wrong usage\n"
    "  3  no daemon: it does not run, does not answer within 5 s, or may not be asked";

struct Arguments {
  std::string socket = "/run/vrrpd/control.sock";
  std::string argument;
  std::string converted_file;  ///< empty: another command
  std::string file;            ///< empty: standard output
  bool json = false;
  bool follow = false;
  Command command = Command::kStatus;
  GenerateArguments generate;
  BackendArguments backends;
};

CLI::App* add_command(CLI::App& app, Arguments& arguments, Command command, const char* name,
                      const char* description) {
  CLI::App* const subcommand = app.add_subcommand(name, description);
  subcommand->add_flag("--json", arguments.json, "Print JSON");
  subcommand->footer(kExitCodes);
  subcommand->callback([&arguments, command] { arguments.command = command; });
  return subcommand;
}

/// Those that need no daemon.
void declare_local(CLI::App& app, Arguments& arguments) {
  CLI::App* const generate = app.add_subcommand(
      "generate", "Make each machine's vrrpd.yaml from one file that describes the cluster");
  generate->add_option("--cluster", arguments.generate.cluster, "The cluster's description")
      ->type_name("FILE")
      ->required();
  generate->add_option("--node", arguments.generate.node, "Only for this machine")
      ->type_name("NAME");
  generate
      ->add_option("--output", arguments.generate.output,
                   "Not to standard output, but to this file, or NAME.yaml in this directory")
      ->type_name("PATH");
  generate->add_flag("--dry-run", arguments.generate.dry_run,
                     "Write nothing, show what would change there, or in /etc/vrrpd/vrrpd.yaml");
  CLI::App* const backends = app.add_subcommand(
      "haproxy-config", "Print HAProxy's backends for teams on several machines");
  backends
      ->add_option("--strategy", arguments.backends.strategy,
                   "active-passive, active-active or local-only")
      ->type_name("STRATEGY")
      ->required();
  backends->add_option("--team", arguments.backends.teams, "A team, as devops or devops=8080")
      ->type_name("NAME[=PORT]")
      ->required();
  auto* const host = backends
                         ->add_option("--host", arguments.backends.hosts,
                                      "A machine; the first one is the primary")
                         ->type_name("NAME=ADDRESS");
  backends
      ->add_option("--inventory", arguments.backends.inventory,
                   "The machines of an Ansible inventory in YAML")
      ->type_name("FILE")
      ->excludes(host);
  backends->add_option("--group", arguments.backends.group, "Of that inventory")->type_name("NAME");
  backends->add_option("--node", arguments.backends.node, "For local-only: the machine's name")
      ->type_name("NAME");
}

void declare(CLI::App& app, Arguments& arguments) {
  app.fallthrough();  // --socket may follow the command
  app.require_subcommand(0, 1);
  app.footer(kExitCodes);
  app.set_version_flag("--version", std::string{"vrrpctl "} + ha::vrrp::kProgramVersion);
  app.add_option("--socket", arguments.socket, "The daemon's control socket")
      ->type_name("PATH")
      ->capture_default_str();
  add_command(app, arguments, Command::kStatus, "status",
              "Show every instance: state, priority, addresses, alarms");
  add_command(app, arguments, Command::kExplain, "explain",
              "Say in sentences why an instance has its state and its priority")
      ->add_option("INSTANCE", arguments.argument, "Default: all of them");
  add_command(app, arguments, Command::kReload, "reload",
              "Read the configuration again; if it has errors nothing changes")
      ->add_option("--confirm", arguments.argument,
                   "Go back to the configuration before it unless `vrrpctl confirm` comes within "
                   "this time: 1s-1h, such as 60s or 5m")
      ->type_name("TIME");
  add_command(app, arguments, Command::kConfirm, "confirm",
              "Keep what `reload --confirm` has brought");
  CLI::App* const convert = app.add_subcommand(
      "convert", "Print keepalived.conf as vrrpd.yaml, with what was dropped as comments");
  convert->add_option("FILE", arguments.converted_file)->required();
  convert->footer("Asks no daemon. Exit codes: 0 done, 1 the file has errors, 2 wrong usage");
  add_command(app, arguments, Command::kDrain, "drain",
              "Hand every address over and stay away, also after a restart, until `undrain`");
  add_command(app, arguments, Command::kUndrain, "undrain", "Take part in the election again");
  CLI::App* const events = add_command(app, arguments, Command::kEvents, "events",
                                       "Show what happened: states, priorities and why");
  events
      ->add_option("--since", arguments.argument,
                   "Nothing before this: a span such as 90s, 10m or 24h, or a time (UTC) such as "
                   "2026-01-07T10:15")
      ->type_name("TIME");
  events->add_flag("-f,--follow", arguments.follow, "Go on showing what happens");
  CLI::App* const capture =
      add_command(app, arguments, Command::kCapture, "capture",
                  "Print the packets and decisions of the last minutes to hours as pcapng");
  capture->remove_option(capture->get_option("--json"));
  capture->add_option("-w,--write", arguments.file, "Not to standard output, but to this file")
      ->type_name("FILE");
  capture->add_flag("-f,--follow", arguments.follow, "Go on with what happens");
  declare_local(app, arguments);
}

Form form_for(const Arguments& arguments) {
  if (arguments.json) return Form::kJson;
  const char* const no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  return isatty(STDOUT_FILENO) == 1 && !plain ? Form::kColouredText : Form::kText;
}

/// `exit_code`, unless what was printed did not get out.
int after_printing(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  std::perror("vrrpctl: standard output");
  return kRefused;
}

int print(const Output& output) {
  std::fwrite(output.out.data(), 1, output.out.size(), stdout);
  const int exit_code = after_printing(output.exit_code);
  std::fputs(output.err.c_str(), stderr);
  return exit_code;
}

/// Needs no daemon. What was dropped is in the comments; errors go to standard error.
int convert(const std::string& file) {
  const auto converted = ha::keepalived::convert(file);
  return print(converted.is_usable ? Output{kDone, converted.yaml, ""}
                                   : Output{kRefused, "", converted.problems});
}

int complain(int exit_code, const std::string& what) {
  return print({exit_code, "", "vrrpctl: " + what + '\n'});
}

ha::Result<std::string> ask_for(const Arguments& arguments, Command command,
                                const std::string& argument = {}) {
  return ask(arguments.socket, request_line(command, argument), kPatience);
}

int ask_once(const Arguments& arguments) {
  const auto answer = ask_for(arguments, arguments.command, arguments.argument);
  if (!answer) return complain(kNoDaemon, answer.error().message());
  return print(present(arguments.command, *answer, form_for(arguments)));
}

/// Hands `show` the answer to each question for what has happened since the last one, which it
/// returns the end of; an empty one ends it, and so does the first answer unless we follow. A
/// daemon that is restarted meanwhile is waited for.
template <class Show>
int follow(const Arguments& arguments, Show show) {
  std::string last;
  bool lost = false;
  for (;;) {
    const auto answer = ask_for(arguments, arguments.command, last);
    if (!answer && !(arguments.follow && !last.empty())) {
      return complain(kNoDaemon, answer.error().message());
    }
    if (!answer && !std::exchange(lost, true)) {
      static_cast<void>(complain(kNoDaemon, answer.error().message() + "; waiting for it"));
    }
    bool more = false;
    if (answer) {
      lost = false;
      const int exit_code = show(*answer, last, more);
      if (exit_code != kDone || (!arguments.follow && !more)) return exit_code;
    }
    if (!more) std::this_thread::sleep_for(kPause);
  }
}

int show_events(const Arguments& arguments) {
  const auto since = parse_since(arguments.argument, std::chrono::system_clock::now());
  if (!since) return complain(kUsage, "--since " + since.error());
  const Form form = form_for(arguments);
  return follow(arguments, [&](const std::string& answer, std::string& last, bool&) {
    const EventsPart part = present_events(answer, *since, form);
    last = part.last;
    return print(part.output);
  });
}

int capture(const Arguments& arguments) {
  if (arguments.file.empty() && isatty(STDOUT_FILENO) == 1) {
    return complain(kUsage,
                    "a capture is no text: give --write FILE, or pipe it into `tshark -r -`");
  }
  if (!arguments.file.empty() && std::freopen(arguments.file.c_str(), "wb", stdout) == nullptr) {
    std::perror(("vrrpctl: " + arguments.file).c_str());
    return kRefused;
  }
  PcapngWriter writer;
  bool begun = false;
  return follow(arguments, [&](const std::string& answer, std::string& last, bool& more) {
    PcapngWriter::Part part = writer.add(answer);
    last = part.last;
    more = part.more;
    if (part.output.exit_code == kDone && !std::exchange(begun, true)) {
      part.output.out.insert(0, writer.begin());
    }
    return print(part.output);
  });
}

int drain(const Arguments& arguments) {
  const auto answer = ask_for(arguments, Command::kDrain);
  if (!answer) return complain(kNoDaemon, answer.error().message());
  const Output refused = present(Command::kDrain, *answer, form_for(arguments));
  if (refused.exit_code != kDone) return print(refused);
  std::optional<Clock::time_point> deadline;
  for (;;) {
    const auto status = ask_for(arguments, Command::kStatus);
    if (!status) return complain(kNoDaemon, status.error().message());
    if (!deadline) deadline = Clock::now() + hand_over_patience(*status);
    if (is_drained(*status) || Clock::now() >= *deadline) {
      return print(present_drain(*status, form_for(arguments)));
    }
    std::this_thread::sleep_for(kPause / 5);
  }
}

int run(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::kEvents:
      return show_events(arguments);
    case Command::kCapture:
      return capture(arguments);
    case Command::kDrain:
      return drain(arguments);
    default:
      return ask_once(arguments);
  }
}

std::string names_of_commands(const CLI::App& app) {
  std::string names;
  for (const CLI::App* const command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

/// What is wrong with the arguments.
std::string usage_problem(const CLI::App* app, const CLI::Error& error) {
  std::string what = error.what();
  const std::vector<std::string> unknown = app->remaining();
  if (app->get_subcommands().empty() && !unknown.empty() && unknown.front().front() != '-') {
    what = "there is no command " + unknown.front() + ", but " + names_of_commands(*app);
  }
  return "vrrpctl: " + what + "\nRun with --help for more information.\n";
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Asks the running vrrpd, and tells it what to do.", "vrrpctl"};
  declare(app, arguments);
  app.failure_message(usage_problem);
  try {
    app.parse(argc, argv);
    // Not left to CLI11, which would say so before it names an unknown command.
    if (app.get_subcommands().empty()) {
      throw CLI::RequiredError{"One of the commands " + names_of_commands(app)};
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;  // prints help, version or what is wrong
  }
  if (!arguments.converted_file.empty()) return convert(arguments.converted_file);
  if (app.got_subcommand("generate")) {
    return after_printing(run_generate(arguments.generate));
  }
  if (app.got_subcommand("haproxy-config")) {
    return after_printing(run_haproxy_config(arguments.backends));
  }
  return run(arguments);
}
