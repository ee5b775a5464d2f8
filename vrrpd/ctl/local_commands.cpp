#include "vrrpd/ctl/local_commands.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "ha/result.hpp"
#include "vrrpd/ctl/cluster.hpp"
#include "vrrpd/ctl/haproxy_config.hpp"
#include "vrrpd/ctl/render.hpp"
#include "vrrpd/ctl/text_diff.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::ctl {
namespace {

constexpr const char* kDefaultFile = "/etc/vrrpd/vrrpd.yaml";
constexpr mode_t kMode = 0640;

int complain(int exit_code, std::string_view what) {
  fmt::print(stderr, "vrrpctl: {}\n", what);
  return exit_code;
}

/// The file may hold a password, and the daemon has to read it: for its group where there is one.
Result<void> write_file(const std::string& path, std::string_view text) {
  const std::string next = path + ".new";
  const int file = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failure(errno, "write " + next);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = written ? 0 : errno;
  const group* const daemon = getgrnam("vrrpd");
  if (error == 0 && daemon != nullptr && geteuid() == 0 &&
      (fchown(file, 0, daemon->gr_gid) != 0 || fchmod(file, kMode) != 0)) {
    error = errno;
  }
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && rename(next.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(next.c_str());
    return failure(error, "write " + path);
  }
  return {};
}

/// Where the file of `node` goes.
std::string place_of(const GenerateArguments& arguments, const std::string& node) {
  if (arguments.output.empty()) return kDefaultFile;
  std::error_code ignored;
  if (std::filesystem::is_directory(arguments.output, ignored)) {
    return (std::filesystem::path{arguments.output} / (node + ".yaml")).string();
  }
  return arguments.output;
}

Result<std::string> read(const std::string& path, config::FileKind kind = config::FileKind::kAny) {
  auto text = config::read_text(path, kind);
  if (!text) text.error().context.insert(0, path + ": ");
  return text;
}

int show_difference(const std::string& path, std::string_view text) {
  std::error_code ignored;
  std::string before;
  if (std::filesystem::exists(path, ignored)) {
    auto there = read(path, config::FileKind::kPlain);
    if (!there) return complain(kRefused, there.error().message());
    before = std::move(*there);
  }
  const std::string difference = text_diff(before, text);
  if (difference.empty()) {
    fmt::print("{}: no change\n", path);
  } else {
    fmt::print("--- {}\n+++ generated\n{}", path, difference);
  }
  return kDone;
}

int deliver(const GenerateArguments& arguments, const GeneratedFile& file) {
  const std::string path = place_of(arguments, file.node);
  if (arguments.dry_run) return show_difference(path, file.text);
  if (arguments.output.empty()) {
    std::fputs(file.text.c_str(), stdout);
    return kDone;
  }
  if (const auto written = write_file(path, file.text); !written) {
    return complain(kRefused, written.error().message());
  }
  fmt::print("{}\n", path);
  return kDone;
}

std::string own_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  const std::string text{name.data()};
  return text.substr(0, text.find('.'));
}

tl::expected<std::vector<BackendHost>, std::string> hosts_of(const BackendArguments& arguments) {
  std::vector<BackendHost> hosts;
  if (!arguments.inventory.empty()) {
    const auto text = read(arguments.inventory);
    if (!text) return tl::unexpected{text.error().message()};
    return read_inventory(*text, arguments.inventory, arguments.group);
  }
  for (const std::string& given : arguments.hosts) {
    auto host = parse_host(given);
    if (!host) return tl::unexpected{host.error()};
    hosts.push_back(std::move(*host));
  }
  return hosts;
}

}  // namespace

int run_generate(const GenerateArguments& arguments) {
  const auto text = read(arguments.cluster);
  if (!text) return complain(kRefused, text.error().message());
  Generated generated = generate(*text, arguments.cluster);
  for (const std::string& line : generated.diagnostics) fmt::print(stderr, "{}\n", line);
  if (generated.files.empty()) return kRefused;
  if (!arguments.node.empty()) {
    std::string names;
    for (const GeneratedFile& file : generated.files) {
      names += (names.empty() ? "" : ", ") + file.node;
    }
    std::erase_if(generated.files,
                  [&](const GeneratedFile& file) { return file.node != arguments.node; });
    if (generated.files.empty()) {
      return complain(kRefused, fmt::format("{} has no controller {} with keepalived; there is {}",
                                            arguments.cluster, arguments.node, names));
    }
  }
  const bool one_place = place_of(arguments, "a") == place_of(arguments, "b");
  if (generated.files.size() > 1 && one_place && (arguments.dry_run || !arguments.output.empty())) {
    return complain(kUsage, "these are several files: give --node, or a directory as --output");
  }
  for (const GeneratedFile& file : generated.files) {
    if (&file != &generated.files.front() && !arguments.dry_run && arguments.output.empty()) {
      fmt::print("---\n");
    }
    if (const int exit_code = deliver(arguments, file); exit_code != kDone) return exit_code;
  }
  return kDone;
}

int run_haproxy_config(const BackendArguments& arguments) {
  const auto strategy = parse_strategy(arguments.strategy);
  if (!strategy) return complain(kUsage, strategy.error());
  const auto teams = parse_teams(arguments.teams);
  if (!teams) return complain(kUsage, teams.error());
  const auto hosts = hosts_of(arguments);
  if (!hosts) return complain(kRefused, hosts.error());
  const auto text =
      backends(*strategy, *hosts, *teams, arguments.node.empty() ? own_name() : arguments.node);
  if (!text) return complain(kRefused, text.error());
  std::fputs(text->c_str(), stdout);
  return kDone;
}

}  // namespace ha::ctl
