/// vrrpctl: the operator's command. Parses the arguments, asks the daemon, prints what it answers.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "vrrpd/ctl/connection.hpp"
#include "vrrpd/ctl/render.hpp"
#include "vrrpd/keepalived/load.hpp"
#include "vrrpd/version.hpp"

namespace {

using namespace ha::ctl;

constexpr std::chrono::seconds kPatience{5};

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done; for `status`: and everything is well\n"
    "  1  refused, the reason is printed; for `status`: an instance is in fault or has an alarm,\n"
    "     or HAProxy is unhealthy or down\n"
    "  2  wrong usage\n"
    "  3  no daemon: it does not run, does not answer within 5 s, or may not be asked";

struct Arguments {
  std::string socket = "/run/vrrpd/control.sock";
  std::string argument;
  std::string converted_file;  ///< empty: another command
  bool json = false;
  Command command = Command::kStatus;
};

CLI::App* add_command(CLI::App& app, Arguments& arguments, Command command, const char* name,
                      const char* description) {
  CLI::App* const subcommand = app.add_subcommand(name, description);
  subcommand->add_flag("--json", arguments.json, "Print JSON");
  subcommand->footer(kExitCodes);
  subcommand->callback([&arguments, command] { arguments.command = command; });
  return subcommand;
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
}

Form form_for(const Arguments& arguments) {
  if (arguments.json) return Form::kJson;
  const char* const no_color = std::getenv("NO_COLOR");
  const bool plain = no_color != nullptr && *no_color != '\0';
  return isatty(STDOUT_FILENO) == 1 && !plain ? Form::kColouredText : Form::kText;
}

int print(const Output& output) {
  std::fputs(output.out.c_str(), stdout);
  if (std::fflush(stdout) != 0) {
    std::perror("vrrpctl: standard output");
    return kRefused;
  }
  std::fputs(output.err.c_str(), stderr);
  return output.exit_code;
}

/// Needs no daemon. What was dropped is in the comments; errors go to standard error.
int convert(const std::string& file) {
  const auto converted = ha::keepalived::convert(file);
  return print(converted.is_usable ? Output{kDone, converted.yaml, ""}
                                   : Output{kRefused, "", converted.problems});
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Asks the running vrrpd, and tells it what to do.", "vrrpctl"};
  declare(app, arguments);
  try {
    app.parse(argc, argv);
    // Not left to CLI11, which would say so before it names an unknown command.
    if (app.get_subcommands().empty()) throw CLI::RequiredError{"A command"};
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;  // prints help, version or what is wrong
  }
  if (!arguments.converted_file.empty()) return convert(arguments.converted_file);
  const auto answer =
      ask(arguments.socket, request_line(arguments.command, arguments.argument), kPatience);
  if (!answer) return print({kNoDaemon, "", "vrrpctl: " + answer.error().message() + '\n'});
  return print(present(arguments.command, *answer, form_for(arguments)));
}
