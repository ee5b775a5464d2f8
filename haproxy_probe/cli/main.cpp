/// haproxy-probe: the evaluator on its own, for people, scripts and keepalived's vrrp_script.

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "haproxy_probe/cli/replay.hpp"
#include "haproxy_probe/cli/settings.hpp"
#include "haproxy_probe/cli/watch.hpp"
#include "vrrpd/settings/source.hpp"
#include "vrrpd/version.hpp"

namespace {

using namespace ha::probe;
using namespace ha::probe::cli;

constexpr const char* kFooter =
    "Exit codes:\n"
    "  0  healthy; with --replay: the machine would not have been demoted\n"
    "  1  unhealthy, or HAProxy is dead; with --replay: it would have been\n"
    "  2  nothing can be said: no usable answer, nothing to count, wrong usage\n\n"
    "Without --watch there is no history and so no grace: what is bad is unhealthy at once, and\n"
    "keepalived's `fall` takes the place of --grace. With --servers local every address of this\n"
    "machine counts as its own, a virtual one, too.";

struct Option {
  const char* key;
  const char* name;
  const char* type;
  const char* description;
};

/// Each is a key of the section `haproxy`; see vrrpd.yaml for ranges and defaults.
constexpr std::array<Option, 14> kOptions = {{
    {"stats", "--stats", "PATH|URL", "Stats socket, or http://ADDRESS:PORT/PATH"},
    {"credentials_file", "--credentials-file", "FILE", "One line USER:PASSWORD for the URL"},
    {"events", "--events", "RING", "Ring of HAProxy to follow (with --watch)"},
    {"interval", "--interval", "TIME", "How often to ask (with --watch)"},
    {"timeout", "--timeout", "TIME", "How long an answer may take"},
    {"stale_after", "--stale-after", "TIME", "No usable answer for so long is down"},
    {"teams", "--teams", "EXPRESSION", "Which backends; the first group names the team"},
    {"servers", "--servers", "local|all", "Which servers count"},
    {"match", "--match", "EXPRESSION", "Only servers whose whole name fits count"},
    {"threshold", "--threshold", "PERCENT", "Bad below it, as 50%"},
    {"quorum", "--quorum", "TEAMS", "Good with so many healthy teams"},
    {"combine", "--combine", "and|or", "Whether both or one of them is needed to be bad"},
    {"grace", "--grace", "TIME", "Bad for so long is unhealthy"},
    {"recover", "--recover", "TIME", "Good for so long is healthy again"},
}};

struct Arguments {
  std::array<std::string, kOptions.size()> values;
  std::array<CLI::Option*, kOptions.size()> given{};
  std::string config;
  std::string replay;
  bool watch = false;
  bool json = false;
};

void declare(CLI::App& app, Arguments& arguments) {
  app.footer(kFooter);
  app.set_version_flag("--version", std::string{"haproxy-probe "} + ha::vrrp::kProgramVersion);
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    const Option& option = kOptions.at(i);
    arguments.given.at(i) = app.add_option(option.name, arguments.values.at(i), option.description)
                                ->type_name(option.type);
  }
  app.add_option("--config", arguments.config, "Take the section `haproxy` of this vrrpd.yaml")
      ->type_name("FILE");
  auto* const watch = app.add_flag("--watch", arguments.watch, "Go on until interrupted");
  auto* const json = app.add_flag("--json", arguments.json, "Print JSON, one object a line");
  app.add_option("--replay", arguments.replay,
                 "Play what --watch --json has written, `-` for standard input, against these "
                 "settings")
      ->type_name("FILE")
      ->excludes(watch)
      ->excludes(json);
}

Options options_of(const Arguments& arguments) {
  Options options;
  for (std::size_t i = 0; i < kOptions.size(); ++i) {
    if (arguments.given.at(i)->count() > 0) {
      options.emplace_back(kOptions.at(i).key, arguments.values.at(i));
    }
  }
  return options;
}

std::optional<ProbeConfig> settings_of(const Arguments& arguments) {
  SettingsFile file{arguments.config, {}};
  if (!file.name.empty()) {
    auto text = ha::config::read_text(file.name);
    if (!text) {
      std::fprintf(stderr, "%s: error: %s\n", file.name.c_str(), text.error().message().c_str());
      return std::nullopt;
    }
    file.text = std::move(*text);
  }
  const auto read_file = [](const std::filesystem::path& path) {
    return ha::config::read_text(path);
  };
  auto settings = ha::probe::cli::settings_of(file, options_of(arguments), read_file);
  if (settings) return std::move(*settings);
  for (const std::string& problem : settings.error()) {
    std::fprintf(stderr, "%s\n", problem.c_str());
  }
  return std::nullopt;
}

/// The next line of at most kLineBytesMax + 1 bytes, so that a longer one is seen to be too long.
bool read_line(std::istream& input, std::string& line) {
  line.clear();
  for (char c = 0; input.get(c);) {
    if (c == '\n') return true;
    line += c;
    if (line.size() > kLineBytesMax) return true;
  }
  return !line.empty();
}

int replay(const ProbeConfig& config, const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name);
    if (!file) {
      std::perror(name.c_str());
      return kUnusable;
    }
  }
  std::istream& input = name == "-" ? std::cin : file;
  Replay replay{config};
  std::string line;
  for (long number = 1; read_line(input, line); ++number) {
    const auto changes = replay.take(line);
    if (!changes) {
      std::fprintf(stderr, "%s:%ld: error: %s\n", name.c_str(), number, changes.error().c_str());
      return kUnusable;
    }
    for (const Change& change : *changes) std::puts(to_text(change).c_str());
  }
  if (replay.is_empty()) {
    std::fprintf(stderr, "%s: error: nothing was recorded\n", name.c_str());
    return kUnusable;
  }
  std::puts(replay.summary().c_str());
  return replay.was_demoted() ? kUnhealthy : kHealthy;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Says whether the HAProxy of this machine can serve, by vrrpd's rules.",
               "haproxy-probe"};
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kHealthy : kUnusable;
  }
  const auto config = settings_of(arguments);
  if (!config) return kUnusable;
  if (!arguments.replay.empty()) return replay(*config, arguments.replay);
  const Format format = arguments.json ? Format::kJson : Format::kText;
  return arguments.watch ? watch(*config, format) : probe_once(*config, format);
}
