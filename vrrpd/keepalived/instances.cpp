#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "vrrpd/keepalived/sections.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPasswordSizeBytesMax = 8;

void read_state(Instance& instance, const Statement& line, Reading& reading) {
  const auto state = word_at(line, 1, reading);
  if (!state) return;
  instance.is_initially_master = *state == "MASTER";
  if (*state != "MASTER" && *state != "BACKUP") {
    reading.report.note(line.place, fmt::format("state {} is neither MASTER nor BACKUP; BACKUP is "
                                                "taken, as by keepalived",
                                                shown(*state)));
  }
}

void read_auth_type(Authentication& authentication, const Statement& line, Reading& reading) {
  const auto type = word_at(line, 1, reading);
  if (!type) return;
  if (*type == "PASS") {
    authentication.type = Authentication::Type::kPass;
  } else {
    reading.report.error(line.place,
                         fmt::format("auth_type {} is not supported; only PASS is", shown(*type)));
  }
}

/// The password appears in no message.
void read_auth_pass(Authentication& authentication, const Statement& line, Reading& reading) {
  const auto password = word_at(line, 1, reading);
  if (!password) return;
  if (password->size() > kPasswordSizeBytesMax) {
    reading.report.note(line.place, "auth_pass: only the first 8 bytes count, as in keepalived");
  }
  authentication.password = password->substr(0, kPasswordSizeBytesMax);
}

constexpr Reader<Authentication> kAuthenticationReaders[] = {
    {"auth_type", 2, read_auth_type},
    {"auth_pass", kAnyWords,
     [](Authentication& authentication, const Statement& line, Reading& reading) {
       if (line.words.size() > 2) {
         reading.report.note(line.place, "auth_pass ends at the first blank, as in keepalived");
       }
       read_auth_pass(authentication, line, reading);
     }},
};

void read_authentication(Instance& instance, const Statement& line, Reading& reading) {
  Authentication authentication;
  authentication.place = line.place;
  read_block(Context::kAuthentication, line, kAuthenticationReaders, authentication, reading);
  instance.authentication = std::move(authentication);
}

/// ADDRESS [min_ttl N] [max_ttl N] …
void read_peer(Instance& instance, const Statement& line, Reading& reading) {
  const auto address = address_at(line, 0, reading);
  for (std::size_t i = 1; i < line.words.size(); i += 2) {
    const std::string& option = line.words[i];
    if (option != "min_ttl" && option != "max_ttl") {
      reading.report.warning(
          line.place, fmt::format("unknown option {} of a peer; it is left out", shown(option)));
      --i;
      continue;
    }
    const auto ttl = integer_at(line, i + 1, 0, 255, reading);
    if (!ttl) continue;
    if (option == "max_ttl") {
      if (*ttl < 255) reading.report.warning(line.place, "max_ttl: a high TTL refuses nobody");
    } else {
      instance.min_ttl = instance.peers.empty() ? *ttl : std::min(instance.min_ttl, *ttl);
    }
  }
  if (address) instance.peers.push_back(*address);
}

void read_peers(Instance& instance, const Statement& block, Reading& reading) {
  instance.has_peers = true;
  for (const Statement& line : block.block) read_peer(instance, line, reading);
}

void read_group(Instance& instance, const Statement& line, Reading& reading) {
  const auto address = address_at(line, 1, reading);
  if (!address) return;
  if (!address->is_multicast()) {
    reading.report.error(line.place, fmt::format("{} {} is not a multicast address", line.keyword(),
                                                 shown(line.words[1])));
    return;
  }
  instance.group = *address;
}

void read_source(Instance& instance, const Statement& line, Reading& reading) {
  if (const auto address = address_at(line, 1, reading)) instance.source = *address;
}

void read_unicast_ttl(Instance&, const Statement& line, Reading& reading) {
  const auto ttl = integer_at(line, 1, 0, 255, reading);
  if (ttl && *ttl != 255) {
    reading.report.warning(line.place, "unicast_ttl: advertisements always leave with TTL 255");
  }
}

/// A value behind the keyword has no meaning there: `no_accept off` does not accept either.
void read_accept(Instance& instance, const Statement& line, Reading&) {
  instance.accepts = line.keyword() == "accept";
}

constexpr std::size_t kFiveOctetsSizeBytes = 14;

/// Six octets, or five of them: the virtual_router_id is the last one then, which is left 0 here.
[[nodiscard]] config::Parsed<MacAddress> parse_mac(const std::string& word) {
  const auto mac = config::parse_mac(word.size() == kFiveOctetsSizeBytes ? word + ":00" : word);
  if (!mac) return mac;
  const MacAddress start = vrrp::virtual_mac_address(Family::kIpv4, Vrid{1});
  if (std::equal(start.begin(), start.begin() + 4, mac->begin())) {
    return tl::make_unexpected(
        "is one that stands for other virtual routers (RFC 9568 section 7.3)");
  }
  return mac;
}

/// [NAME] [MAC], in this order or the other.
void read_use_vmac(Instance& instance, const Statement& line, Reading& reading) {
  instance.virtual_mac.emplace();
  instance.virtual_mac_place = line.place;
  vrrp::VirtualMac& virtual_mac = *instance.virtual_mac;
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    const std::string& word = line.words[i];
    const auto refuse = [&](const std::string& why) {
      reading.report.error(line.place, fmt::format("use_vmac {} {}", shown(word), why));
    };
    if (word.find(':') != std::string::npos) {
      const auto mac = parse_mac(word);
      if (!mac) return refuse(mac.error());
      virtual_mac.address = *mac;
      instance.mac_ends_with_vrid = word.size() == kFiveOctetsSizeBytes;
    } else if (virtual_mac.device.empty()) {
      const auto name = config::parse_interface(word);
      if (!name) return refuse(name.error());
      virtual_mac.device = *name;
    } else {
      return refuse(fmt::format("is a second name, beside {}", shown(virtual_mac.device)));
    }
  }
}

void read_nopreempt(Instance& instance, const Statement& line, Reading&) {
  instance.has_nopreempt = line.keyword() == "nopreempt";
  instance.nopreempt_place = line.place;
}

template <void (*read)(Shared&, const Statement&, Reading&)>
void read_shared(Instance& instance, const Statement& line, Reading& reading) {
  read(instance.shared, line, reading);
}

template <void (*read)(const Statement&, Reading&)>
void read_fixed(Instance&, const Statement& line, Reading& reading) {
  read(line, reading);
}

void read_instance_tracked(Instance& instance, const Statement& block, Reading& reading) {
  read_tracked(instance.tracked, block, reading);
}

void read_instance_notify(Instance& instance, const Statement& line, Reading& reading) {
  read_notify(instance.notify, line, reading);
}

template <class T>
void read_smtp_alert(T& into, const Statement& line, Reading& reading) {
  into.mail = flag(line, reading);
  into.mail_place = line.place;
}

constexpr Reader<Instance> kReaders[] = {
    {"state", 2, read_state},
    {"interface", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.interface = interface_at(line, 1, r).value_or("");
     }},
    {"virtual_router_id", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.vrid = integer_at(line, 1, 1, 255, r).value_or(1);
     }},
    {"priority", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.priority = integer_at(line, 1, 1, 255, r);
     }},
    {"advert_int", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.interval = timer_at(line, 1, 10ms, 255s, r);
       i.interval_place = line.place;
     }},
    {"version", 2, read_shared<read_version>},
    {"authentication", 1, read_authentication},
    {"virtual_ipaddress", 1, read_addresses},
    {"virtual_ipaddress_excluded", 1, read_addresses},
    {"virtual_routes", 1, read_routes},
    {"virtual_rules", 1, read_rules},
    {"track_interface", 1, read_instance_tracked},
    {"track_script", 1, read_instance_tracked},
    {"track_file", 1, read_instance_tracked},
    {"track_process", 1, read_instance_tracked},
    {"nopreempt", 1, read_nopreempt},
    {"preempt", 1, read_nopreempt},
    {"preempt_delay", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.preempt_delay = timer_at(line, 1, 0s, 1000s, r);
     }},
    {"unicast_src_ip", 2, read_source},
    {"mcast_src_ip", 2, read_source},
    {"unicast_peer", 1, read_peers},
    {"unicast_ttl", 2, read_unicast_ttl},
    {"mcast_dst_ip", 2, read_group},
    {"v3_checksum_as_v2", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.shared.checksum_as_v2 = flag(line, r);
     }},
    {"strict_mode", 2,
     [](Instance& i, const Statement& line, Reading& r) { i.shared.is_strict = flag(line, r); }},
    {"garp_master_delay", 2, read_shared<read_garp_delay>},
    {"garp_master_repeat", 2, read_shared<read_garp_repeat>},
    {"garp_master_refresh", 2, read_shared<read_garp_refresh>},
    {"garp_master_refresh_repeat", 2, read_shared<read_refresh_repeat>},
    {"garp_lower_prio_delay", 2, read_shared<read_lower_prio_delay>},
    {"garp_lower_prio_repeat", 2, read_shared<read_lower_prio_repeat>},
    {"lower_prio_no_advert", 2, read_shared<read_lower_prio_no_advert>},
    {"higher_prio_send_advert", 2, read_shared<read_higher_prio_send_advert>},
    {"dont_track_primary", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.ignores_link = flag(line, r).value_or(false);
     }},
    {"accept", kAnyWords, read_accept},
    {"no_accept", kAnyWords, read_accept},
    {"use_vmac", kAnyWords, read_use_vmac},
    {"use_vmac_addr", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.covers_addresses = flag(line, r).value_or(false);
     }},
    {"vmac_xmit_base", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.transmits_from_base = flag(line, r).value_or(false);
     }},
    {"owner_ignore_adverts", 2, read_fixed<read_off>},
    {"down_timer_adverts", 2, read_fixed<read_down_timer_adverts>},
    {"notify_master", kAnyWords, read_instance_notify},
    {"notify_backup", kAnyWords, read_instance_notify},
    {"notify_fault", kAnyWords, read_instance_notify},
    {"notify_stop", kAnyWords, read_instance_notify},
    {"notify", kAnyWords, read_instance_notify},
    {"notify_master_rx_lower_pri", kAnyWords, read_instance_notify},
    {"notify_deleted", kAnyWords, read_instance_notify},
    {"smtp_alert", 2, read_smtp_alert<Instance>},
    {"notify_priority_changes", 2,
     [](Instance& i, const Statement& line, Reading& r) {
       i.shared.notify_priority_changes = flag(line, r);
     }},
};

void read_group_tracked(SyncGroup& group, const Statement& block, Reading& reading) {
  read_tracked(group.tracked, block, reading);
}

void read_group_notify(SyncGroup& group, const Statement& line, Reading& reading) {
  read_notify(group.notify, line, reading);
}

constexpr Reader<SyncGroup> kGroupReaders[] = {
    {"group", 1,
     [](SyncGroup& group, const Statement& block, Reading&) {
       group.members = words_of_block(block);
     }},
    {"track_interface", 1, read_group_tracked},
    {"track_script", 1, read_group_tracked},
    {"track_file", 1, read_group_tracked},
    {"track_process", 1, read_group_tracked},
    {"notify_master", kAnyWords, read_group_notify},
    {"notify_backup", kAnyWords, read_group_notify},
    {"notify_fault", kAnyWords, read_group_notify},
    {"notify_stop", kAnyWords, read_group_notify},
    {"notify", kAnyWords, read_group_notify},
    {"smtp_alert", 2, read_smtp_alert<SyncGroup>},
    {"sync_group_tracking_weight", 2,
     [](SyncGroup& group, const Statement& line, Reading& reading) {
       group.weighs = flag(line, reading).value_or(false);
     }},
};

}  // namespace

void read_instance(Draft& draft, const Statement& block, Reading& reading) {
  Instance instance;
  instance.place = block.place;
  instance.name = word_at(block, 1, reading).value_or("");
  read_block(Context::kInstance, block, kReaders, instance, reading);
  draft.instances.push_back(std::move(instance));
}

void read_sync_group(Draft& draft, const Statement& block, Reading& reading) {
  SyncGroup group;
  group.place = block.place;
  group.name = word_at(block, 1, reading).value_or("");
  read_block(Context::kSyncGroup, block, kGroupReaders, group, reading);
  draft.groups.push_back(std::move(group));
}

void read_notify(vrrp::NotifyConfig& notify, const Statement& line, Reading& reading) {
  auto command = command_of(line, reading);
  if (!command) return;
  const std::string& keyword = line.keyword();
  auto& into = keyword == "notify_master"                ? notify.master
               : keyword == "notify_backup"              ? notify.backup
               : keyword == "notify_fault"               ? notify.fault
               : keyword == "notify_stop"                ? notify.stop
               : keyword == "notify_master_rx_lower_pri" ? notify.lower_priority
               : keyword == "notify_deleted"             ? notify.deleted
                                                         : notify.any;
  into = std::move(*command);
}

}  // namespace ha::keepalived
