/// gluster-sync: the command line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/command.hpp"
#include "sync/daemon.hpp"
#include "sync/files.hpp"
#include "sync/load.hpp"
#include "vrrpd/settings/source.hpp"
#include "vrrpd/version.hpp"

namespace {

using namespace ha::sync;

constexpr int kDone = 0;
constexpr int kRefused = 1;
constexpr int kUsage = 2;

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done\n"
    "  1  refused, failed, or in need of attention; the reason is printed\n"
    "  2  wrong usage\n"
    "  3  no daemon";

struct Arguments {
  std::string config = "/etc/vrrpd/gluster-sync.yaml";
  std::string state = "/var/lib/gluster-sync";
  std::string socket = "/run/gluster-sync/control.sock";
  std::string team;
  std::string env;
  std::string from;
  std::string volume;
  std::string mount;
  std::uint64_t generation = 0;
  bool allow_local = false;
  bool json = false;
  bool dry_run = false;
};

/// The host name up to its first dot.
[[nodiscard]] std::string short_host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  const std::string_view whole{name.data()};
  return std::string{whole.substr(0, whole.find('.'))};
}

enum class Say : std::uint8_t { kAll, kErrors };

/// Prints the diagnostics; nothing if the configuration cannot be used.
[[nodiscard]] std::optional<Setting> read_setting(const Arguments& arguments, Say say) {
  const Locality locality = arguments.allow_local ? Locality::kAllowLocal : Locality::kGlusterOnly;
  Loaded loaded = load_file(arguments.config, locality);
  for (const auto& diagnostic : loaded.diagnostics) {
    if (loaded.config && say == Say::kErrors) continue;
    std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
  }
  if (!loaded.config) return std::nullopt;
  return Setting{std::move(*loaded.config),
                 {short_host_name(), arguments.state, locality, {}, {}},
                 arguments.socket,
                 arguments.json};
}

/// The daemon's children read the configuration that it read, whatever becomes of the file.
int start_daemon(const Setting& setting, const Arguments& arguments) {
  const std::string copy = arguments.state + "/running.yaml";
  auto done = make_directories(arguments.state);
  if (done) done = make_directories(std::filesystem::absolute(arguments.socket).parent_path());
  const auto text = ha::config::read_text(arguments.config);
  if (done && text) done = write_file(copy, *text);
  if (!done || !text) {
    const ha::Error& error = done ? text.error() : done.error();
    std::fprintf(stderr, "gluster-sync: %s\n", error.message().c_str());
    return kRefused;
  }
  std::vector<std::string> words{"/proc/self/exe", "--config", copy, "--state", arguments.state};
  if (arguments.allow_local) words.emplace_back("--allow-local");
  return run_daemon(setting, words);
}

struct Command {
  std::function<int(const Setting&)> run;
  Say say = Say::kAll;
};

void declare_options(CLI::App& app, Arguments& arguments) {
  app.fallthrough();  // options may follow the command
  app.require_subcommand(0, 1);
  app.footer(kExitCodes);
  app.set_version_flag("--version", std::string{"gluster-sync "} + ha::vrrp::kProgramVersion);
  app.add_option("-c,--config", arguments.config, "Configuration")
      ->type_name("FILE")
      ->capture_default_str();
  app.add_option("--state", arguments.state, "Where this machine's own records are")
      ->type_name("DIRECTORY")
      ->capture_default_str();
  app.add_option("--socket", arguments.socket, "Where the daemon answers")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_flag("--allow-local", arguments.allow_local,
               "Accept targets that are not on GlusterFS, to try things out");
  app.add_flag("--json", arguments.json, "Print JSON");
}

void declare_copying(CLI::App& app, Arguments& arguments, Command& command) {
  auto* now = app.add_subcommand("now", "Commit what has changed since the last generation");
  now->add_option("TEAM", arguments.team)->required();
  now->add_option("ENV", arguments.env, "Default: all of the team's");
  now->callback([&] {
    command.run = [&](const Setting& setting) {
      return run_now(setting, arguments.team, arguments.env);
    };
  });

  const auto mode = [&] { return arguments.dry_run ? Mode::kDryRun : Mode::kReally; };
  auto* recover = app.add_subcommand(
      "recover", "Take the target over and make the local copy equal to what was committed");
  recover->add_option("TEAM", arguments.team)->required();
  recover->add_option("ENV", arguments.env)->required();
  recover->add_option("--from", arguments.generation, "An earlier generation")
      ->type_name("GENERATION")
      ->check(CLI::PositiveNumber);
  recover->add_flag("--dry-run", arguments.dry_run, "Say what would be done");
  recover->callback([&, mode] {
    command.run = [&, mode](const Setting& setting) {
      std::optional<std::uint64_t> generation;
      if (arguments.generation > 0) generation = arguments.generation;
      return run_recover(setting, arguments.team, arguments.env, generation, mode());
    };
  });

  auto* blue_green = app.add_subcommand(
      "switch", "Give an environment what the team's other one has, committed first");
  blue_green->add_option("TEAM", arguments.team)->required();
  blue_green->add_option("ENV", arguments.env, "The one that is to be used from now on")
      ->required();
  blue_green->add_option("--from", arguments.from, "Default: the team's only other one")
      ->type_name("ENV");
  blue_green->add_flag("--dry-run", arguments.dry_run, "Say what would be done");
  blue_green->callback([&, mode] {
    command.run = [&, mode](const Setting& setting) {
      return run_switch(setting, arguments.team, arguments.env, arguments.from, mode());
    };
  });
}

void declare_watching(CLI::App& app, Arguments& arguments, Command& command) {
  auto* run = app.add_subcommand("run", "The daemon: commit, follow and watch");
  run->callback([&] {
    command.run = [&](const Setting& setting) { return start_daemon(setting, arguments); };
  });
  auto* status = app.add_subcommand("status", "What the daemon knows; 1 if something is wrong");
  status->callback([&] { command = {run_status, Say::kErrors}; });

  auto* heal = app.add_subcommand("heal", "Let GlusterFS heal what differs between its bricks");
  heal->add_option("VOLUME", arguments.volume, "Default: all");
  heal->callback([&] {
    command.run = [&](const Setting& setting) { return run_heal(setting, arguments.volume); };
  });
  auto* remount = app.add_subcommand("remount", "Unmount a volume, even if it hangs, and mount it");
  remount->add_option("MOUNT", arguments.mount)->required();
  remount->callback([&] {
    command.run = [&](const Setting& setting) { return run_remount(setting, arguments.mount); };
    command.say = Say::kErrors;
  });
  auto* check = app.add_subcommand("check-config", "Print what is wrong with the configuration");
  check->add_option("FILE", arguments.config, "Default: that of --config");
  check->callback([&] { command.run = check_volumes; });
}

/// What the daemon starts; of no use to anybody else.
void declare_children(CLI::App& app, Arguments& arguments, Command& command) {
  auto* job = app.add_subcommand("job", "A job of the daemon")->group("");
  job->add_option("TEAM", arguments.team)->required();
  job->add_option("ENV", arguments.env)->required();
  job->callback([&] {
    command = {
        [&](const Setting& setting) { return run_job(setting, arguments.team, arguments.env); },
        Say::kErrors};
  });
  auto* probe = app.add_subcommand("probe", "The daemon's look at a mount")->group("");
  probe->add_option("MOUNT", arguments.mount, "Default: the targets that are on none");
  probe->callback([&] {
    command = {[&](const Setting& setting) { return run_probe(setting, arguments.mount); },
               Say::kErrors};
  });
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  Command command;
  CLI::App app{"Copies each team's data to GlusterFS, and back after a fail-over.", "gluster-sync"};
  declare_options(app, arguments);
  declare_watching(app, arguments, command);
  declare_copying(app, arguments, command);
  declare_children(app, arguments, command);
  try {
    app.parse(argc, argv);
    // Not left to CLI11, which would say so before it names an unknown command.
    if (!command.run) throw CLI::RequiredError{"A command"};
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;  // prints help, version or what is wrong
  }
  const auto setting = read_setting(arguments, command.say);
  return setting ? command.run(*setting) : kRefused;
}
