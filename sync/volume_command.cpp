// The commands that look at the daemon and at the volumes.
#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>
#include <utility>

#include "sync/command.hpp"
#include "sync/glance.hpp"
#include "sync/gluster_xml.hpp"
#include "sync/json_fields.hpp"
#include "sync/remount.hpp"
#include "sync/status.hpp"
#include "sync/tool.hpp"
#include "vrrpd/ctl/connection.hpp"

namespace ha::sync {
namespace {

constexpr std::chrono::milliseconds kDaemonPatience{3000};
constexpr int kNoDaemon = 3;

[[nodiscard]] int fail(const std::string& why) {
  std::fprintf(stderr, "gluster-sync: %s\n", why.c_str());
  return 1;
}

/// What the gluster command complains about: it breaks its sentences.
[[nodiscard]] std::string in_one_line(std::string_view text) {
  constexpr std::size_t kSizeBytesMax = 500;
  std::string line{text.substr(0, kSizeBytesMax)};
  std::replace(line.begin(), line.end(), '\n', ' ');
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// What the gluster command says; an error if it fails or takes too long.
[[nodiscard]] Result<std::string> gluster(const std::vector<std::string>& words) {
  std::string said;
  const auto code = run_tool(gluster_command(words), kGlusterPatience, [&](std::string_view line) {
    if (said.size() < kXmlSizeBytesMax) said.append(line).append("\n");
  });
  if (!code) return tl::make_unexpected(code.error());
  if (*code == 0) return said;
  return tl::unexpected<Error>{{{}, in_one_line(said)}};
}

/// "; 1 of 3 bricks are not online", without which nothing is healed; empty if none is missing, or
/// that cannot be told.
[[nodiscard]] std::string missing_bricks(const std::string& volume) {
  const auto status = gluster({"volume", "status", volume, "--xml"});
  if (!status) return {};
  const auto bricks = parse_bricks(*status);
  if (!bricks) return {};
  ClusterView view;
  view.bricks = *bricks;
  const std::string text = what_is_wrong(view);
  return text.empty() ? text : "; " + text;
}

[[nodiscard]] bool heal(const std::string& volume) {
  const auto started = gluster({"volume", "heal", volume});
  if (!started) {
    return fail(volume + ": " + started.error().message() + missing_bricks(volume)) == 0;
  }
  const auto summary = gluster({"volume", "heal", volume, "info", "summary", "--xml"});
  if (!summary) return fail(volume + ": " + summary.error().message()) == 0;
  const auto counts = parse_heal_summary(*summary);
  if (!counts) return fail(volume + ": the answer " + counts.error()) == 0;
  const auto number = [](const std::optional<std::uint64_t>& value) {
    return value ? fmt::format("{}", *value) : std::string{"unknown"};
  };
  std::printf("%s: healing; entries pending: %s, in split-brain: %s\n", volume.c_str(),
              number(counts->pending).c_str(), number(counts->split_brain).c_str());
  return counts->split_brain.value_or(0) == 0;
}

}  // namespace

int run_status(const Setting& setting) {
  const std::string request{setting.json ? kStatusRequest : kTextRequest};
  const auto answer = ctl::ask(setting.socket, request, kDaemonPatience);
  if (!answer) {
    std::fprintf(stderr, "gluster-sync: no daemon answers on %s: is `gluster-sync run` running?\n",
                 setting.socket.c_str());
    return kNoDaemon;
  }
  const Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object()) return fail("the daemon's answer is not understood");
  if (setting.json) {
    std::printf("%s\n", answer->c_str());
  } else {
    std::fputs(text_in(json, "text").c_str(), stdout);
  }
  const auto alarm = json.find("alarm");
  return alarm != json.end() && *alarm == false ? 0 : 1;
}

int run_heal(const Setting& setting, const std::string& volume) {
  bool good = true;
  bool found = false;
  for (const VolumeConfig& one : setting.config.volumes) {
    if (!volume.empty() && one.name != volume) continue;
    found = true;
    good = heal(one.name) && good;
  }
  if (!found) return fail(volume.empty() ? "there is no volume" : "unknown volume: " + volume);
  return good ? 0 : 1;
}

int check_volumes(const Setting& setting) {
  for (const VolumeConfig& volume : setting.config.volumes) {
    const auto info = gluster({"volume", "info", volume.name, "--xml"});
    const auto replicas = parse_replicas(info.value_or(std::string{}));
    if (!replicas || *replicas != Replicas{2, 0}) continue;
    std::fprintf(
        stderr,
        "warning: volume %s has two replicas and no arbiter: with a quorum the loss of one "
        "machine makes it read-only, without one the two can diverge; add an arbiter\n",
        volume.name.c_str());
  }
  return 0;
}

int run_remount(const Setting& setting, const std::string& mount) {
  for (const VolumeConfig& one : setting.config.volumes) {
    if (one.mount != mount) continue;
    const auto done = remount(one);
    if (!done) return fail(done.error().message());
    std::printf("%s: %s is mounted\n", mount.c_str(), one.name.c_str());
    return 0;
  }
  return fail("no volume of the configuration is mounted at " + mount);
}

int run_probe(const Setting& setting, const std::string& mount) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    const std::string line = to_json(take_glance(setting.config, mount));
    if (std::printf("%s\n", line.c_str()) < 0 || std::fflush(stdout) != 0) return 1;
    std::this_thread::sleep_for(kGlancePeriod);
  }
}

}  // namespace ha::sync
