#include "vrrpd/config/schema_instances.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/draft.hpp"
#include "vrrpd/config/schema_notify.hpp"
#include "vrrpd/config/schema_static.hpp"
#include "vrrpd/config/virtual_mac.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kKnown[] = {
    "name",           "interface",       "vrid",
    "version",        "priority",        "advertisement_interval",
    "preempt",        "preempt_delay",   "addresses",
    "source_address", "multicast_group", "unicast_peers",
    "minimum_ttl",    "authentication",  "checksum",
    "gratuitous_arp", "lease",           "track",
    "notify",         "watch_link",      "answer_lesser",
    "answer_better",  "routes",          "rules",
    "accept",         "virtual_mac"};
constexpr std::string_view kAuthenticationKnown[] = {"type", "password"};
constexpr std::string_view kGratuitousArpKnown[] = {
    "repeat",          "second_burst_delay", "refresh", "refresh_repeat",
    "conflict_repeat", "conflict_delay",     "spacing", "form"};

constexpr std::size_t kInstancesMax = 4096;
constexpr std::size_t kNameSizeBytesMax = 64;
constexpr std::size_t kPasswordSizeBytesMax = 8;  // RFC 2338 section 5.3.10
constexpr DurationRange kPreemptDelayRange{0s, 1h};
constexpr DurationRange kLeaseRange{1s, 1h};
constexpr DurationRange kSecondBurstDelayRange{0s, 1h};
constexpr DurationRange kConflictDelayRange{0s, 1h};
// A slower machine would never be through with many addresses before the next burst.
constexpr DurationRange kSpacingRange{0s, 1s};
// More often than once a second would be a flood of announcements.
constexpr DurationRange kRefreshRange{1s, 24h, true};

void read_identity(const Section& section, Draft& draft) {
  if (const Node* name = section.require("name")) {
    const Read read = section.read("name", draft.config.name, [](std::string_view text) {
      return parse_word(text, kNameSizeBytesMax);
    });
    if (read == Read::kValid) draft.name = name->position;
  }
  draft.interface_is_known =
      section.read("interface", draft.config.interface, parse_interface) != Read::kRefused;
  if (const Node* vrid = section.require("vrid")) {
    int value = 0;
    if (section.integer("vrid", value, {1, 255}) == Read::kValid) {
      draft.config.vrid = Vrid{static_cast<std::uint8_t>(value)};
      draft.vrid = vrid->position;
    }
  }
}

void read_version(const Section& section, Draft& draft) {
  int version = 3;
  const Read read = section.read("version", version, [](std::string_view text) -> Parsed<int> {
    if (text == "2" || text == "3") return text == "2" ? 2 : 3;
    return tl::make_unexpected("is not 2 or 3");
  });
  if (read != Read::kRefused) draft.version = version == 2 ? Version::k2 : Version::k3;
  draft.config.router.version = draft.version.value_or(Version::k3);
}

void read_election(const Section& section, Draft& draft) {
  vrrp::RouterConfig& router = draft.config.router;
  int priority = router.priority.value();
  section.integer("priority", priority, {1, 255});
  router.priority = Priority{static_cast<std::uint8_t>(priority)};
  section.read("advertisement_interval", router.advertisement_interval, [&](std::string_view text) {
    return draft.version ? parse_advertisement_interval(text, *draft.version)
                         : parse_duration(text);
  });
  section.read("preempt", router.preempt,
               [](std::string_view text) { return parse_choice(text, kPreemptChoices); });
  section.duration("preempt_delay", router.preempt_delay, kPreemptDelayRange);
  section.boolean("answer_lesser", router.answers_lesser);
  section.boolean("answer_better", router.answers_better);
  section.boolean("watch_link", draft.config.watches_link);
}

/// The packet filter tells link-local addresses apart by the interface that they are on.
void read_accept(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  vrrp::InstanceConfig& config = draft.config;
  section.boolean("accept", config.accepts);
  if (config.accepts) return;
  if (config.router.priority == kPriorityOwner) {
    diagnostics.warning(section.position_of("accept"),
                        "accept: false has no effect with priority 255: an address owner accepts "
                        "(RFC 9568 section 6.1)");
  }
  const auto is_nowhere = [](const vrrp::VirtualAddress& address) {
    return address.interface.empty() && is_link_local(address.prefix.address);
  };
  if (config.interface.empty() &&
      std::any_of(config.addresses.begin(), config.addresses.end(), is_nowhere)) {
    diagnostics.error(section.position_of("accept"),
                      "accept: false for a link-local address needs 'interface'");
  }
}

/// The password appears in no message.
void read_password(const Node& value, Draft& draft, Diagnostics& diagnostics) {
  const std::string* text = scalar_of(value, "password", diagnostics);
  if (text == nullptr) return;
  if (text->empty() || text->size() > kPasswordSizeBytesMax) {
    diagnostics.error(value.position, fmt::format("password has {} bytes, not 1-{}", text->size(),
                                                  kPasswordSizeBytesMax));
    return;
  }
  draft.config.password = *text;
}

void read_authentication(const Section& instance, Draft& draft, Diagnostics& diagnostics) {
  const Node* value = instance.find("authentication");
  if (value == nullptr) return;
  if (draft.version == Version::k3) {
    diagnostics.error(value->position,
                      "authentication needs version 2; version 3 has none (RFC 9568 section 9)");
  }
  const auto section = Section::open(*value, "authentication", kAuthenticationKnown, diagnostics);
  if (!section) return;
  std::string type;
  if (section->require("type") != nullptr) {
    section->read("type", type, [](std::string_view text) -> Parsed<std::string> {
      if (text == "pass") return std::string{text};
      return tl::make_unexpected("is not pass");
    });
  }
  if (const Node* password = section->require("password"))
    read_password(*password, draft, diagnostics);
}

void read_checksum(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  vrrp::ChecksumPolicy& policy = draft.config.checksum;
  section.read("checksum", policy,
               [](std::string_view text) { return parse_choice(text, kChecksumChoices); });
  const bool has_one_form = draft.version == Version::k2 || draft.family == Family::kIpv6;
  if (policy != vrrp::ChecksumPolicy::kAuto && has_one_form) {
    diagnostics.error(section.position_of("checksum"),
                      fmt::format("checksum {} is for version 3 over IPv4 only",
                                  word_of(policy, kChecksumChoices)));
  }
}

void read_gratuitous_arp(const Section& instance, Draft& draft, Diagnostics& diagnostics) {
  const Node* value = instance.find("gratuitous_arp");
  if (value == nullptr) return;
  const auto section = Section::open(*value, "gratuitous_arp", kGratuitousArpKnown, diagnostics);
  if (!section) return;
  vrrp::AnnouncementSchedule& schedule = draft.config.router.announcements;
  int repeat = static_cast<int>(schedule.repeat);
  section->integer("repeat", repeat, {0, 255});
  schedule.repeat = static_cast<std::uint32_t>(repeat);
  section->duration("second_burst_delay", schedule.second_burst_delay, kSecondBurstDelayRange);
  section->duration("refresh", schedule.refresh, kRefreshRange);
  int refresh_repeat = static_cast<int>(schedule.refresh_repeat);
  section->integer("refresh_repeat", refresh_repeat, {1, 255});
  schedule.refresh_repeat = static_cast<std::uint32_t>(refresh_repeat);
  int conflict_repeat = static_cast<int>(schedule.conflict_repeat);
  section->integer("conflict_repeat", conflict_repeat, {0, 255});
  schedule.conflict_repeat = static_cast<std::uint32_t>(conflict_repeat);
  section->read("conflict_delay", schedule.conflict_delay,
                [](std::string_view text) -> Parsed<std::optional<Duration>> {
                  if (text == "auto") return std::optional<Duration>{};
                  const auto delay = parse_duration(text, kConflictDelayRange);
                  if (!delay) return tl::make_unexpected(delay.error() + " or auto");
                  return *delay;
                });
  section->duration("spacing", draft.config.announcement_spacing, kSpacingRange);
  vrrp::ArpForm& form = draft.config.gratuitous_arp_form;
  section->read("form", form,
                [](std::string_view text) { return parse_choice(text, kArpFormChoices); });
  if (form != vrrp::ArpForm::kRequest && draft.family == Family::kIpv6) {
    diagnostics.error(section->position_of("form"),
                      fmt::format("form {} is for IPv4 only", word_of(form, kArpFormChoices)));
  }
}

/// The kernel counts in whole seconds. A lease is renewed with an advertisement, and one that is
/// too short would end between two of them.
void read_lease(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  const Duration shortest = 3 * draft.config.router.advertisement_interval;
  const Duration automatic = std::chrono::ceil<std::chrono::seconds>(shortest);
  std::optional<Duration>& lease = draft.config.lease;
  lease = automatic;
  const auto parse = [&](std::string_view text) -> Parsed<std::optional<Duration>> {
    if (text == "auto") return automatic;
    if (text == "off") return std::optional<Duration>{};
    const auto duration = parse_duration(text, kLeaseRange);
    if (!duration) return tl::make_unexpected(duration.error() + ", auto or off");
    if (*duration % 1s != 0s) return tl::make_unexpected("is not whole seconds");
    return *duration;
  };
  if (section.read("lease", lease, parse) == Read::kValid && lease && *lease < shortest) {
    diagnostics.error(section.position_of("lease"),
                      fmt::format("lease {} is shorter than 3 advertisement intervals ({})",
                                  to_text(*lease), to_text(shortest)));
  }
}

/// The order matters: later parts are checked against earlier ones.
[[nodiscard]] Draft read_instance(const Node& item, Instances& instances,
                                  Diagnostics& diagnostics) {
  Draft draft;
  draft.position = item.position;
  const auto section = Section::open(item, "instance", kKnown, diagnostics);
  if (!section) return draft;
  read_identity(*section, draft);
  read_version(*section, draft);
  read_election(*section, draft);
  read_virtual_mac(*section, draft, diagnostics);
  read_addresses(*section, draft, diagnostics);
  read_accept(*section, draft, diagnostics);
  read_peers(*section, draft, diagnostics);
  settle_transmission(*section, draft, diagnostics);
  read_authentication(*section, draft, diagnostics);
  read_checksum(*section, draft, diagnostics);
  read_gratuitous_arp(*section, draft, diagnostics);
  read_lease(*section, draft, diagnostics);
  read_routing(*section, draft.config.routes, draft.config.rules, diagnostics);
  read_tracks(*section, draft, instances.tracks, diagnostics);
  if (const Node* notify = section->find("notify")) {
    draft.config.notify = read_notify(*notify, Notified::kInstance, instances.mails, diagnostics);
  }
  return draft;
}

/// "instance 'VI_1' at line 4".
[[nodiscard]] std::string designation(const Draft& draft) {
  const std::string name = draft.name ? "instance " + shown(draft.config.name) : "the instance";
  return fmt::format("{} at line {}", name, draft.position.line);
}

/// Things that belong to one instance each, by whoever claimed them first.
template <class Key>
class Claims {
 public:
  explicit Claims(Diagnostics& diagnostics) : diagnostics_{&diagnostics} {}

  /// `claimant` has to live as long as this. `what` starts the message about an earlier claim.
  void add(const Key& key, const Draft& claimant, Position position, const std::string& what) {
    const auto [earlier, is_new] = first_.emplace(key, &claimant);
    if (is_new) return;
    diagnostics_->error(
        position, fmt::format("{} is already that of {}", what, designation(*earlier->second)));
  }

 private:
  std::map<Key, const Draft*> first_;
  Diagnostics* diagnostics_;
};

/// Names, virtual routers and addresses are unique in the whole file. Instances that leave their
/// interface to be found at run time count as being on the same one.
void check_between(const std::vector<Draft>& drafts, Diagnostics& diagnostics) {
  Claims<std::string> names{diagnostics};
  Claims<std::tuple<std::string, Vrid, Family>> routers{diagnostics};
  Claims<IpAddress> addresses{diagnostics};
  for (const Draft& draft : drafts) {
    const vrrp::InstanceConfig& config = draft.config;
    if (draft.name) names.add(config.name, draft, *draft.name, "name " + shown(config.name));
    if (draft.vrid && draft.family && draft.interface_is_known) {
      const std::string where = config.interface.empty() ? "" : " on " + config.interface;
      routers.add(
          {config.interface, config.vrid, *draft.family}, draft, *draft.vrid,
          fmt::format("vrid {} over {}{}", config.vrid.value(), name_of(*draft.family), where));
    }
    for (std::size_t i = 0; i < config.addresses.size(); ++i) {
      const IpAddress& address = config.addresses[i].prefix.address;
      addresses.add(address, draft, draft.addresses[i], "address " + address.to_string());
    }
  }
}

/// An address that belongs on the instance's macvlan has no other one.
void check_own_devices(const Draft& draft, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < draft.config.addresses.size(); ++i) {
    const vrrp::VirtualAddress& address = draft.config.addresses[i];
    const bool is_named = address.device && !address.device->empty();
    if (!is_named || !draft.config.has_virtual_mac(address)) continue;
    diagnostics.error(draft.addresses[i],
                      fmt::format("address {} is on the instance's virtual_mac, not on {}",
                                  to_string(address.prefix), shown(*address.device)));
  }
}

/// Two macvlans have neither one name nor, on one interface, one MAC address.
void check_devices(const std::vector<Draft>& drafts,
                   const std::vector<vrrp::InstanceConfig>& configs, Diagnostics& diagnostics) {
  Claims<std::string> names{diagnostics};
  Claims<std::pair<std::string, MacAddress>> addresses{diagnostics};
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const Draft& draft = drafts[i];
    for (const vrrp::DeviceNeed& device : devices_of(configs[i])) {
      names.add(device.name, draft, draft.device.value_or(draft.position),
                "interface " + shown(device.name));
      addresses.add({device.parent, device.mac}, draft, draft.position,
                    "virtual MAC address " + ha::to_string(device.mac));
    }
  }
}

/// On a macvlan a label starts with its name, which is known only now.
void check_labels(const std::vector<Draft>& drafts,
                  const std::vector<vrrp::InstanceConfig>& configs, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < configs.size(); ++i) {
    for (const vrrp::VirtualAddress& address : configs[i].addresses) {
      const std::string* const device = configs[i].device_of(address);
      if (address.label.empty() || device == nullptr) continue;
      if (address.label.substr(0, address.label.find(':')) == *device) continue;
      diagnostics.error(drafts[i].position,
                        fmt::format("label {} does not start with the interface's name {}",
                                    shown(address.label), shown(*device)));
    }
  }
}

}  // namespace

Instances read_instances(const Node& value, Diagnostics& diagnostics) {
  Instances instances;
  if (!is_list(value, "instances", kInstancesMax, diagnostics)) return instances;
  std::vector<Draft> drafts;
  for (const Node& item : value.items) {
    drafts.push_back(read_instance(item, instances, diagnostics));
  }
  check_between(drafts, diagnostics);
  for (const Draft& draft : drafts) check_own_devices(draft, diagnostics);
  for (Draft& draft : drafts) {
    // RFC 9568 section 5.2.9: the first address of an advertisement is the link-local one.
    std::stable_partition(
        draft.config.addresses.begin(), draft.config.addresses.end(),
        [](const auto& address) { return is_link_local(address.prefix.address); });
    instances.configs.push_back(std::move(draft.config));
    draft.config.name = instances.configs.back().name;  // for messages
  }
  if (diagnostics.has_errors()) return instances;
  complete_virtual_macs(instances.configs);
  check_devices(drafts, instances.configs, diagnostics);
  check_labels(drafts, instances.configs, diagnostics);
  return instances;
}

}  // namespace ha::config
