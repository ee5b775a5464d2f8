#include "sync/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "vrrpd/settings/choice.hpp"
#include "vrrpd/settings/section.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::sync {
namespace {

using config::Choice;
using config::Diagnostics;
using config::Node;
using config::Parsed;
using config::Position;
using config::Read;
using config::Section;
using namespace std::chrono_literals;

constexpr std::string_view kKnown[] = {"vrrpd", "volumes", "teams", "sync", "recover", "http"};
constexpr std::string_view kVolumeKnown[] = {"name", "server", "mount", "remount"};
constexpr std::string_view kTeamKnown[] = {"name",   "environments", "source",  "target",
                                           "writer", "standby",      "exclude", "hooks"};
constexpr std::string_view kHookKnown[] = {"before_recover", "after_recover", "before_switch",
                                           "after_switch"};
constexpr std::string_view kWriterKnown[] = {"instance"};
constexpr std::string_view kSyncKnown[] = {"interval", "watch", "settle", "alert_after"};
constexpr std::string_view kRecoverKnown[] = {"keep_backups"};
constexpr std::string_view kHttpKnown[] = {"listen"};

constexpr std::array<Choice<WriterRule>, 2> kWriterChoices{
    {{"always", WriterRule::kAlways}, {"manual", WriterRule::kManual}}};
constexpr std::array<Choice<Standby>, 2> kStandbyChoices{
    {{"warm", Standby::kWarm}, {"cold", Standby::kCold}}};

constexpr std::size_t kNameSizeBytesMax = 64;
constexpr std::size_t kPathSizeBytesMax = 1024;
constexpr std::size_t kPatternSizeBytesMax = 256;
constexpr std::size_t kVolumesMax = 64;
constexpr std::size_t kTeamsMax = 256;
constexpr std::size_t kEnvironmentsMax = 16;
constexpr std::size_t kPatternsMax = 256;
constexpr std::size_t kWordsMax = 64;

[[nodiscard]] tl::unexpected<std::string> refuse(std::string reason) {
  return tl::make_unexpected(std::move(reason));
}

/// A name that is a part of a path, a metric and a log line.
[[nodiscard]] Parsed<std::string> parse_name(std::string_view text) {
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (!fits || text.empty() || text.size() > kNameSizeBytesMax || text.front() == '.' ||
      text.front() == '-') {
    return refuse("is not a name: 1-64 letters, digits and '-_.', starting with a letter or digit");
  }
  return std::string{text};
}

/// An absolute path without "//", "/./", "/../" and a slash at its end.
[[nodiscard]] Parsed<std::string> parse_path(std::string_view text) {
  if (text.empty() || text.front() != '/' || text.size() > kPathSizeBytesMax) {
    return refuse("is not an absolute path of at most 1024 bytes");
  }
  std::string path = std::filesystem::path{text}.lexically_normal().string();
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path == "/") return refuse("is the root directory");
  return path;
}

[[nodiscard]] Parsed<std::string> parse_text(std::string_view text, std::size_t size_bytes_max) {
  if (text.empty() || text.size() > size_bytes_max) {
    return refuse(fmt::format("is not 1-{} bytes", size_bytes_max));
  }
  return std::string{text};
}

[[nodiscard]] Parsed<std::optional<ListenConfig>> parse_listen(std::string_view text) {
  if (text == "off") return std::optional<ListenConfig>{};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse("is neither ADDRESS:PORT nor off");
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto address = config::parse_address(host);
  const auto port = config::parse_integer(text.substr(colon + 1), {1, 65535});
  if (!address || !port) return refuse("is neither ADDRESS:PORT nor off");
  return std::optional<ListenConfig>{
      ListenConfig{address->to_string(), static_cast<std::uint16_t>(*port)}};
}

/// Reads a list of scalars with `parse`; those that are refused are left out.
template <class Parse>
[[nodiscard]] std::vector<std::string> read_list(const Section& section, std::string_view key,
                                                 std::size_t items_max, Diagnostics& diagnostics,
                                                 Parse parse) {
  std::vector<std::string> values;
  const Node* list = section.find(key);
  if (list == nullptr || !config::is_list(*list, key, items_max, diagnostics)) return values;
  for (const Node& item : list->items) {
    if (auto value = config::read_scalar(item, key, diagnostics, parse))
      values.push_back(std::move(*value));
  }
  return values;
}

/// One team while its section is being read.
struct Team {
  Mirror common;  ///< without env; source and target with their placeholders
  std::vector<std::string> environments;
  Position source;
  Position target;
};

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

[[nodiscard]] Hooks read_hooks(const Node& value, Diagnostics& diagnostics) {
  Hooks hooks;
  const auto section = Section::open(value, "hooks", kHookKnown, diagnostics);
  if (!section) return hooks;
  const auto word = [](std::string_view text) { return parse_text(text, kPathSizeBytesMax); };
  const std::pair<std::string_view, std::vector<std::string>*> all[] = {
      {"before_recover", &hooks.before_recover},
      {"after_recover", &hooks.after_recover},
      {"before_switch", &hooks.before_switch},
      {"after_switch", &hooks.after_switch}};
  for (const auto& [key, into] : all) {
    *into = read_list(*section, key, kWordsMax, diagnostics, word);
    if (!into->empty() && into->front().front() != '/') {
      diagnostics.error(section->position_of(key),
                        fmt::format("{} has to start with the absolute path of a program", key));
    }
  }
  return hooks;
}

void read_writer(const Section& section, Mirror& into, Diagnostics& diagnostics) {
  const Node* value = section.require("writer");
  if (value == nullptr) return;
  if (value->kind == Node::Kind::kMap) {
    into.writer = WriterRule::kInstance;
    const auto map = Section::open(*value, "writer", kWriterKnown, diagnostics);
    if (map && map->require("instance") != nullptr) {
      map->read("instance", into.instance,
                [](std::string_view text) { return config::parse_word(text, kNameSizeBytesMax); });
    }
    return;
  }
  section.read("writer", into.writer, [](std::string_view text) -> Parsed<WriterRule> {
    if (auto rule = config::parse_choice(text, kWriterChoices)) return *rule;
    return refuse("is neither {instance: NAME}, always nor manual");
  });
}

/// Reads `source` or `target`.
void read_template(const Section& section, std::string_view key, std::size_t environments,
                   std::string& into) {
  if (section.require(key) == nullptr) return;
  section.read(key, into, [&](std::string_view text) -> Parsed<std::string> {
    std::string rest{text};
    replace_all(rest, "{team}", "");
    replace_all(rest, "{env}", "");
    if (rest.find_first_of("{}") != std::string::npos)
      return refuse("has a placeholder other than {team} and {env}");
    if (environments > 1 && text.find("{env}") == std::string_view::npos)
      return refuse("is the same for all environments: put {env} into it");
    return parse_path(text);
  });
}

[[nodiscard]] std::optional<Team> read_team(const Node& value, Diagnostics& diagnostics) {
  const auto section = Section::open(value, "a team", kTeamKnown, diagnostics);
  if (!section) return std::nullopt;
  Team team;
  if (section->require("name") != nullptr) section->read("name", team.common.team, parse_name);
  if (section->require("environments") != nullptr) {
    team.environments =
        read_list(*section, "environments", kEnvironmentsMax, diagnostics, parse_name);
    const std::set<std::string> distinct{team.environments.begin(), team.environments.end()};
    if (distinct.size() != team.environments.size()) {
      diagnostics.error(section->position_of("environments"),
                        "environments has a name that is there twice");
    }
  }
  read_template(*section, "source", team.environments.size(), team.common.source);
  read_template(*section, "target", team.environments.size(), team.common.target);
  team.source = section->position_of("source");
  team.target = section->position_of("target");
  read_writer(*section, team.common, diagnostics);
  section->read("standby", team.common.standby,
                [](std::string_view text) { return config::parse_choice(text, kStandbyChoices); });
  team.common.exclude =
      read_list(*section, "exclude", kPatternsMax, diagnostics,
                [](std::string_view text) { return parse_text(text, kPatternSizeBytesMax); });
  if (const Node* hooks = section->find("hooks"))
    team.common.hooks = read_hooks(*hooks, diagnostics);
  return team;
}

/// A mirror and where its paths stand.
struct Placed {
  Mirror mirror;
  Position source;
  Position target;
};

void expand(const Team& team, std::vector<Placed>& into) {
  if (team.common.source.empty() || team.common.target.empty()) return;
  for (const std::string& env : team.environments) {
    Placed placed{team.common, team.source, team.target};
    placed.mirror.env = env;
    for (std::string* path : {&placed.mirror.source, &placed.mirror.target}) {
      replace_all(*path, "{team}", team.common.team);
      replace_all(*path, "{env}", env);
    }
    into.push_back(std::move(placed));
  }
}

/// Every target is written by one mirror and holds nothing that is copied: no two paths may share
/// anything, except that two mirrors may not even have the same source.
void check_overlaps(const std::vector<Placed>& all, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Mirror& one = all[i].mirror;
    for (std::size_t j = 0; j <= i; ++j) {
      const Mirror& other = all[j].mirror;
      if (overlap(one.target, other.source)) {
        diagnostics.error(all[i].target,
                          fmt::format("target '{}' of {} overlaps source '{}' of {}", one.target,
                                      one.name(), other.source, other.name()));
      }
      if (i == j) continue;
      if (overlap(one.source, other.target)) {
        diagnostics.error(all[i].source,
                          fmt::format("source '{}' of {} overlaps target '{}' of {}", one.source,
                                      one.name(), other.target, other.name()));
      }
      if (overlap(one.target, other.target)) {
        diagnostics.error(all[i].target,
                          fmt::format("target '{}' of {} overlaps target '{}' of {}", one.target,
                                      one.name(), other.target, other.name()));
      }
      if (overlap(one.source, other.source)) {
        diagnostics.error(all[i].source,
                          fmt::format("source '{}' of {} overlaps source '{}' of {}", one.source,
                                      one.name(), other.source, other.name()));
      }
    }
  }
}

void check_mounts(const std::vector<Placed>& all, const std::vector<VolumeConfig>& volumes,
                  Diagnostics& diagnostics) {
  for (const Placed& placed : all) {
    const bool below_one = std::any_of(
        volumes.begin(), volumes.end(),
        [&](const VolumeConfig& volume) { return is_within(placed.mirror.target, volume.mount); });
    if (!below_one) {
      diagnostics.error(placed.target,
                        fmt::format("target '{}' is not below the mount of any volume in "
                                    "'volumes' (--allow-local accepts it)",
                                    placed.mirror.target));
    }
  }
}

[[nodiscard]] std::vector<VolumeConfig> read_volumes(const Node& list, Diagnostics& diagnostics) {
  std::vector<VolumeConfig> volumes;
  if (!config::is_list(list, "volumes", kVolumesMax, diagnostics)) return volumes;
  for (const Node& item : list.items) {
    const auto section = Section::open(item, "a volume", kVolumeKnown, diagnostics);
    if (!section) continue;
    VolumeConfig volume;
    volume.server = "localhost";
    if (section->require("name") != nullptr) section->read("name", volume.name, parse_name);
    section->read("server", volume.server, [](std::string_view text) {
      return config::parse_word(text, kNameSizeBytesMax);
    });
    if (section->require("mount") != nullptr) section->read("mount", volume.mount, parse_path);
    section->boolean("remount", volume.remount);
    for (const VolumeConfig& other : volumes) {
      if (!volume.mount.empty() && other.mount == volume.mount) {
        diagnostics.error(section->position_of("mount"),
                          fmt::format("mount '{}' is that of another volume", volume.mount));
      }
    }
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

[[nodiscard]] std::vector<Placed> read_teams(const Node& list, Diagnostics& diagnostics) {
  std::vector<Placed> all;
  if (!config::is_list(list, "teams", kTeamsMax, diagnostics)) return all;
  std::set<std::string> names;
  for (const Node& item : list.items) {
    const auto team = read_team(item, diagnostics);
    if (!team) continue;
    if (!team->common.team.empty() && !names.insert(team->common.team).second) {
      diagnostics.error(item.position,
                        fmt::format("team '{}' is there already", team->common.team));
    }
    expand(*team, all);
  }
  return all;
}

void read_sync(const Node& value, Config& into, Diagnostics& diagnostics) {
  const auto section = Section::open(value, "sync", kSyncKnown, diagnostics);
  if (!section) return;
  section->duration("interval", into.interval, {1s, 24h});
  section->boolean("watch", into.watch);
  section->duration("settle", into.settle, {10ms, 1h});
  section->duration("alert_after", into.alert_after, {1s, 24h});
  if (into.alert_after <= into.interval) {
    diagnostics.warning(
        section->position_of("alert_after"),
        fmt::format("alert_after {} is not longer than interval {}: every pass "
                    "will be late",
                    config::to_text(into.alert_after), config::to_text(into.interval)));
  }
}

[[nodiscard]] Config read_config(const Node& root, Locality locality, Diagnostics& diagnostics) {
  Config config;
  const auto section = Section::open(root, "the file", kKnown, diagnostics);
  if (!section) return config;
  section->read("vrrpd", config.vrrpd, config::parse_socket_path);
  if (const Node* list = section->find("volumes"))
    config.volumes = read_volumes(*list, diagnostics);
  if (const Node* list = section->require("teams")) {
    std::vector<Placed> all = read_teams(*list, diagnostics);
    check_overlaps(all, diagnostics);
    if (locality == Locality::kGlusterOnly) check_mounts(all, config.volumes, diagnostics);
    for (Placed& placed : all) config.mirrors.push_back(std::move(placed.mirror));
  }
  if (const Node* value = section->find("sync")) read_sync(*value, config, diagnostics);
  if (const Node* value = section->find("recover")) {
    const auto recover = Section::open(*value, "recover", kRecoverKnown, diagnostics);
    if (recover) recover->integer("keep_backups", config.keep_backups, {1, 100});
  }
  if (const Node* value = section->find("http")) {
    const auto http = Section::open(*value, "http", kHttpKnown, diagnostics);
    if (http) http->read("listen", config.http, parse_listen);
  }
  return config;
}

}  // namespace

bool is_within(std::string_view path, std::string_view directory) {
  return path.substr(0, directory.size()) == directory &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool overlap(std::string_view a, std::string_view b) { return is_within(a, b) || is_within(b, a); }

Loaded load(std::string_view text, std::string_view file, Locality locality) {
  Diagnostics diagnostics{file};
  Loaded loaded;
  if (const auto root = config::parse(text, diagnostics)) {
    Config config = read_config(*root, locality, diagnostics);
    if (!diagnostics.has_errors()) loaded.config = std::move(config);
  }
  loaded.diagnostics = diagnostics.in_file_order();
  return loaded;
}

Loaded load_file(const std::filesystem::path& path, Locality locality) {
  const auto content = config::read_text(path);
  if (content) return load(*content, path.string(), locality);
  Diagnostics diagnostics{path.string()};
  diagnostics.error({}, content.error().message());
  return {std::nullopt, diagnostics.in_file_order()};
}

}  // namespace ha::sync
