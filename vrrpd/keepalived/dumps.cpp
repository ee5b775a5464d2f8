#include "vrrpd/keepalived/dumps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

namespace ha::keepalived {
namespace {

using vrrp::Config;
using vrrp::InstanceConfig;
using vrrp::PacketError;
using vrrp::RouterStatistics;
using vrrp::RouterStatus;
using vrrp::Status;
using vrrp::VirtualAddress;

constexpr int kSimplePassword = 1;

/// An instance as it is configured, and as it is doing.
struct Both {
  const InstanceConfig& config;
  const RouterStatus& status;
};

[[nodiscard]] std::vector<Both> instances(const Config& config, const Status& status) {
  std::vector<Both> both;
  for (const InstanceConfig& instance : config.instances) {
    for (const RouterStatus& router : status.instances) {
      if (router.name == instance.name) both.push_back({instance, router});
    }
  }
  return both;
}

[[nodiscard]] std::uint64_t count(const RouterStatistics& statistics, PacketError error) {
  return statistics.errors[static_cast<std::size_t>(error)];
}

[[nodiscard]] std::uint64_t released(const RouterStatus& router) {
  const std::uint64_t became = router.statistics.master_transitions;
  return router.state == "master" && became > 0 ? became - 1 : became;
}

/// keepalived's numbers and words for the states.
struct StateName {
  int number;
  std::string_view word;
};
[[nodiscard]] StateName state_of(const RouterStatus& router) {
  if (router.state == "backup") return {1, "BACKUP"};
  if (router.state == "master") return {2, "MASTER"};
  if (router.state == "fault") return {3, "FAULT"};
  return {0, "INIT"};
}

[[nodiscard]] std::chrono::microseconds since_epoch(const RouterStatus& router) {
  return std::chrono::duration_cast<std::chrono::microseconds>(router.since.time_since_epoch());
}

/// "1795280050.190343".
[[nodiscard]] std::string epoch_text(std::chrono::microseconds at) {
  return fmt::format("{}.{:06}", at.count() / 1'000'000, at.count() % 1'000'000);
}

/// "Sat Nov 21 16:54:10.190343 2026", in the local time zone.
[[nodiscard]] std::string date_text(std::chrono::microseconds at) {
  const std::time_t seconds = at.count() / 1'000'000;
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 64> day{};
  std::array<char, 16> year{};
  const auto day_size = std::strftime(day.data(), day.size(), "%a %b %e %H:%M:%S", &parts);
  const auto year_size = std::strftime(year.data(), year.size(), "%Y", &parts);
  return fmt::format("{}.{:06} {}", std::string_view{day.data(), day_size}, at.count() % 1'000'000,
                     std::string_view{year.data(), year_size});
}

[[nodiscard]] std::string address_text(const VirtualAddress& address, const Both& both) {
  const RouterStatus& router = both.status;
  const std::string* const device = both.config.device_of(address);
  const bool is_host = address.prefix.length == (address.prefix.address.is_v4() ? 32 : 128);
  std::string text = is_host ? address.prefix.address.to_string() : to_string(address.prefix);
  text += fmt::format(" dev {} scope global", device != nullptr           ? *device
                                              : address.interface.empty() ? router.interface
                                                                          : address.interface);
  if (!address.label.empty()) text += " label " + address.label;
  if (address.noprefixroute) text += " noprefixroute";
  if (router.state == "master") text += " set";
  return text;
}

[[nodiscard]] std::string command_text(const Command& command) {
  std::string text;
  for (const std::string& argument : command.arguments) {
    text += (text.empty() ? "'" : " '") + argument + "'";
  }
  return text;
}

[[nodiscard]] std::string seconds_text(Duration duration) {
  return fmt::format("{:g}", std::chrono::duration<double>{duration}.count());
}

[[nodiscard]] std::string_view or_enabled(bool is_on) { return is_on ? "enabled" : "disabled"; }

// ---- keepalived.data ----

class Lines {
 public:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

void add_addresses(Lines& lines, const Both& both) {
  const auto& addresses = both.config.addresses;
  const auto advertised = std::count_if(addresses.begin(), addresses.end(),
                                        [](const auto& address) { return address.advertise; });
  lines.add("   Virtual IP ({}):", advertised);
  for (const VirtualAddress& address : addresses) {
    if (address.advertise) lines.add("     {}", address_text(address, both));
  }
  if (static_cast<std::size_t>(advertised) == addresses.size()) return;
  lines.add("   Virtual IP Excluded :");
  for (const VirtualAddress& address : addresses) {
    if (!address.advertise) lines.add("     {}", address_text(address, both));
  }
}

void add_peers(Lines& lines, const InstanceConfig& config) {
  if (config.source_address) lines.add("   Using src_ip = {}", config.source_address->to_string());
  if (config.unicast_peers.empty()) {
    lines.add("   Multicast address {}", config.multicast_group.to_string());
    return;
  }
  lines.add("   Unicast Peer :");
  for (const IpAddress& peer : config.unicast_peers) lines.add("     {}", peer.to_string());
}

void add_commands(Lines& lines, const vrrp::NotifyConfig& notify) {
  const auto add = [&](std::string_view what, const Rare<Command>& command) {
    if (command) lines.add("   {} = {}", what, command_text(*command));
  };
  add("Backup state transition script", notify.backup);
  add("Master state transition script", notify.master);
  add("Fault state transition script", notify.fault);
  add("Stop state transition script", notify.stop);
  add("Generic state transition script", notify.any);
  add("Master rx lower priority script", notify.lower_priority);
}

[[nodiscard]] const vrrp::GroupConfig* group_of(const Config& config, const std::string& name) {
  for (const vrrp::GroupConfig& group : config.groups) {
    const auto& members = group.instances;
    if (std::find(members.begin(), members.end(), name) != members.end()) return &group;
  }
  return nullptr;
}

void add_instance(Lines& lines, const Config& all, const Both& both) {
  const auto& [config, status] = both;
  const vrrp::RouterConfig& router = config.router;
  const vrrp::AnnouncementSchedule& announcements = router.announcements;
  const StateName state = state_of(status);
  const auto is_script = [](const vrrp::Track& track) {
    return std::holds_alternative<vrrp::TrackCheck>(track);
  };
  lines.add(" VRRP Instance = {}", config.name);
  lines.add("   VRRP Version = {}", static_cast<int>(router.version));
  if (const auto* group = group_of(all, config.name)) lines.add("   Sync group = {}", group->name);
  lines.add("   State = {}", state.word);
  lines.add("   Wantstate = {}", state.word);
  lines.add("   Last transition = {} ({})", epoch_text(since_epoch(status)),
            date_text(since_epoch(status)));
  lines.add(
      "   Master down timer = {} usecs",
      std::chrono::duration_cast<std::chrono::microseconds>(status.master_down_interval).count());
  lines.add("   Interface = {}", status.interface);
  add_peers(lines, config);
  lines.add("   Gratuitous ARP delay = {}", seconds_text(announcements.second_burst_delay));
  lines.add("   Gratuitous ARP repeat = {}", announcements.repeat);
  lines.add("   Gratuitous ARP refresh = {}", seconds_text(announcements.refresh));
  lines.add("   Virtual Router ID = {}", config.vrid.value());
  lines.add("   Priority = {}", router.priority.value());
  lines.add("   Effective priority = {}", status.effective_priority.value());
  lines.add("   Total priority = {}", status.effective_priority.value());
  lines.add("   Advert interval = {} sec", seconds_text(router.advertisement_interval));
  lines.add("   Accept = enabled");
  lines.add("   Preempt = {}", or_enabled(router.preempt == vrrp::Preempt::kYes));
  if (router.preempt_delay > Duration{}) {
    lines.add("   Preempt delay = {} secs", seconds_text(router.preempt_delay));
  }
  if (config.password) lines.add("   Authentication type = SIMPLE_PASSWORD");
  lines.add("   Number of track scripts = {}",
            std::count_if(config.tracks.begin(), config.tracks.end(), is_script));
  add_addresses(lines, both);
  lines.add("   Using smtp notification = no");
  add_commands(lines, config.notify);
}

void add_group(Lines& lines, const vrrp::GroupConfig& group, const std::vector<Both>& all) {
  std::string_view state = "BACKUP";
  for (const Both& both : all) {
    if (group.instances.front() == both.config.name) state = state_of(both.status).word;
  }
  lines.add(" VRRP Sync Group = {}, {}", group.name, state);
  lines.add("   VRRP member instances :");
  for (const std::string& name : group.instances) lines.add("     {}", name);
}

// ---- keepalived.json ----

[[nodiscard]] nlohmann::ordered_json address_list(const Both& both, bool advertised) {
  auto list = nlohmann::ordered_json::array();
  for (const VirtualAddress& address : both.config.addresses) {
    if (address.advertise == advertised) list.push_back(address_text(address, both));
  }
  return list;
}

[[nodiscard]] nlohmann::ordered_json number_of(Duration duration) {
  const double seconds = std::chrono::duration<double>{duration}.count();
  const auto whole = static_cast<std::int64_t>(seconds);
  if (static_cast<double>(whole) == seconds) return whole;
  return seconds;
}

void add_commands(nlohmann::ordered_json& data, const vrrp::NotifyConfig& notify) {
  const auto add = [&](const char* key, const Rare<Command>& command) {
    if (command) data[key] = command_text(*command);
  };
  add("script_backup", notify.backup);
  add("script_master", notify.master);
  add("script_fault", notify.fault);
  add("script_stop", notify.stop);
  add("script", notify.any);
  add("script_master_rx_lower_pri", notify.lower_priority);
}

/// The commands of the scripts that it tracks.
[[nodiscard]] nlohmann::ordered_json script_list(const Config& all, const InstanceConfig& config) {
  auto list = nlohmann::ordered_json::array();
  for (const vrrp::Track& track : config.tracks) {
    const auto* tracked = std::get_if<vrrp::TrackCheck>(&track);
    if (tracked == nullptr) continue;
    for (const checks::CheckConfig& check : all.checks) {
      const auto* script = std::get_if<checks::ScriptProbe>(&check.probe);
      if (script != nullptr && check.name == tracked->check) {
        list.push_back(command_text(script->command));
      }
    }
  }
  return list;
}

[[nodiscard]] nlohmann::ordered_json data_json(const Config& all, const Both& both) {
  const auto& [config, status] = both;
  const vrrp::RouterConfig& router = config.router;
  const vrrp::AnnouncementSchedule& announcements = router.announcements;
  const int state = state_of(status).number;
  nlohmann::ordered_json data{
      {"iname", config.name},
      {"dont_track_primary", config.watches_link ? 0 : 1},
      {"skip_check_adv_addr", 0},
      {"strict_mode", 0},
      {"vmac_ifname", status.virtual_interface},
      {"ifp_ifname", config.virtual_mac ? status.virtual_interface : status.interface},
      {"master_priority", status.last_adv_priority.value()},
      {"last_transition", static_cast<double>(since_epoch(status).count()) / 1e6},
      {"garp_delay", number_of(announcements.second_burst_delay)},
      {"garp_refresh", number_of(announcements.refresh)},
      {"garp_rep", announcements.repeat},
      {"garp_refresh_rep", announcements.refresh_repeat},
      {"garp_lower_prio_delay",
       number_of(announcements.conflict_delay.value_or(router.advertisement_interval))},
      {"garp_lower_prio_rep", announcements.conflict_repeat},
      {"lower_prio_no_advert", router.answers_lesser ? 0 : 1},
      {"higher_prio_send_advert", router.answers_better ? 1 : 0},
      {"vrid", config.vrid.value()},
      {"base_priority", router.priority.value()},
      {"effective_priority", status.effective_priority.value()},
      {"vipset", status.state == "master"},
      {"promote_secondaries", false},
      {"adver_int", number_of(router.advertisement_interval)},
      {"master_adver_int", number_of(router.advertisement_interval)},
      {"accept", config.accepts ? 1 : 0},
      {"nopreempt", router.preempt != vrrp::Preempt::kYes},
      {"preempt_delay", number_of(router.preempt_delay)},
      {"state", state},
      {"wantstate", state},
      {"version", static_cast<int>(router.version)},
      {"smtp_alert", config.notify.mail},
      {"notify_deleted", config.notify.deleted.has_value()}};
  add_commands(data, config.notify);
  data["vips"] = address_list(both, true);
  if (auto excluded = address_list(both, false); !excluded.empty()) {
    data["evips"] = std::move(excluded);
  }
  if (auto scripts = script_list(all, config); !scripts.empty()) {
    data["track_script"] = std::move(scripts);
  }
  if (config.password) data["auth_type"] = kSimplePassword;
  return data;
}

[[nodiscard]] nlohmann::ordered_json stats_json(const RouterStatus& router) {
  const RouterStatistics& s = router.statistics;
  return {{"advert_rcvd", s.advertisement_rcvd},
          {"advert_sent", s.advertisement_sent},
          {"become_master", s.master_transitions},
          {"release_master", released(router)},
          {"packet_len_err", count(s, PacketError::kLength)},
          {"advert_interval_err", count(s, PacketError::kInterval)},
          {"ip_ttl_err", count(s, PacketError::kTtl)},
          {"invalid_type_rcvd", count(s, PacketError::kType)},
          {"addr_list_err", count(s, PacketError::kAddressList)},
          {"invalid_authtype", 0},
          {"authtype_mismatch", count(s, PacketError::kAuthType)},
          {"auth_failure", count(s, PacketError::kAuthentication)},
          {"pri_zero_rcvd", s.priority_zero_pkts_rcvd},
          {"pri_zero_sent", s.priority_zero_pkts_sent}};
}

}  // namespace

Baseline baseline_of(const Status& status) {
  Baseline baseline;
  for (const RouterStatus& router : status.instances) baseline[router.name] = router.statistics;
  return baseline;
}

Status since(const Baseline& baseline, Status status) {
  const auto less = [](std::uint64_t& counter, std::uint64_t before) {
    counter -= std::min(counter, before);
  };
  for (RouterStatus& router : status.instances) {
    const auto known = baseline.find(router.name);
    if (known == baseline.end()) continue;
    RouterStatistics& now = router.statistics;
    const RouterStatistics& before = known->second;
    less(now.master_transitions, before.master_transitions);
    less(now.advertisement_rcvd, before.advertisement_rcvd);
    less(now.advertisement_sent, before.advertisement_sent);
    less(now.priority_zero_pkts_rcvd, before.priority_zero_pkts_rcvd);
    less(now.priority_zero_pkts_sent, before.priority_zero_pkts_sent);
    for (std::size_t i = 0; i < now.errors.size(); ++i) less(now.errors[i], before.errors[i]);
  }
  return status;
}

std::string stats_text(const Status& status) {
  Lines lines;
  for (const RouterStatus& router : status.instances) {
    const RouterStatistics& s = router.statistics;
    lines.add("VRRP Instance: {}", router.name);
    lines.add("  Advertisements:");
    lines.add("    Received: {}", s.advertisement_rcvd);
    lines.add("    Sent: {}", s.advertisement_sent);
    lines.add("  Became master: {}", s.master_transitions);
    lines.add("  Released master: {}", released(router));
    lines.add("  Packet Errors:");
    lines.add("    Length: {}", count(s, PacketError::kLength));
    lines.add("    TTL: {}", count(s, PacketError::kTtl));
    lines.add("    Invalid Type: {}", count(s, PacketError::kType));
    lines.add("    Advertisement Interval: {}", count(s, PacketError::kInterval));
    lines.add("    Address List: {}", count(s, PacketError::kAddressList));
    lines.add("  Authentication Errors:");
    lines.add("    Invalid Type: 0");
    lines.add("    Type Mismatch: {}", count(s, PacketError::kAuthType));
    lines.add("    Failure: {}", count(s, PacketError::kAuthentication));
    lines.add("  Priority Zero:");
    lines.add("    Received: {}", s.priority_zero_pkts_rcvd);
    lines.add("    Sent: {}", s.priority_zero_pkts_sent);
  }
  return lines.take();
}

std::string data_text(const Config& config, const Status& status) {
  const std::vector<Both> all = instances(config, status);
  Lines lines;
  lines.add("------< VRRP Topology >------");
  for (const Both& both : all) add_instance(lines, config, both);
  if (config.groups.empty()) return lines.take();
  lines.add("------< VRRP Sync groups >------");
  for (const vrrp::GroupConfig& group : config.groups) add_group(lines, group, all);
  return lines.take();
}

std::string json_text(const Config& config, const Status& status) {
  auto list = nlohmann::ordered_json::array();
  for (const Both& both : instances(config, status)) {
    list.push_back({{"data", data_json(config, both)}, {"stats", stats_json(both.status)}});
  }
  // Names hold printable ASCII only, and yet nobody can make this throw.
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace ha::keepalived
