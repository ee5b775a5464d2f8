/// vrrpd(8): the command line. What it runs is wired in engine_process.cpp.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "vrrpd/as_keepalived.hpp"
#include "vrrpd/config/load.hpp"
#include "vrrpd/daemon.hpp"
#include "vrrpd/keepalived/command_line.hpp"
#include "vrrpd/keepalived/load.hpp"
#include "vrrpd/version.hpp"

namespace {

using ha::vrrp::Loaded;

constexpr const char* kDefaultConfig = "/etc/vrrpd/vrrpd.yaml";
constexpr const char* kKeepalivedConfig = "/etc/keepalived/keepalived.conf";

/// keepalived's file stands in where ours does not exist.
std::string default_config() {
  std::error_code ignored;
  const bool stands_in = !std::filesystem::exists(kDefaultConfig, ignored) &&
                         std::filesystem::exists(kKeepalivedConfig, ignored);
  return stands_in ? kKeepalivedConfig : kDefaultConfig;
}

/// Prints all diagnostics. Returns whether the configuration can be used.
bool report(const Loaded& loaded) {
  for (const auto& diagnostic : loaded.diagnostics) {
    std::fprintf(stderr, "%s\n", to_string(diagnostic).c_str());
  }
  return loaded.config.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 0 && ha::keepalived::is_keepalived(*argv)) {
    return ha::vrrp::run_as_keepalived({argv + 1, argv + argc});
  }
  CLI::App app{"Keeps virtual IP addresses on one of several machines (VRRP versions 2 and 3)."};
  std::string config_file = default_config();
  std::string file;
  app.add_option("-c,--config", config_file,
                 "Configuration to run with: a vrrpd.yaml, or a keepalived.conf as it is")
      ->capture_default_str();
  bool check = false;
  bool print = false;
  auto* check_flag = app.add_flag("--check-config", check,
                                  "Print what is wrong with FILE and exit: 1 if it has errors");
  app.add_flag("--print-config", print, "Print FILE with every default filled in and exit")
      ->excludes(check_flag);
  auto* named = app.add_option("FILE", file,
                               "For --check-config and --print-config; default: that of --config");
  app.set_version_flag("--version", std::string{"vrrpd "} + ha::vrrp::kProgramVersion);
  try {
    app.parse(argc, argv);
    if (named->count() > 0 && !check && !print) {
      throw CLI::ExtrasError("vrrpd", {file + " (use --config FILE)"});
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (named->count() > 0) config_file = file;

  Loaded loaded = ha::keepalived::load_file(config_file);
  if (!report(loaded)) return 1;
  if (check) return 0;
  if (print) {
    const std::string text = ha::vrrp::print(*loaded.config);
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
    std::perror("vrrpd: standard output");
    return 1;
  }
  ha::vrrp::DaemonOptions options;
  options.path = config_file;
  options.load = [&] {
    return ha::keepalived::load_file(config_file, ha::config::FileKind::kPlain);
  };
  return ha::vrrp::run_daemon(options, std::move(*loaded.config));
}
