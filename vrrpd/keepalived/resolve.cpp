#include "vrrpd/keepalived/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "vrrpd/keepalived/sections.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;
using vrrp::InstanceConfig;
using vrrp::TrackEffect;

constexpr int kPriorityDefault = 100;
constexpr int kPriorityMax = 255;
constexpr const char* kScriptAccount = "keepalived_script";

/// Its own setting, else that of global_defs, else the default.
template <class T>
[[nodiscard]] T chosen(const std::optional<T>& own, const std::optional<T>& shared, T fallback) {
  return own ? *own : shared.value_or(fallback);
}

[[nodiscard]] TrackEffect effect_of(Tracked::Kind kind, int weight, bool is_reversed) {
  using Kind = TrackEffect::Kind;
  if (kind == Tracked::Kind::kFile && weight != 0) {
    return {Kind::kWeight, is_reversed ? -weight : weight, false};
  }
  if (weight == 0) return {Kind::kFault, 0, is_reversed};
  // A positive weight is added while all is well, a negative one while it is not.
  const bool when_healthy = weight > 0;
  const bool raises = when_healthy != is_reversed;
  return {raises ? Kind::kPromote : Kind::kDemote, std::abs(weight), when_healthy};
}

class Resolver {
 public:
  Resolver(Draft draft, Reading& reading) : draft_{std::move(draft)}, reading_{reading} {}

  [[nodiscard]] Resolved run() {
    resolved_.config.node = reading_.machine.host_name();
    for (SyncGroup& group : draft_.groups) settle_members(group);
    for (Instance& instance : draft_.instances) add_instance(instance);
    settle_devices();
    for (SyncGroup& group : draft_.groups) add_group(group);
    for (std::size_t i = 0; i < draft_.trackers.size(); ++i) add_check(i);
    sort_checks();
    add_fifo();
    add_mail();
    resolved_.config.startup_delay = draft_.globals.startup_delay;
    resolved_.config.fixed = std::move(draft_.fixed);
    for (vrrp::VirtualAddress& address : resolved_.config.fixed.addresses) {
      if (address.interface.empty()) address.interface = draft_.globals.default_interface;
    }
    return std::move(resolved_);
  }

 private:
  Report& report() { return reading_.report; }

  /// As what a command runs that names nobody.
  [[nodiscard]] Identity default_identity(const char* otherwise) const {
    if (draft_.globals.script_user) return *draft_.globals.script_user;
    if (reading_.machine.has_account(kScriptAccount)) return {kScriptAccount, ""};
    return {otherwise, ""};
  }

  void identify(Rare<Command>& command, Place place) {
    if (!command) return;
    if (command->user.empty()) {
      const Identity identity = default_identity("");
      command->user = identity.user;
      command->group = identity.group;
    }
    check_trust(*command, place);
  }

  void identify(vrrp::NotifyConfig& notify, Place place) {
    identify(notify.master, place);
    identify(notify.backup, place);
    identify(notify.fault, place);
    identify(notify.stop, place);
    identify(notify.any, place);
    identify(notify.lower_priority, place);
    identify(notify.deleted, place);
  }

  void check_trust(const Command& command, Place place) {
    const std::string why = reading_.machine.why_untrusted(command.arguments.front(), command.user);
    if (why.empty()) return;
    report().warning(place, fmt::format("{} will not be run: {}; keepalived runs it unless "
                                        "enable_script_security is set",
                                        shown(command.arguments.front()), why));
  }

  // ---- instances ----

  void add_instance(Instance& instance) {
    settle_addresses(instance, draft_.globals.default_interface, reading_);
    const auto advertised =
        std::find_if(instance.addresses.begin(), instance.addresses.end(),
                     [](const vrrp::VirtualAddress& address) { return address.advertise; });
    if (advertised == instance.addresses.end()) {
      report().error(instance.place,
                     fmt::format("instance {} has no address to advertise", shown(instance.name)));
      return;
    }
    if (!instance.vrid) {
      report().error(instance.place,
                     fmt::format("instance {} has no virtual_router_id", shown(instance.name)));
      return;
    }
    const Family family = family_of(advertised->prefix.address);
    InstanceConfig config;
    config.name = instance.name;
    config.interface =
        instance.interface.empty() ? draft_.globals.default_interface : instance.interface;
    config.vrid = Vrid{static_cast<std::uint8_t>(*instance.vrid)};
    config.router.version = version_of(instance, family);
    config.router.advertisement_interval = interval_of(instance, config.router.version);
    config.lease =
        std::chrono::ceil<std::chrono::seconds>(3 * config.router.advertisement_interval);
    set_election(instance, config.router);
    config.watches_link = !instance.ignores_link;
    config.accepts = instance.accepts;
    config.router.announcements = announcements_of(instance.shared);
    const Globals& globals = draft_.globals;
    const auto& spacing = family == Family::kIpv4 ? globals.garp_interval : globals.gna_interval;
    config.announcement_spacing = spacing.value_or(Duration{});
    config.addresses = instance.addresses;
    set_peers(instance, family, config);
    set_virtual_mac(instance, config);
    set_password(instance, config);
    const bool message_only =
        chosen(instance.shared.checksum_as_v2, draft_.globals.shared.checksum_as_v2, false);
    if (message_only && config.router.version == Version::k3 && family == Family::kIpv4) {
      config.checksum = vrrp::ChecksumPolicy::kMessageOnly;
    }
    config.routes = instance.routes;
    config.rules = instance.rules;
    config.tracks = tracks_of(instance);
    config.notify = instance.notify;
    config.notify.priority_changes = chosen(instance.shared.notify_priority_changes,
                                            draft_.globals.shared.notify_priority_changes, false);
    identify(config.notify, instance.place);
    config.notify.mail = wants_mail(instance.mail, instance.mail_place);
    resolved_.config.instances.push_back(std::move(config));
    resolved_.instances.push_back(instance.place);
  }

  [[nodiscard]] Version version_of(const Instance& instance, Family family) {
    const Version shared = draft_.globals.shared.version.value_or(Version::k2);
    if (family == Family::kIpv4) return instance.shared.version.value_or(shared);
    if (instance.shared.version == Version::k2) {
      report().error(instance.place, "version 2 over IPv6 is not supported; version 3 is");
    }
    return Version::k3;
  }

  /// Version 2 counts in seconds, version 3 in hundredths.
  [[nodiscard]] Duration interval_of(const Instance& instance, Version version) {
    const Duration written = instance.interval.value_or(1s);
    const Duration step = version == Version::k2 ? Duration{1s} : Duration{10ms};
    const Duration rounded = std::max<Duration>(step * ((written + step / 2) / step), step);
    if (rounded != written) {
      report().note(
          instance.interval_place,
          fmt::format("advert_int is rounded to {}, as by keepalived: version {} counts in "
                      "{}",
                      config::to_text(rounded), static_cast<int>(version),
                      version == Version::k2 ? "seconds" : "hundredths of a second"));
    }
    return rounded;
  }

  void set_election(const Instance& instance, vrrp::RouterConfig& router) {
    const Shared& shared = draft_.globals.shared;
    router.answers_lesser =
        !chosen(instance.shared.is_silent_to_lesser, shared.is_silent_to_lesser, false);
    router.answers_better = chosen(instance.shared.answers_better, shared.answers_better, false);
    const bool is_master = instance.is_initially_master.value_or(false);
    const int priority = instance.priority.value_or(is_master ? kPriorityMax : kPriorityDefault);
    if (is_master && !instance.priority) {
      report().note(instance.place, "state MASTER without a priority means 255, as in keepalived");
    }
    router.priority = Priority{static_cast<std::uint8_t>(priority)};
    const bool starts_as_master = is_master || priority == kPriorityMax;
    if (instance.has_nopreempt && !starts_as_master) router.preempt = vrrp::Preempt::kDegraded;
    if (instance.has_nopreempt && starts_as_master) {
      report().note(instance.nopreempt_place,
                    "nopreempt has no effect with state MASTER or priority 255, as in keepalived");
    }
    const Duration delay = instance.preempt_delay.value_or(0s);
    const bool has_delay = delay > 0s && !starts_as_master && !instance.has_nopreempt;
    if (has_delay) router.preempt_delay = delay;
    if (delay > 0s && !has_delay) {
      report().note(instance.place,
                    "preempt_delay has no effect with state MASTER, priority 255 or "
                    "nopreempt, as in keepalived");
    }
  }

  [[nodiscard]] vrrp::AnnouncementSchedule announcements_of(const Shared& own) const {
    const Globals& globals = draft_.globals;
    const bool is_minimal = globals.has_min_garp;
    vrrp::AnnouncementSchedule schedule;
    schedule.repeat = static_cast<std::uint32_t>(
        chosen(own.garp_repeat, globals.shared.garp_repeat, is_minimal ? 1 : 5));
    schedule.second_burst_delay =
        chosen(own.garp_delay, globals.shared.garp_delay, is_minimal ? Duration{} : Duration{5s});
    schedule.refresh = chosen(own.garp_refresh, globals.shared.garp_refresh, Duration{});
    schedule.refresh_repeat = static_cast<std::uint32_t>(
        chosen(own.garp_refresh_repeat, globals.shared.garp_refresh_repeat, 1));
    schedule.conflict_repeat = static_cast<std::uint32_t>(
        chosen(own.garp_lower_prio_repeat, globals.shared.garp_lower_prio_repeat, 1));
    schedule.conflict_delay = own.garp_lower_prio_delay ? own.garp_lower_prio_delay
                                                        : globals.shared.garp_lower_prio_delay;
    return schedule;
  }

  void set_peers(const Instance& instance, Family family, InstanceConfig& config) {
    const bool is_v4 = family == Family::kIpv4;
    config.multicast_group =
        instance.group.value_or(is_v4 ? draft_.globals.group4 : draft_.globals.group6);
    config.source_address = instance.source;
    config.unicast_peers = instance.peers;
    // keepalived looks at the TTL of unicast advertisements only where it is told to.
    if (!instance.peers.empty()) {
      config.minimum_ttl = static_cast<std::uint8_t>(std::max(instance.min_ttl, 1));
    }
  }

  void set_virtual_mac(const Instance& instance, InstanceConfig& config) {
    if (!instance.virtual_mac) {
      if (instance.transmits_from_base) {
        report().note(instance.place, "vmac_xmit_base has no effect without use_vmac");
      }
      return;
    }
    vrrp::VirtualMac virtual_mac = *instance.virtual_mac;
    const Place place = instance.virtual_mac_place;
    if (instance.mac_ends_with_vrid) virtual_mac.address.back() = config.vrid.value();
    const bool is_unicast = !config.unicast_peers.empty();
    const bool from_base = instance.transmits_from_base && !is_strict(instance);
    if (instance.transmits_from_base && !from_base) {
      report().note(place, "vmac_xmit_base has no effect with vrrp_strict, as in keepalived");
    }
    if (is_unicast && !instance.transmits_from_base) {
      report().note(place,
                    "unicast advertisements leave by the interface itself, as by keepalived");
    }
    virtual_mac.transmits = !from_base && !is_unicast;
    config.virtual_mac = std::move(virtual_mac);
  }

  void settle_devices() {
    auto& instances = resolved_.config.instances;
    vrrp::DevicePrefixes prefixes;
    if (const auto& prefix = draft_.globals.device_prefix) {
      prefixes = {*prefix, *prefix};
    }
    if (const auto& prefix = draft_.globals.address_device_prefix) prefixes.addresses = *prefix;
    vrrp::complete_virtual_macs(instances, prefixes);
    for (std::size_t i = 0; i < instances.size(); ++i) {
      for (vrrp::VirtualAddress& address : instances[i].addresses) {
        const std::string* const device = instances[i].device_of(address);
        if (device == nullptr) continue;
        check_label_on(*device, address, resolved_.instances[i], reading_);
      }
    }
  }

  [[nodiscard]] bool is_strict(const Instance& instance) const {
    return chosen(instance.shared.is_strict, draft_.globals.shared.is_strict, false);
  }

  void set_password(const Instance& instance, InstanceConfig& config) {
    if (!instance.authentication) return;
    const Authentication& given = *instance.authentication;
    const bool is_usable = given.type == Authentication::Type::kPass && !given.password.empty();
    const std::string_view why = config.router.version == Version::k3 ? "version 3 has none"
                                 : is_strict(instance) ? "vrrp_strict does not allow it"
                                 : is_usable           ? ""
                                             : "it needs both auth_type PASS and auth_pass";
    if (why.empty()) {
      config.password = given.password;
      return;
    }
    report().note(given.place, fmt::format("authentication is ignored, as by keepalived: {}", why));
  }

  // ---- what is tracked ----

  [[nodiscard]] std::vector<vrrp::Track> tracks_of(const Instance& instance) {
    const auto group =
        std::find_if(draft_.groups.begin(), draft_.groups.end(), [&](const SyncGroup& candidate) {
          const auto& members = candidate.members;
          return std::find(members.begin(), members.end(), instance.name) != members.end();
        });
    const bool is_grouped = group != draft_.groups.end();
    std::vector<Tracked> all = instance.tracked;
    if (is_grouped) all.insert(all.begin(), group->tracked.begin(), group->tracked.end());
    std::vector<vrrp::Track> tracks;
    std::set<std::pair<Tracked::Kind, std::string>> seen;
    for (const Tracked& tracked : all) {
      if (!seen.emplace(tracked.kind, tracked.name).second) continue;
      if (auto track = track_of(tracked, is_grouped && !group->weighs)) {
        tracks.push_back(std::move(*track));
      }
    }
    return tracks;
  }

  [[nodiscard]] std::optional<vrrp::Track> track_of(const Tracked& tracked, bool weightless) {
    const auto tracker =
        std::find_if(draft_.trackers.begin(), draft_.trackers.end(), [&](const Tracker& candidate) {
          return candidate.kind == tracked.kind && candidate.check.name == tracked.name;
        });
    const bool is_interface = tracked.kind == Tracked::Kind::kInterface;
    if (!is_interface && tracker == draft_.trackers.end()) {
      report().warning(tracked.place, fmt::format("{} is not defined; it is left out, as by "
                                                  "keepalived",
                                                  shown(tracked.name)));
      return std::nullopt;
    }
    int weight = tracked.weight.value_or(0);
    bool is_reversed = tracked.is_reversed;
    if (!is_interface && !tracked.weight) {
      weight = tracker->weight;
      is_reversed = is_reversed || tracker->is_reversed;
    }
    if (weight != 0 && weightless) {
      report().note(tracked.place,
                    fmt::format("{} is left out, as by keepalived: members of a group without "
                                "sync_group_tracking_weight have no weights",
                                shown(tracked.name)));
      return std::nullopt;
    }
    const TrackEffect effect = effect_of(tracked.kind, weight, is_reversed);
    if (is_interface) return vrrp::TrackInterface{tracked.name, effect};
    const auto index = static_cast<std::size_t>(tracker - draft_.trackers.begin());
    return vrrp::TrackCheck{check_name(index), effect};
  }

  /// Scripts, files and processes have names of their own there, and share them here.
  [[nodiscard]] const std::string& check_name(std::size_t tracker) {
    const auto known = check_names_.find(tracker);
    if (known != check_names_.end()) return known->second;
    std::string name = draft_.trackers[tracker].check.name;
    const auto is_taken = [&] {
      return std::any_of(check_names_.begin(), check_names_.end(),
                         [&](const auto& entry) { return entry.second == name; });
    };
    while (is_taken()) {
      name += draft_.trackers[tracker].kind == Tracked::Kind::kProcess ? "_process" : "_file";
    }
    return check_names_.emplace(tracker, std::move(name)).first->second;
  }

  void add_check(std::size_t index) {
    Tracker& tracker = draft_.trackers[index];
    if (!tracker.is_complete) {
      report().error(tracker.place,
                     fmt::format("{} does not say what it looks at", shown(tracker.check.name)));
      stand_in(tracker.check.probe);
    }
    const auto name = check_names_.find(index);
    if (name == check_names_.end()) {
      report().note(tracker.place,
                    fmt::format("{} is not tracked and left out", shown(tracker.check.name)));
      return;
    }
    tracker.check.name = name->second;
    if (!tracker.has_timeout) tracker.check.timeout = tracker.check.interval;
    if (auto* script = std::get_if<checks::ScriptProbe>(&tracker.check.probe)) {
      if (!tracker.has_user) {
        const Identity identity = default_identity("root");
        script->command.user = identity.user;
        script->command.group = identity.group;
      }
      script->command.timeout = tracker.check.timeout;
      check_trust(script->command, tracker.place);
    }
    if (tracker.kind == Tracked::Kind::kProcess) tracker.check.timeout = 1s;
    resolved_.config.checks.push_back(std::move(tracker.check));
    resolved_.checks.push_back(tracker.place);
  }

  /// Something valid for what has been reported, so that it is not reported again.
  static void stand_in(checks::Probe& probe) {
    if (auto* script = std::get_if<checks::ScriptProbe>(&probe)) {
      script->command.arguments = {"/bin/false"};
    } else if (auto* file = std::get_if<checks::FileProbe>(&probe)) {
      file->path = "/";
    } else if (auto* process = std::get_if<checks::ProcessProbe>(&probe)) {
      process->name = "none";
    }
  }

  /// A configuration has its checks by name.
  void sort_checks() {
    auto& checks = resolved_.config.checks;
    std::map<std::string, std::pair<checks::CheckConfig, Place>> sorted;
    for (std::size_t i = 0; i < checks.size(); ++i) {
      const std::string name = checks[i].name;
      sorted.emplace(name, std::pair{std::move(checks[i]), resolved_.checks[i]});
    }
    checks.clear();
    resolved_.checks.clear();
    for (auto& [name, entry] : sorted) {
      checks.push_back(std::move(entry.first));
      resolved_.checks.push_back(entry.second);
    }
  }

  // ---- groups and the pipe ----

  void settle_members(SyncGroup& group) {
    const auto is_unknown = [&](const std::string& name) {
      const bool is_known =
          std::any_of(draft_.instances.begin(), draft_.instances.end(),
                      [&](const Instance& instance) { return instance.name == name; });
      if (!is_known) {
        report().warning(group.place,
                         fmt::format("{} is no vrrp_instance; the group goes without it, as in "
                                     "keepalived",
                                     shown(name)));
      }
      return !is_known;
    };
    auto& members = group.members;
    members.erase(std::remove_if(members.begin(), members.end(), is_unknown), members.end());
  }

  void add_group(SyncGroup& group) {
    if (group.members.empty()) {
      report().error(group.place, fmt::format("group {} has no members", shown(group.name)));
      return;
    }
    identify(group.notify, group.place);
    group.notify.mail = wants_mail(group.mail, group.mail_place);
    resolved_.config.groups.push_back({group.name, group.members, group.notify});
    resolved_.groups.push_back(group.place);
  }

  void add_fifo() {
    Globals& globals = draft_.globals;
    const bool is_vrrp = !globals.vrrp_fifo.empty();
    const std::string& path = is_vrrp ? globals.vrrp_fifo : globals.fifo;
    if (is_vrrp && !globals.fifo.empty() && globals.fifo != path) {
      report().warning({}, fmt::format("notify_fifo {} is left out: there is one pipe, {}",
                                       shown(globals.fifo), shown(path)));
    }
    if (path.empty()) return;
    vrrp::NotifyFifo fifo;
    fifo.states_on_reload = globals.repeats_states;
    fifo.path = path;
    fifo.reader = is_vrrp ? globals.vrrp_fifo_reader : globals.fifo_reader;
    identify(fifo.reader, {});
    if (fifo.reader) fifo.reader->timeout = 0s;
    resolved_.config.notify_fifo = std::move(fifo);
  }

  [[nodiscard]] bool wants_mail(const std::optional<bool>& own, Place place) {
    const Mail& mail = draft_.globals.mail;
    const bool wants = chosen(own, mail.alert_vrrp ? mail.alert_vrrp : mail.alert, false);
    if (!wants || !mail.to.empty()) {
      sends_mail_ = sends_mail_ || wants;
      return wants;
    }
    report().note(own ? place : mail.alert_place,
                  "smtp_alert: nobody is named in notification_email, so no mail is sent, as by "
                  "keepalived");
    return false;
  }

  void add_mail() {
    Mail& given = draft_.globals.mail;
    if (!sends_mail_) {
      if (!given.to.empty()) {
        report().note(given.place,
                      "notification_email: without smtp_alert no mail is sent, as by "
                      "keepalived");
      }
      return;
    }
    const std::string& node = resolved_.config.node;
    const auto or_else = [](std::string& own, const std::string& otherwise) {
      return own.empty() ? otherwise : std::move(own);
    };
    vrrp::MailConfig mail;
    mail.to = std::move(given.to);
    mail.from = or_else(given.from, "root@" + node);
    mail.server = or_else(given.server, mail.server);
    mail.port = static_cast<std::uint16_t>(given.port.value_or(mail.port));
    mail.helo = or_else(given.helo, node);
    mail.name = or_else(given.name, node);
    mail.timeout = given.timeout.value_or(mail.timeout);
    mail.faults = given.faults;
    resolved_.config.mail = std::move(mail);
  }

  Draft draft_;
  Reading& reading_;
  bool sends_mail_ = false;
  Resolved resolved_;
  std::map<std::size_t, std::string> check_names_;  ///< by the tracker's index: those in use
};

}  // namespace

Resolved resolve(Draft draft, Reading& reading) {
  return Resolver{std::move(draft), reading}.run();
}

}  // namespace ha::keepalived
