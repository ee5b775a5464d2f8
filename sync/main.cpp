/// gluster-sync: the command line.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#include "sync/command.hpp"
#include "sync/load.hpp"
#include "vrrpd/version.hpp"

namespace {

using namespace ha::sync;

constexpr int kDone = 0;
constexpr int kRefused = 1;
constexpr int kUsage = 2;

constexpr const char* kExitCodes =
    "Exit codes:\n"
    "  0  done\n"
    "  1  refused or failed, the reason is printed\n"
    "  2  wrong usage";

struct Arguments {
  std::string config = "/etc/vrrpd/gluster-sync.yaml";
  std::string state = "/var/lib/gluster-sync";
  std::string team;
  std::string env;
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

/// Prints all diagnostics; nothing if the configuration cannot be used.
[[nodiscard]] std::optional<Setting> read_setting(const Arguments& arguments) {
  const Locality locality = arguments.allow_local ? Locality::kAllowLocal : Locality::kGlusterOnly;
  Loaded loaded = load_file(arguments.config, locality);
  for (const auto& diagnostic : loaded.diagnostics) {
    std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
  }
  if (!loaded.config) return std::nullopt;
  return Setting{std::move(*loaded.config),
                 {short_host_name(), arguments.state, locality, {}},
                 arguments.json};
}

using Command = std::function<int(const Setting&)>;

void declare(CLI::App& app, Arguments& arguments, Command& command) {
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
  app.add_flag("--allow-local", arguments.allow_local,
               "Accept targets that are not on GlusterFS, to try things out");
  app.add_flag("--json", arguments.json, "Print JSON");

  auto* check = app.add_subcommand("check-config", "Print what is wrong with the configuration");
  check->add_option("FILE", arguments.config, "Default: that of --config");
  check->callback([&] { command = [](const Setting&) { return kDone; }; });

  auto* now = app.add_subcommand("now", "Commit what has changed since the last generation");
  now->add_option("TEAM", arguments.team)->required();
  now->add_option("ENV", arguments.env, "Default: all of the team's");
  now->callback([&] {
    command = [&](const Setting& setting) {
      return run_now(setting, arguments.team, arguments.env);
    };
  });

  auto* recover = app.add_subcommand(
      "recover", "Take the target over and make the local copy equal to what was committed");
  recover->add_option("TEAM", arguments.team)->required();
  recover->add_option("ENV", arguments.env)->required();
  recover->add_option("--from", arguments.generation, "An earlier generation")
      ->type_name("GENERATION")
      ->check(CLI::PositiveNumber);
  recover->add_flag("--dry-run", arguments.dry_run, "Say what would be done");
  recover->callback([&] {
    command = [&](const Setting& setting) {
      RecoverOptions options;
      if (arguments.generation > 0) options.generation = arguments.generation;
      options.keep_backups = setting.config.keep_backups;
      options.dry_run = arguments.dry_run;
      return run_recover(setting, arguments.team, arguments.env, options);
    };
  });
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  Command command;
  CLI::App app{"Copies each team's data to GlusterFS, and back after a fail-over.", "gluster-sync"};
  declare(app, arguments, command);
  try {
    app.parse(argc, argv);
    // Not left to CLI11, which would say so before it names an unknown command.
    if (!command) throw CLI::RequiredError{"A command"};
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;  // prints help, version or what is wrong
  }
  const auto setting = read_setting(arguments);
  return setting ? command(*setting) : kRefused;
}
