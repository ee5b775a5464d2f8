#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/load.hpp"
#include "vrrpd/settings/routing.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::vrrp {
namespace {

using config::to_text;
using config::word_of;

/// What some YAML reader takes for something other than a string (YAML 1.1), in lower case.
constexpr std::array<std::string_view, 9> kReservedWords{"null", "true", "false", "yes", "no",
                                                         "on",   "off",  "y",     "n"};

/// Whether every YAML reader takes `text` for itself: starts with a letter or '/', goes on with
/// letters, digits and
/// "_./-". A colon needs quotes inside {} and would make 1:20 a number for some.
[[nodiscard]] bool is_plain(std::string_view text) {
  std::string lower;
  for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !lower.empty() && (is_letter(lower[0]) || lower[0] == '/') &&
         lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_./-") == std::string::npos &&
         std::find(kReservedWords.begin(), kReservedWords.end(), lower) == kReservedWords.end();
}

/// A string as a YAML scalar. A valid Config holds no control characters.
[[nodiscard]] std::string scalar(std::string_view text) {
  if (is_plain(text)) return std::string{text};
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

[[nodiscard]] std::string scalar(const IpAddress& address) {
  return address.is_v4() ? address.to_string() : scalar(address.to_string());
}

[[nodiscard]] std::string scalar(const Prefix& prefix) {
  return prefix.address.is_v4() ? to_string(prefix) : scalar(to_string(prefix));
}

/// The texts of all items with commas between them.
template <class Range, class Text>
[[nodiscard]] std::string joined(const Range& range, Text text) {
  std::string result;
  for (const auto& item : range) result += (result.empty() ? "" : ", ") + text(item);
  return result;
}

class Printer {
 public:
  template <class... Args>
  void line(int indent, fmt::format_string<Args...> format, Args&&... args) {
    out_.append(static_cast<std::size_t>(indent), ' ');
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  void empty_line() { out_ += '\n'; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

[[nodiscard]] std::string scope_text(int scope) {
  for (const auto& choice : config::kScopeNames) {
    if (choice.value == scope) return std::string{choice.word};
  }
  return std::to_string(scope);
}

/// A static one has no choice about being advertised.
[[nodiscard]] std::string text_of(const VirtualAddress& address, bool is_virtual = true) {
  std::string text = fmt::format("{{address: {}", scalar(address.prefix));
  if (!address.interface.empty()) text += ", interface: " + scalar(address.interface);
  if (!address.label.empty()) text += ", label: " + scalar(address.label);
  if (is_virtual) text += fmt::format(", advertise: {}", address.advertise);
  text += fmt::format(", noprefixroute: {}", address.noprefixroute);
  if (address.prefix.address.is_v4()) text += ", scope: " + scope_text(address.scope);
  if (address.broadcast) text += ", broadcast: " + address.broadcast->to_string();
  if (address.device)
    text += fmt::format(", virtual_mac: {{interface: {}}}", scalar(*address.device));
  return text + "}";
}

[[nodiscard]] std::string text_of(const TrackEffect& effect) {
  using Kind = TrackEffect::Kind;
  const std::string when =
      fmt::format(", when: {}", word_of(effect.when_healthy, config::kWhenChoices));
  switch (effect.kind) {
    case Kind::kDemote:
      return fmt::format("demote: {}{}", effect.amount, effect.when_healthy ? when : "");
    case Kind::kPromote:
      return fmt::format("promote: {}{}", effect.amount, effect.when_healthy ? "" : when);
    case Kind::kFault:
      return fmt::format("fault: true{}", effect.when_healthy ? when : "");
    case Kind::kWeight:
      return fmt::format("weight: {}", effect.amount);
  }
  return {};
}

[[nodiscard]] std::string text_of(const Track& track) {
  struct {
    std::string operator()(const TrackHaproxy&) const { return "haproxy"; }
    std::string operator()(const TrackInterface& interface) const {
      return of("interface", interface.interface, interface.effect);
    }
    std::string operator()(const TrackCheck& check) const {
      return of("check", check.check, check.effect);
    }
    std::string operator()(const TrackSync& sync) const {
      return fmt::format("{{sync: {}, demote: {}, max_lag: {}}}", scalar(sync.team), sync.demote,
                         to_text(sync.max_lag));
    }

   private:
    static std::string of(std::string_view kind, std::string_view name, const TrackEffect& effect) {
      return fmt::format("{{{}: {}, {}}}", kind, scalar(name), text_of(effect));
    }
  } visitor;
  return std::visit(visitor, track);
}

[[nodiscard]] std::string text_of(const std::vector<std::string>& list) {
  return "[" + joined(list, [](const std::string& item) { return scalar(item); }) + "]";
}

[[nodiscard]] std::string identity_of(const Command& command) {
  std::string text;
  if (!command.user.empty()) text += ", user: " + scalar(command.user);
  if (!command.group.empty()) text += ", group: " + scalar(command.group);
  return text;
}

[[nodiscard]] std::string text_of(const Command& command) {
  std::string text =
      fmt::format("{{command: {}{}", text_of(command.arguments), identity_of(command));
  if (command.timeout != Duration::zero()) text += ", timeout: " + to_text(command.timeout);
  return text + "}";
}

void print_notify(Printer& printer, const NotifyConfig& notify, bool is_group) {
  if (notify == NotifyConfig{}) return;
  printer.line(4, "notify:");
  const auto print = [&](std::string_view key, const Rare<Command>& command) {
    if (command) printer.line(6, "{}: {}", key, text_of(*command));
  };
  print("master", notify.master);
  print("backup", notify.backup);
  print("fault", notify.fault);
  print("stop", notify.stop);
  print("any", notify.any);
  printer.line(6, "mail: {}", notify.mail);
  if (is_group) return;
  print("lower_priority", notify.lower_priority);
  print("deleted", notify.deleted);
  printer.line(6, "priority_changes: {}", notify.priority_changes);
}

/// What a check looks at, with the keys of its kind.
struct ProbeText {
  std::string operator()(const checks::ProcessProbe& probe) const {
    return fmt::format("process: {}, match: {}{}, at_least: {}, at_most: {}", scalar(probe.name),
                       word_of(probe.match, config::kMatchChoices),
                       probe.arguments.empty() ? "" : ", arguments: " + text_of(probe.arguments),
                       probe.at_least, probe.at_most);
  }
  std::string operator()(const checks::TcpProbe& probe) const {
    return fmt::format("tcp: {}", scalar(endpoint(probe.address, probe.port)));
  }
  std::string operator()(const checks::HttpProbe& probe) const {
    return fmt::format("http: {}{}, expect: {}-{}",
                       scalar("http://" + endpoint(probe.address, probe.port) + probe.path),
                       probe.host.empty() ? "" : ", host: " + scalar(probe.host), probe.expect_min,
                       probe.expect_max);
  }
  std::string operator()(const checks::UnitProbe& probe) const {
    return "unit: " + scalar(probe.unit);
  }
  std::string operator()(const checks::ScriptProbe& probe) const {
    return fmt::format("script: {}{}", text_of(probe.command.arguments),
                       identity_of(probe.command));
  }
  std::string operator()(const checks::FileProbe& probe) const {
    return fmt::format("file: {}, present: {}{}", scalar(probe.path),
                       word_of(probe.present, config::kPresentChoices),
                       probe.create ? fmt::format(", create: {}", *probe.create) : "");
  }
  std::string operator()(const checks::InterfaceProbe& probe) const {
    return "interface: " + scalar(probe.interface);
  }

 private:
  static std::string endpoint(const IpAddress& address, std::uint16_t port) {
    const std::string text = address.to_string();
    return fmt::format("{}:{}", address.is_v6() ? "[" + text + "]" : text, port);
  }
};

void print_check(Printer& printer, const checks::CheckConfig& check) {
  const bool never_waits = std::holds_alternative<checks::ProcessProbe>(check.probe) ||
                           std::holds_alternative<checks::InterfaceProbe>(check.probe);
  printer.line(
      2, "{}: {{{}, interval: {}{}, fall: {}, rise: {}, recover: {}, grace: {}, initial: {}}}",
      scalar(check.name), std::visit(ProbeText{}, check.probe), to_text(check.interval),
      never_waits ? "" : ", timeout: " + to_text(check.timeout), check.fall, check.rise,
      to_text(check.recover), to_text(check.grace),
      word_of(check.initial, config::kInitialChoices));
}

void print_groups(Printer& printer, const std::vector<GroupConfig>& groups) {
  if (groups.empty()) return;
  printer.line(0, "groups:");
  for (const GroupConfig& group : groups) {
    printer.line(2, "- name: {}", scalar(group.name));
    printer.line(4, "instances: {}", text_of(group.instances));
    print_notify(printer, group.notify, true);
  }
  printer.empty_line();
}

void print_fifo(Printer& printer, const NotifyFifo& fifo) {
  printer.line(0, "notify_fifo:");
  printer.line(2, "path: {}", scalar(fifo.path));
  if (fifo.reader) printer.line(2, "reader: {}", text_of(*fifo.reader));
  printer.line(2, "states_on_reload: {}", fifo.states_on_reload);
  printer.empty_line();
}

void print_mail(Printer& printer, const MailConfig& mail) {
  printer.line(0, "mail:");
  printer.line(2, "to: [{}]",
               joined(mail.to, [](const std::string& address) { return scalar(address); }));
  printer.line(2, "from: {}", scalar(mail.from));
  printer.line(2, "server: {}", scalar(mail.server));
  printer.line(2, "port: {}", mail.port);
  printer.line(2, "helo: {}", scalar(mail.helo));
  printer.line(2, "name: {}", scalar(mail.name));
  printer.line(2, "timeout: {}", to_text(mail.timeout));
  printer.line(2, "faults: {}", mail.faults);
  printer.empty_line();
}

void print_election(Printer& printer, const RouterConfig& router) {
  printer.line(4, "version: {}", static_cast<int>(router.version));
  printer.line(4, "priority: {}", router.priority.value());
  printer.line(4, "advertisement_interval: {}", to_text(router.advertisement_interval));
  printer.line(4, "preempt: {}", word_of(router.preempt, config::kPreemptChoices));
  printer.line(4, "preempt_delay: {}", to_text(router.preempt_delay));
  printer.line(4, "answer_lesser: {}", router.answers_lesser);
  printer.line(4, "answer_better: {}", router.answers_better);
}

void print_peers(Printer& printer, const InstanceConfig& instance) {
  printer.line(4, "source_address: {}",
               instance.source_address ? scalar(*instance.source_address) : "auto");
  printer.line(4, "multicast_group: {}", scalar(instance.multicast_group));
  if (!instance.unicast_peers.empty()) {
    printer.line(
        4, "unicast_peers: [{}]",
        joined(instance.unicast_peers, [](const IpAddress& peer) { return scalar(peer); }));
  }
  printer.line(4, "minimum_ttl: {}", instance.minimum_ttl);
  if (instance.password) {
    printer.line(4, "authentication: {{type: pass, password: {}}}", scalar(*instance.password));
  }
  printer.line(4, "checksum: {}", word_of(instance.checksum, config::kChecksumChoices));
}

template <class T>
void print_routing(Printer& printer, int indent, std::string_view key, const std::vector<T>& all) {
  if (all.empty()) return;
  printer.line(indent, "{}:", key);
  for (const T& one : all) printer.line(indent + 2, "- {}", scalar(config::to_text(one)));
}

void print_static(Printer& printer, const StaticConfig& fixed) {
  if (fixed == StaticConfig{}) return;
  printer.line(0, "static:");
  if (!fixed.addresses.empty()) printer.line(2, "addresses:");
  for (const VirtualAddress& address : fixed.addresses) {
    printer.line(4, "- {}", text_of(address, false));
  }
  print_routing(printer, 2, "routes", fixed.routes);
  print_routing(printer, 2, "rules", fixed.rules);
  printer.empty_line();
}

void print_announcements(Printer& printer, const InstanceConfig& instance) {
  const AnnouncementSchedule& schedule = instance.router.announcements;
  printer.line(
      4,
      "gratuitous_arp: {{repeat: {}, second_burst_delay: {}, refresh: {}, "
      "refresh_repeat: {}, conflict_repeat: {}, conflict_delay: {}, spacing: {}, form: {}}}",
      schedule.repeat, to_text(schedule.second_burst_delay), to_text(schedule.refresh),
      schedule.refresh_repeat, schedule.conflict_repeat,
      schedule.conflict_delay ? to_text(*schedule.conflict_delay) : "auto",
      to_text(instance.announcement_spacing),
      word_of(instance.gratuitous_arp_form, config::kArpFormChoices));
}

void print_virtual_mac(Printer& printer, const Rare<VirtualMac>& virtual_mac) {
  if (!virtual_mac) return printer.line(4, "virtual_mac: false");
  printer.line(4, "virtual_mac: {{interface: {}, address: \"{}\", transmit: {}}}",
               scalar(virtual_mac->device), ha::to_string(virtual_mac->address),
               word_of(virtual_mac->transmits, config::kTransmitChoices));
}

void print_instance(Printer& printer, const InstanceConfig& instance) {
  printer.line(2, "- name: {}", scalar(instance.name));
  if (!instance.interface.empty()) printer.line(4, "interface: {}", scalar(instance.interface));
  printer.line(4, "vrid: {}", instance.vrid.value());
  print_election(printer, instance.router);
  printer.line(4, "addresses:");
  for (const VirtualAddress& address : instance.addresses)
    printer.line(6, "- {}", text_of(address));
  print_peers(printer, instance);
  printer.line(4, "watch_link: {}", instance.watches_link);
  printer.line(4, "accept: {}", instance.accepts);
  print_virtual_mac(printer, instance.virtual_mac);
  print_announcements(printer, instance);
  printer.line(4, "lease: {}", instance.lease ? to_text(*instance.lease) : "off");
  print_routing(printer, 4, "routes", instance.routes);
  print_routing(printer, 4, "rules", instance.rules);
  printer.line(4, "track: [{}]",
               joined(instance.tracks, [](const Track& track) { return text_of(track); }));
  print_notify(printer, instance.notify, false);
}

void print_teams(Printer& printer, const probe::ProbeConfig& haproxy) {
  if (const auto* pattern = std::get_if<probe::TeamPattern>(&haproxy.teams)) {
    printer.line(2, "teams: {}", scalar(pattern->expression));
    return;
  }
  printer.line(2, "teams:");
  for (const auto& [team, backends] : std::get<probe::TeamMap>(haproxy.teams)) {
    printer.line(4, "{}: [{}]", scalar(team),
                 joined(backends, [](const std::string& name) { return scalar(name); }));
  }
}

void print_haproxy(Printer& printer, const probe::ProbeConfig& haproxy) {
  printer.line(0, "haproxy:");
  printer.line(2, "stats: {}", scalar(haproxy.stats));
  if (!haproxy.credentials_file.empty()) {
    printer.line(2, "credentials_file: {}", scalar(haproxy.credentials_file));
  }
  printer.line(2, "events: {}", scalar(haproxy.events));
  printer.line(2, "interval: {}", to_text(haproxy.interval));
  printer.line(2, "timeout: {}", to_text(haproxy.timeout));
  printer.line(2, "stale_after: {}", to_text(haproxy.stale_after));
  print_teams(printer, haproxy);
  if (haproxy.scope == probe::ServerScope::kMatch) {
    printer.line(2, "servers: {{match: {}}}", scalar(haproxy.server_match));
  } else {
    printer.line(2, "servers: {}", word_of(haproxy.scope, config::kScopeChoices));
  }
  printer.line(2, "threshold: {}%", haproxy.threshold);
  printer.line(2, "quorum: {}", haproxy.quorum);
  printer.line(2, "combine: {}", word_of(haproxy.combine, config::kCombineChoices));
  printer.line(2, "grace: {}", to_text(haproxy.grace));
  printer.line(2, "recover: {}", to_text(haproxy.recover));
  printer.line(2, "demote: {{unhealthy: {}, down: {}}}", haproxy.demote_unhealthy,
               haproxy.demote_down);
  printer.empty_line();
}

}  // namespace

std::string print(const Config& config) {
  Printer printer;
  printer.line(0, "node: {}", scalar(config.node));
  printer.line(0, "startup_delay: {}", to_text(config.startup_delay));
  printer.empty_line();
  printer.line(0, "instances:");
  for (const InstanceConfig& instance : config.instances) print_instance(printer, instance);
  printer.empty_line();
  print_groups(printer, config.groups);
  if (!config.checks.empty()) {
    printer.line(0, "checks:");
    for (const checks::CheckConfig& check : config.checks) print_check(printer, check);
    printer.empty_line();
  }
  if (config.notify_fifo) print_fifo(printer, *config.notify_fifo);
  if (config.mail) print_mail(printer, *config.mail);
  print_static(printer, config.fixed);
  if (config.haproxy) print_haproxy(printer, *config.haproxy);
  printer.line(0, "control: {{socket: {}, group: {}}}", scalar(config.control.socket),
               scalar(config.control.group));
  if (config.http) {
    const std::string address = config.http->address.to_string();
    printer.line(0, "http: {{listen: \"{}:{}\"}}",
                 config.http->address.is_v6() ? "[" + address + "]" : address, config.http->port);
  } else {
    printer.line(0, "http: off");
  }
  printer.line(0, "log: {{level: {}, format: {}}}",
               word_of(config.log.level, config::kLogLevelChoices),
               word_of(config.log.format, config::kLogFormatChoices));
  return printer.take();
}

}  // namespace ha::vrrp
