/// What a keepalived.conf says, before defaults are filled in and names resolved: globals may
/// follow the instances they apply to, scripts the instances that track them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ha/command.hpp"
#include "ha/ip.hpp"
#include "ha/types.hpp"
#include "vrrpd/config/config.hpp"
#include "vrrpd/config/virtual_mac.hpp"
#include "vrrpd/keepalived/report.hpp"

namespace ha::keepalived {

/// Who runs a script. Empty: whoever is the default.
struct Identity {
  std::string user;
  std::string group;
};

/// Settings that global_defs gives for all and an instance for itself.
struct Shared {
  std::optional<Version> version;
  std::optional<Duration> garp_delay;
  std::optional<int> garp_repeat;
  std::optional<Duration> garp_refresh;
  std::optional<int> garp_refresh_repeat;
  std::optional<Duration> garp_lower_prio_delay;
  std::optional<int> garp_lower_prio_repeat;
  std::optional<bool> is_silent_to_lesser;  ///< lower_prio_no_advert
  std::optional<bool> answers_better;       ///< higher_prio_send_advert
  std::optional<bool> is_strict;
  std::optional<bool> checksum_as_v2;
  std::optional<bool> notify_priority_changes;
};

/// What global_defs says about mail. Empty: keepalived's default.
struct Mail {
  std::vector<std::string> to;
  Place place;  ///< of notification_email
  std::string from;
  std::string server;
  std::optional<int> port;
  std::string helo;
  std::string name;  ///< router_id
  std::optional<Duration> timeout;
  bool faults = true;
  std::optional<bool> alert;       ///< smtp_alert: everybody's default
  std::optional<bool> alert_vrrp;  ///< smtp_alert_vrrp: the same, and goes before it
  Place alert_place;
};

struct Globals {
  Shared shared;
  std::string default_interface = "eth0";
  std::optional<Identity> script_user;
  IpAddress group4 = boost::asio::ip::make_address("224.0.0.18");
  IpAddress group6 = boost::asio::ip::make_address("ff02::12");
  bool has_min_garp = false;
  std::string fifo;  ///< empty: none
  Rare<Command> fifo_reader;
  std::string vrrp_fifo;
  Rare<Command> vrrp_fifo_reader;
  std::optional<Duration> garp_interval;  ///< IPv4
  std::optional<Duration> gna_interval;   ///< IPv6
  bool repeats_states = false;            ///< fifo_write_vrrp_states_on_reload
  Duration startup_delay{};
  Mail mail;
  std::optional<std::string> device_prefix;          ///< vmac_prefix
  std::optional<std::string> address_device_prefix;  ///< vmac_addr_prefix
};

/// A tracked thing, as an instance or a group names it.
struct Tracked {
  enum class Kind : std::uint8_t { kInterface, kScript, kFile, kProcess };
  Kind kind = Kind::kScript;
  std::string name;
  std::optional<int> weight;  ///< nothing: that of what is tracked
  bool is_reversed = false;
  Place place;
};

/// vrrp_script, track_file or vrrp_track_process.
struct Tracker {
  Tracked::Kind kind = Tracked::Kind::kScript;
  Place place;
  checks::CheckConfig check;  ///< its probe is filled in
  bool is_complete = false;   ///< the script, file or process is given
  bool has_timeout = false;
  bool has_user = false;
  int weight = 0;
  bool is_reversed = false;
  Place process_place;
  bool has_full_command = false;
  std::optional<checks::ProcessProbe::Match> match;  ///< param_match
};

struct Authentication {
  enum class Type : std::uint8_t { kNone, kPass };
  Type type = Type::kNone;
  std::string password;
  Place place;
};

struct Instance {
  std::string name;
  Place place;
  Shared shared;
  std::optional<bool> is_initially_master;
  std::string interface;  ///< empty: the default one
  std::optional<int> vrid;
  std::optional<int> priority;
  std::optional<Duration> interval;  ///< as it is written
  Place interval_place;
  std::optional<Authentication> authentication;
  std::vector<vrrp::VirtualAddress> addresses;
  std::vector<Place> address_places;
  std::vector<Route> routes;
  std::vector<Rule> rules;
  std::vector<IpAddress> peers;
  bool has_peers = false;
  int min_ttl = 1;
  std::optional<IpAddress> source;
  std::optional<IpAddress> group;
  bool ignores_link = false;  ///< dont_track_primary
  bool accepts = true;
  /// use_vmac: what it leaves out is empty, as in a draft of ours.
  std::optional<vrrp::VirtualMac> virtual_mac;
  Place virtual_mac_place;
  bool mac_ends_with_vrid = false;   ///< its last octet is still to be filled in
  bool transmits_from_base = false;  ///< vmac_xmit_base
  bool covers_addresses = false;     ///< use_vmac_addr
  bool has_nopreempt = false;
  Place nopreempt_place;
  std::optional<Duration> preempt_delay;
  std::vector<Tracked> tracked;
  vrrp::NotifyConfig notify;
  std::optional<bool> mail;  ///< smtp_alert
  Place mail_place;
};

struct SyncGroup {
  std::string name;
  Place place;
  std::vector<std::string> members;
  std::vector<Tracked> tracked;
  vrrp::NotifyConfig notify;
  std::optional<bool> mail;  ///< smtp_alert
  Place mail_place;
  bool weighs = false;  ///< sync_group_tracking_weight
};

struct Draft {
  Globals globals;
  vrrp::StaticConfig fixed;  ///< static_ipaddress, static_routes and static_rules
  std::vector<Instance> instances;
  std::vector<SyncGroup> groups;
  std::vector<Tracker> trackers;
};

}  // namespace ha::keepalived
