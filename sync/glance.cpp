#include "sync/glance.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "sync/files.hpp"
#include "sync/fuse_clients.hpp"
#include "sync/json_fields.hpp"
#include "sync/load.hpp"
#include "sync/mounts.hpp"
#include "sync/target.hpp"

namespace ha::sync {
namespace {

constexpr std::size_t kMountinfoSizeBytesMax = 16 * 1024 * 1024;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::array<std::pair<MountState, std::string_view>, 6> kNames{
    {{MountState::kUnknown, "unknown"},
     {MountState::kUsable, "usable"},
     {MountState::kNoQuorum, "no-quorum"},
     {MountState::kGone, "gone"},
     {MountState::kStale, "stale"},
     {MountState::kHanging, "hanging"}}};

/// What an error of a call on the mount means: a volume without its bricks gives the same one as a
/// mount that nobody serves.
void judge(const std::string& place, std::error_code error, Glance& glance) {
  glance.text = error.message();
  if (error.value() == ENOTCONN && !fuse_clients_of(place).empty()) {
    glance.state = MountState::kNoQuorum;
    glance.text = "too few bricks can be reached: " + glance.text;
  } else {
    glance.state = MountState::kStale;
  }
}

void look_at_mount(const std::string& place, Glance& glance) {
  const auto text = read_file("/proc/self/mountinfo", kMountinfoSizeBytesMax);
  if (!text) {
    glance.text = text.error().message();
    return;
  }
  const auto mount = mount_of(place, parse_mountinfo(*text));
  if (!mount || mount->type != kGlusterType || mount->point != place) {
    glance.state = MountState::kGone;
    glance.text = "no GlusterFS volume is mounted there";
    return;
  }
  const auto bricks = read_bricks(place);
  if (!bricks) return judge(place, bricks.error().code, glance);
  glance.bricks = *bricks;
  glance.text = why_not_writable(*bricks);
  glance.state = glance.text.empty() ? MountState::kUsable : MountState::kNoQuorum;
  struct statvfs found {};
  if (glance.state == MountState::kUsable && statvfs(place.c_str(), &found) != 0) {
    judge(place, {errno, std::system_category()}, glance);
  }
}

[[nodiscard]] std::optional<TargetGlance> look_at_target(const Mirror& mirror) {
  const Target target{mirror.target};
  const auto head = target.read_head();
  const auto pulse = target.read_pulse();
  if (!head || !pulse) return std::nullopt;
  TargetGlance glance;
  glance.mirror = mirror.name();
  if (*head) {
    glance.version = (*head)->version;
    glance.scanned = (*head)->scanned;
    glance.took_ms = std::max<std::int64_t>(((*head)->committed - (*head)->scanned) / kNsPerMs, 0);
  }
  if (*pulse && (*pulse)->version == glance.version) {
    glance.pulse = (*pulse)->count;
    glance.pulse_scanned = (*pulse)->scanned;
    glance.pulse_took_ms = std::max<std::int64_t>((*pulse)->took_ms, 0);
  }
  return glance;
}

}  // namespace

std::string_view name_of(MountState state) {
  for (const auto& [one, name] : kNames) {
    if (one == state) return name;
  }
  return "unknown";
}

std::string place_of(const Config& config, const Mirror& mirror) {
  std::string best;
  for (const VolumeConfig& volume : config.volumes) {
    if (is_within(mirror.target, volume.mount) && volume.mount.size() > best.size()) {
      best = volume.mount;
    }
  }
  return best;
}

std::vector<std::string> places_of(const Config& config) {
  std::vector<std::string> places;
  for (const VolumeConfig& volume : config.volumes) places.push_back(volume.mount);
  const bool elsewhere =
      std::any_of(config.mirrors.begin(), config.mirrors.end(),
                  [&](const Mirror& mirror) { return place_of(config, mirror).empty(); });
  if (elsewhere) places.emplace_back();
  return places;
}

Glance take_glance(const Config& config, const std::string& place) {
  Glance glance;
  if (place.empty()) {
    glance.state = MountState::kUsable;
  } else {
    look_at_mount(place, glance);
  }
  if (glance.state != MountState::kUsable) return glance;
  for (const Mirror& mirror : config.mirrors) {
    if (place_of(config, mirror) != place) continue;
    if (auto target = look_at_target(mirror)) glance.targets.push_back(std::move(*target));
  }
  return glance;
}

std::string to_json(const Glance& glance) {
  Json json{{"state", name_of(glance.state)},
            {"text", glance.text},
            {"bricks", glance.bricks.bricks},
            {"connected", glance.bricks.connected}};
  if (glance.bricks.quorum) json["quorum"] = *glance.bricks.quorum;
  json["targets"] = Json::array();
  for (const TargetGlance& target : glance.targets) {
    json["targets"].push_back({{"mirror", target.mirror},
                               {"generation", target.version.generation},
                               {"epoch", target.version.epoch},
                               {"scanned", target.scanned},
                               {"took-ms", target.took_ms},
                               {"pulse", target.pulse},
                               {"pulse-scanned", target.pulse_scanned},
                               {"pulse-took-ms", target.pulse_took_ms}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

tl::expected<Glance, std::string> parse_glance(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return tl::make_unexpected(std::string{"is no JSON object"});
  Glance glance;
  const std::string state = text_in(json, "state");
  const auto* const known = std::find_if(kNames.begin(), kNames.end(),
                                         [&](const auto& one) { return one.second == state; });
  if (known == kNames.end()) return tl::make_unexpected(std::string{"has no known state"});
  glance.state = known->first;
  glance.text = text_in(json, "text");
  glance.bricks.bricks = number_in<std::uint32_t>(json, "bricks");
  glance.bricks.connected = number_in<std::uint32_t>(json, "connected");
  if (const auto quorum = json.find("quorum"); quorum != json.end() && quorum->is_boolean()) {
    glance.bricks.quorum = quorum->get<bool>();
  }
  const auto targets = json.find("targets");
  if (targets == json.end() || !targets->is_array()) return glance;
  for (const Json& one : *targets) {
    if (!one.is_object()) continue;
    TargetGlance target;
    target.mirror = text_in(one, "mirror");
    target.version = {number_in<std::uint64_t>(one, "generation"),
                      number_in<std::uint64_t>(one, "epoch")};
    target.scanned = number_in<WallTime>(one, "scanned");
    target.took_ms = number_in<std::int64_t>(one, "took-ms");
    target.pulse = number_in<std::uint64_t>(one, "pulse");
    target.pulse_scanned = number_in<WallTime>(one, "pulse-scanned");
    target.pulse_took_ms = number_in<std::int64_t>(one, "pulse-took-ms");
    glance.targets.push_back(std::move(target));
  }
  return glance;
}

}  // namespace ha::sync
