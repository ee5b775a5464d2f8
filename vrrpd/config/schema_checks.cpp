#include "vrrpd/config/schema_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "vrrpd/checks/answers.hpp"
#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/schema_notify.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {
namespace {

using namespace std::chrono_literals;
using checks::CheckConfig;
using checks::FileProbe;
using checks::ProcessProbe;
using Kind = vrrp::TrackEffect::Kind;

constexpr std::string_view kKinds[] = {"process", "tcp",  "http",     "unit",
                                       "script",  "file", "interface"};
constexpr std::string_view kCommon[] = {"interval", "timeout", "fall",   "rise",
                                        "recover",  "grace",   "initial"};
constexpr std::string_view kGroupKnown[] = {"name", "instances", "notify"};

/// A key that only some kinds of checks have.
struct OwnKey {
  std::string_view key;
  std::string_view kinds;
};
constexpr OwnKey kOwnKeys[] = {
    {"at_least", "process"}, {"at_most", "process"},  {"expect", "http"},  {"host", "http"},
    {"user", "script"},      {"group", "script"},     {"present", "file"}, {"create", "file"},
    {"match", "process"},    {"arguments", "process"}};

constexpr DurationRange kIntervalRange{10ms, 2h};
constexpr DurationRange kTimeoutRange{10ms, 2h};
constexpr DurationRange kRecoverRange{0s, 24h};
constexpr DurationRange kGraceRange{0s, 24h};
constexpr IntegerRange kCountRange{1, 10'000};
constexpr IntegerRange kProcessesRange{0, 65'535};
constexpr std::size_t kChecksMax = 1000;
constexpr std::size_t kGroupsMax = 4096;
constexpr std::size_t kNameSizeBytesMax = 64;
constexpr std::size_t kProcessNameSizeBytesMax = 255;
constexpr std::size_t kArgumentsMax = 64;
constexpr std::size_t kArgumentSizeBytesMax = 255;
constexpr std::size_t kUnitSizeBytesMax = 255;
constexpr std::size_t kUrlSizeBytesMax = 2048;
constexpr std::size_t kHostSizeBytesMax = 255;

[[nodiscard]] Parsed<std::string> parse_process(std::string_view text, ProcessProbe::Match match) {
  const Parsed<std::string> name = parse_word(text, kProcessNameSizeBytesMax);
  if (name && match == ProcessProbe::Match::kAny && text.find('/') != std::string_view::npos) {
    return tl::make_unexpected(
        "is a path; with 'match: any' processes are compared by their name alone");
  }
  return name;
}

/// What follows the name on a command line. Sets `match` if nothing else did.
[[nodiscard]] bool read_process_arguments(const Section& section, ProcessProbe& probe,
                                          Diagnostics& diagnostics) {
  const Node* arguments = section.find("arguments");
  if (arguments != nullptr) probe.match = ProcessProbe::Match::kExact;
  const Read match = section.read("match", probe.match, [](std::string_view text) {
    return parse_choice(text, kMatchChoices);
  });
  if (match == Read::kRefused) return false;
  if (arguments == nullptr) return true;
  if (probe.match == ProcessProbe::Match::kAny) {
    diagnostics.error(arguments->position, "arguments have no meaning beside 'match: any'");
    return false;
  }
  if (!is_list(*arguments, "arguments", kArgumentsMax, diagnostics)) return false;
  for (const Node& item : arguments->items) {
    auto argument = read_scalar(
        item, "argument", diagnostics, [](std::string_view text) -> Parsed<std::string> {
          if (text.size() <= kArgumentSizeBytesMax) return std::string{text};
          return tl::make_unexpected(fmt::format("is longer than {} bytes", kArgumentSizeBytesMax));
        });
    if (!argument) return false;
    probe.arguments.push_back(std::move(*argument));
  }
  return true;
}

/// Instances of templates have '@', escaped paths '\'.
[[nodiscard]] Parsed<std::string> parse_unit(std::string_view text) {
  const Parsed<std::string> unit = parse_word(text, kUnitSizeBytesMax);
  if (!unit) return unit;
  if (text.front() == '-' || text.find('/') != std::string_view::npos ||
      text.find('.') == std::string_view::npos) {
    return tl::make_unexpected("is not the name of a systemd unit such as slurmctld.service");
  }
  return unit;
}

[[nodiscard]] Parsed<checks::TcpProbe> parse_tcp(std::string_view text) {
  const auto endpoint = parse_endpoint(text, std::nullopt);
  if (!endpoint) return tl::make_unexpected(endpoint.error());
  return checks::TcpProbe{endpoint->address, endpoint->port};
}

[[nodiscard]] Parsed<checks::HttpProbe> parse_http(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.substr(0, kScheme.size()) != kScheme || text.size() > kUrlSizeBytesMax ||
      !parse_word(text, kUrlSizeBytesMax)) {
    return tl::make_unexpected("is not http://ADDRESS[:PORT][/PATH] without blanks");
  }
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto endpoint = parse_endpoint(rest.substr(0, end), std::uint16_t{80});
  if (!endpoint) return tl::make_unexpected(endpoint.error());
  checks::HttpProbe probe;
  probe.address = endpoint->address;
  probe.port = endpoint->port;
  if (rest.find('#') != std::string_view::npos) {
    return tl::make_unexpected("has a '#', which is not part of a request");
  }
  if (end < rest.size()) probe.path = (rest[end] == '/' ? "" : "/") + std::string{rest.substr(end)};
  return probe;
}

/// "200" or "200-399".
[[nodiscard]] Parsed<std::pair<int, int>> parse_expect(std::string_view text) {
  const std::size_t dash = text.find('-');
  const Parsed<int> min = parse_integer(text.substr(0, dash), {100, 599});
  const Parsed<int> max =
      dash == std::string_view::npos ? min : parse_integer(text.substr(dash + 1), {100, 599});
  if (!min || !max || *min > *max) {
    return tl::make_unexpected("is not a status code or a range of them in 100-599");
  }
  return std::pair{*min, *max};
}

[[nodiscard]] std::optional<checks::Probe> read_process(const Section& section,
                                                        Diagnostics& diagnostics) {
  ProcessProbe probe;
  if (!read_process_arguments(section, probe, diagnostics)) return std::nullopt;
  const Read name = section.read("process", probe.name, [&](std::string_view text) {
    return parse_process(text, probe.match);
  });
  const Read least = section.integer("at_least", probe.at_least, kProcessesRange);
  const Read most = section.integer("at_most", probe.at_most, kProcessesRange);
  if (least == Read::kRefused || most == Read::kRefused) return std::nullopt;
  if (probe.at_most < probe.at_least) {
    diagnostics.error(
        section.position_of("at_most"),
        fmt::format("at_most {} is less than at_least, {}", probe.at_most, probe.at_least));
    return std::nullopt;
  }
  if (name != Read::kValid) return std::nullopt;
  return probe;
}

[[nodiscard]] std::optional<checks::Probe> read_http(const Section& section) {
  checks::HttpProbe probe;
  const Read url = section.read("http", probe, parse_http);
  std::pair<int, int> expect{probe.expect_min, probe.expect_max};
  const Read expected = section.read("expect", expect, parse_expect);
  const Read host = section.read("host", probe.host, [](std::string_view text) {
    return parse_word(text, kHostSizeBytesMax);
  });
  if (url != Read::kValid || expected == Read::kRefused || host == Read::kRefused) {
    return std::nullopt;
  }
  std::tie(probe.expect_min, probe.expect_max) = expect;
  return probe;
}

[[nodiscard]] std::optional<checks::Probe> read_script(const Section& section,
                                                       Diagnostics& diagnostics) {
  checks::ScriptProbe probe;
  auto arguments = read_arguments(*section.find("script"), "script", diagnostics);
  const Read identity = read_identity(section, probe.command);
  if (!arguments || identity == Read::kRefused) return std::nullopt;
  probe.command.arguments = std::move(*arguments);
  return probe;
}

/// The simple kinds: one value each.
template <class T, class Parse>
[[nodiscard]] std::optional<checks::Probe> read_plain(const Section& section, std::string_view key,
                                                      T probe, Parse parse) {
  if (section.read(key, probe, parse) != Read::kValid) return std::nullopt;
  return probe;
}

[[nodiscard]] std::optional<checks::Probe> read_file(const Section& section,
                                                     Diagnostics& diagnostics) {
  FileProbe probe;
  const Read path = section.read("file", probe.path, parse_path);
  if (section.require("present") == nullptr) return std::nullopt;
  const Read present = section.read("present", probe.present, [](std::string_view text) {
    return parse_choice(text, kPresentChoices);
  });
  if (path != Read::kValid || present != Read::kValid) return std::nullopt;
  const Read create =
      section.read("create", probe.create, [](std::string_view text) -> Parsed<std::optional<int>> {
        const bool negative = !text.empty() && text[0] == '-';
        const auto number = parse_integer(text.substr(negative ? 1 : 0), {0, checks::kNumberMax});
        if (number) return negative ? -*number : *number;
        return tl::make_unexpected(
            fmt::format("is not a whole number in -{0} to {0}", checks::kNumberMax));
      });
  if (create == Read::kRefused) return std::nullopt;
  if (create == Read::kValid && probe.present != FileProbe::Present::kNumber) {
    diagnostics.error(section.position_of("create"), "create is for 'present: number' only");
    return std::nullopt;
  }
  return probe;
}

[[nodiscard]] std::optional<checks::Probe> read_probe(const Section& section, std::string_view kind,
                                                      Diagnostics& diagnostics) {
  if (kind == "process") return read_process(section, diagnostics);
  if (kind == "tcp") return read_plain(section, kind, checks::TcpProbe{}, parse_tcp);
  if (kind == "http") return read_http(section);
  if (kind == "unit") {
    return read_plain(section, kind, checks::UnitProbe{},
                      [](std::string_view text) -> Parsed<checks::UnitProbe> {
                        auto unit = parse_unit(text);
                        if (!unit) return tl::make_unexpected(unit.error());
                        return checks::UnitProbe{*unit};
                      });
  }
  if (kind == "script") return read_script(section, diagnostics);
  if (kind == "file") return read_file(section, diagnostics);
  return read_plain(section, kind, checks::InterfaceProbe{},
                    [](std::string_view text) -> Parsed<checks::InterfaceProbe> {
                      auto name = parse_interface(text);
                      if (!name) return tl::make_unexpected(name.error());
                      return checks::InterfaceProbe{*name};
                    });
}

/// Whether a probe of this kind answers from the kernel's memory, at once.
[[nodiscard]] bool is_instant(std::string_view kind) {
  return kind == "process" || kind == "interface";
}

/// How often and how many results: what is asked over and over can fail by chance, so that one
/// failure says little; what is known for certain counts at once.
void read_counting(const Section& section, std::string_view kind, CheckConfig& check,
                   Diagnostics& diagnostics) {
  const bool is_certain = is_instant(kind) || kind == "file" || kind == "unit";
  if (is_certain) check.fall = check.rise = 1;
  section.duration("interval", check.interval, kIntervalRange);
  const Read timeout = section.duration("timeout", check.timeout, kTimeoutRange);
  if (timeout != Read::kAbsent && is_instant(kind)) {
    diagnostics.error(section.position_of("timeout"),
                      fmt::format("timeout has no meaning for '{}', which never waits", kind));
  }
  section.integer("fall", check.fall, kCountRange);
  section.integer("rise", check.rise, kCountRange);
  section.duration("recover", check.recover, kRecoverRange);
  section.duration("grace", check.grace, kGraceRange);
  section.read("initial", check.initial,
               [](std::string_view text) { return parse_choice(text, kInitialChoices); });
}

void check_own_keys(const Section& section, std::string_view kind, Diagnostics& diagnostics) {
  for (const OwnKey& own : kOwnKeys) {
    if (own.kinds == kind || section.find(own.key) == nullptr) continue;
    diagnostics.error(section.position_of(own.key),
                      fmt::format("{} is for '{}' only", own.key, own.kinds));
  }
}

[[nodiscard]] std::optional<CheckConfig> read_check(const Entry& entry, Diagnostics& diagnostics) {
  std::vector<std::string_view> known{std::begin(kKinds), std::end(kKinds)};
  known.insert(known.end(), std::begin(kCommon), std::end(kCommon));
  for (const OwnKey& own : kOwnKeys) known.push_back(own.key);
  const std::string title = "check " + shown(entry.key);
  const auto section = Section::open(entry.value, title, known, diagnostics);
  if (!section) return std::nullopt;

  std::optional<std::string_view> kind;
  for (const std::string_view candidate : kKinds) {
    if (section->find(candidate) == nullptr) continue;
    if (kind) {
      diagnostics.error(section->position_of(candidate),
                        fmt::format("{} has both '{}' and '{}'", title, *kind, candidate));
      return std::nullopt;
    }
    kind = candidate;
  }
  if (!kind) {
    diagnostics.error(entry.value.position,
                      fmt::format("{} needs one of {}", title, fmt::join(kKinds, ", ")));
    return std::nullopt;
  }
  CheckConfig check;
  check.name = entry.key;
  check_own_keys(*section, *kind, diagnostics);
  read_counting(*section, *kind, check, diagnostics);
  auto probe = read_probe(*section, *kind, diagnostics);
  if (!probe) return std::nullopt;
  check.probe = std::move(*probe);
  // One place to read the limit from, whoever runs the command.
  if (auto* script = std::get_if<checks::ScriptProbe>(&check.probe)) {
    script->command.timeout = check.timeout;
  }
  return check;
}

/// Whether a track with this effect can do something with what the check says.
[[nodiscard]] bool suits(Kind effect, const CheckConfig& check) {
  const bool takes_numbers = effect == Kind::kWeight || effect == Kind::kFault;
  return checks::gives_number(check) ? takes_numbers : effect != Kind::kWeight;
}

void check_uses(const std::map<std::string, CheckConfig>& checks, const Node* value,
                const TrackUses& uses, Diagnostics& diagnostics) {
  for (const TrackUses::Check& use : uses.checks) {
    const auto check = checks.find(use.name);
    if (check == checks.end()) {
      const bool is_refused =
          value != nullptr &&
          std::any_of(value->entries.begin(), value->entries.end(),
                      [&](const Entry& entry) { return entry.key == use.name; });
      if (!is_refused) {
        diagnostics.error(use.position,
                          fmt::format("track check {} is not among 'checks'", shown(use.name)));
      }
    } else if (!suits(use.effect, check->second)) {
      diagnostics.error(use.position,
                        fmt::format("track check {} {}", shown(use.name),
                                    use.effect == Kind::kWeight
                                        ? "gives no number that a weight could multiply"
                                        : "gives a number: give its 'weight', or 'fault'"));
    }
  }
}

/// The members of one group; `group_of` collects those of all.
[[nodiscard]] std::vector<std::string> read_members(
    const Node& value, const std::string& group, const std::vector<vrrp::InstanceConfig>& instances,
    std::map<std::string, std::string>& group_of, Diagnostics& diagnostics) {
  std::vector<std::string> members;
  if (!is_list(value, "instances", kGroupsMax, diagnostics)) return members;
  for (const Node& item : value.items) {
    const std::string* name = scalar_of(item, "instance", diagnostics);
    if (name == nullptr) continue;
    const bool is_known = std::any_of(instances.begin(), instances.end(),
                                      [&](const auto& instance) { return instance.name == *name; });
    const auto [earlier, is_new] = group_of.emplace(*name, group);
    if (!is_known) {
      diagnostics.error(item.position,
                        fmt::format("instance {} is not among 'instances'", shown(*name)));
    } else if (!is_new) {
      diagnostics.error(item.position, fmt::format("instance {} is already in group {}",
                                                   shown(*name), shown(earlier->second)));
    }
    members.push_back(*name);
  }
  return members;
}

}  // namespace

std::vector<CheckConfig> read_checks(const Node* value, const TrackUses& uses,
                                     Diagnostics& diagnostics) {
  std::map<std::string, CheckConfig> checks;
  const bool is_map = value != nullptr && value->kind == Node::Kind::kMap;
  if (value != nullptr && !is_map) {
    // Only for what it says: a section of any keys.
    (void)Section::open(*value, "checks", {}, diagnostics);
  }
  if (is_map && value->entries.size() > kChecksMax) {
    diagnostics.error(value->position, fmt::format("checks has {} entries; at most {} are accepted",
                                                   value->entries.size(), kChecksMax));
    return {};
  }
  for (const Entry& entry : is_map ? value->entries : std::vector<Entry>{}) {
    if (const auto name = parse_word(entry.key, kNameSizeBytesMax); !name) {
      diagnostics.error(entry.position, fmt::format("check {} {}", shown(entry.key), name.error()));
    }
    const bool is_used =
        std::any_of(uses.checks.begin(), uses.checks.end(),
                    [&](const TrackUses::Check& use) { return use.name == entry.key; });
    if (!is_used && uses.are_complete) {
      diagnostics.warning(
          entry.position,
          fmt::format("check {} has no effect: no instance has it in 'track'", shown(entry.key)));
    }
    if (auto check = read_check(entry, diagnostics)) checks.emplace(entry.key, std::move(*check));
  }
  check_uses(checks, is_map ? value : nullptr, uses, diagnostics);
  std::vector<CheckConfig> sorted;
  for (auto& [name, check] : checks) sorted.push_back(std::move(check));
  return sorted;
}

std::vector<vrrp::GroupConfig> read_groups(const Node& value,
                                           const std::vector<vrrp::InstanceConfig>& instances,
                                           std::vector<Position>& mails, Diagnostics& diagnostics) {
  std::vector<vrrp::GroupConfig> groups;
  if (!is_list(value, "groups", kGroupsMax, diagnostics)) return groups;
  std::map<std::string, std::string> group_of;
  std::set<std::string> names;
  for (const Node& item : value.items) {
    const auto section = Section::open(item, "group", kGroupKnown, diagnostics);
    if (!section) continue;
    vrrp::GroupConfig group;
    if (section->require("name") != nullptr) {
      const Read read = section->read("name", group.name, [](std::string_view text) {
        return parse_word(text, kNameSizeBytesMax);
      });
      if (read == Read::kValid && !names.insert(group.name).second) {
        diagnostics.error(section->position_of("name"),
                          fmt::format("name {} is already that of a group", shown(group.name)));
      }
    }
    if (const Node* members = section->require("instances")) {
      group.instances = read_members(*members, group.name, instances, group_of, diagnostics);
    }
    if (const Node* notify = section->find("notify")) {
      group.notify = read_notify(*notify, Notified::kGroup, mails, diagnostics);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace ha::config
