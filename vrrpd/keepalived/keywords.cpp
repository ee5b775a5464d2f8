#include "vrrpd/keepalived/keywords.hpp"

#include <algorithm>

namespace ha::keepalived {
namespace {

using C = Context;
constexpr Treatment kRead = Treatment::kRead;
constexpr Treatment kNote = Treatment::kNote;
constexpr Treatment kWarning = Treatment::kWarning;
constexpr Treatment kError = Treatment::kError;

constexpr std::string_view kBalancer = "belongs to IPVS, which vrrpd does not manage";
constexpr std::string_view kScheduling = "how the process is scheduled is set in vrrpd's unit";
constexpr std::string_view kBuffers = "vrrpd sizes its buffers itself";
constexpr std::string_view kFirewall =
    "the packet filter of no_accept is an nf_tables table of vrrpd's own";
constexpr std::string_view kNames = "processes and files of vrrpd have names of their own";
constexpr std::string_view kDumps = "vrrpctl status --json says it at any time";
constexpr std::string_view kInterfaces = "interfaces may come and go";
constexpr std::string_view kSnmp = "there is no SNMP agent; vrrpctl status --json has the figures";
constexpr std::string_view kVirtualMac = "the macvlan is in mode bridge; see above";
constexpr std::string_view kSpacing = "to the millisecond, at most a second";
constexpr std::string_view kNoSpacing =
    "unknown there to keepalived, too; give vrrp_garp_interval in global_defs";
constexpr std::string_view kConflict =
    "at most once a second while a conflict lasts; by default 1, and 1 after an interval";
constexpr std::string_view kBfd = "there is no BFD";
constexpr std::string_view kOld = "means nothing any more";

constexpr Keyword kKeywords[] = {
    // ---- the file ----
    {C::kFile, "global_defs", kRead, ""},
    {C::kFile, "global_definitions", kRead, ""},
    {C::kFile, "vrrp_instance", kRead, ""},
    {C::kFile, "vrrp_sync_group", kRead, ""},
    {C::kFile, "vrrp_script", kRead, ""},
    {C::kFile, "track_file", kRead, ""},
    {C::kFile, "vrrp_track_file", kRead, ""},
    {C::kFile, "vrrp_track_process", kRead, ""},
    {C::kFile, "bfd_instance", kWarning, kBfd},
    {C::kFile, "track_group", kWarning,
     "static addresses and routes are there whatever the group is"},
    {C::kFile, "garp_group", kWarning, "give vrrp_garp_interval in global_defs"},
    {C::kFile, "static_ipaddress", kRead, ""},
    {C::kFile, "static_routes", kRead,
     "next hops of several paths and rare options are left out, with a warning"},
    {C::kFile, "static_rules", kRead, "rare options are left out, with a warning"},
    {C::kFile, "interface_up_down_delays", kWarning, "changes of a link count at once"},
    {C::kFile, "linkbeat_interfaces", kNote, "the kernel tells about links by itself"},
    {C::kFile, "linkbeat_use_polling", kNote, "the kernel tells about links by itself"},
    {C::kFile, "net_namespace", kError, "start vrrpd inside the namespace: ip netns exec NAME"},
    {C::kFile, "net_namespace_ipvs", kNote, kBalancer},
    {C::kFile, "namespace_with_ipsets", kNote, kFirewall},
    {C::kFile, "instance", kNote, kNames},
    {C::kFile, "use_pid_dir", kNote, kNames},
    {C::kFile, "child_wait_time", kNote, "the guard has a time limit of its own"},
    {C::kFile, "virtual_server", kWarning, kBalancer},
    {C::kFile, "virtual_server_group", kWarning, kBalancer},
    {C::kFile, "SSL", kNote, kBalancer},

    // ---- global_defs ----
    {C::kGlobal, "default_interface", kRead, ""},
    {C::kGlobal, "script_user", kRead, ""},
    {C::kGlobal, "vrrp_version", kRead, ""},
    {C::kGlobal, "vrrp_mcast_group4", kRead, ""},
    {C::kGlobal, "vrrp_mcast_group6", kRead, ""},
    {C::kGlobal, "vrrp_strict", kRead, "authentication is ignored, as there; nothing is filtered"},
    {C::kGlobal, "vrrp_garp_master_delay", kRead, ""},
    {C::kGlobal, "vrrp_garp_master_repeat", kRead, ""},
    {C::kGlobal, "vrrp_garp_master_refresh", kRead, ""},
    {C::kGlobal, "vrrp_garp_master_refresh_repeat", kRead, ""},
    {C::kGlobal, "vrrp_garp_lower_prio_delay", kRead, kConflict},
    {C::kGlobal, "vrrp_garp_lower_prio_repeat", kRead, kConflict},
    {C::kGlobal, "vrrp_garp_interval", kRead, kSpacing},
    {C::kGlobal, "vrrp_gna_interval", kRead, kSpacing},
    {C::kGlobal, "vrrp_min_garp", kRead, ""},
    {C::kGlobal, "vrrp_garp_extra_if", kWarning,
     "addresses are announced again by vrrp_garp_master_refresh"},
    {C::kGlobal, "vrrp_down_timer_adverts", kRead, "only 3, the RFC's, is honoured"},
    {C::kGlobal, "vrrp_lower_prio_no_advert", kRead, ""},
    {C::kGlobal, "vrrp_higher_prio_send_advert", kRead, ""},
    {C::kGlobal, "vrrp_owner_ignore_adverts", kRead, "only `off` is honoured"},
    {C::kGlobal, "v3_checksum_as_v2", kRead, ""},
    {C::kGlobal, "vrrp_check_unicast_src", kNote, "peers are always checked"},
    {C::kGlobal, "vrrp_skip_check_adv_addr", kNote,
     "other addresses than ours never refuse an advertisement; they raise an alarm"},
    {C::kGlobal, "vrrp_notify_priority_changes", kRead, ""},
    {C::kGlobal, "notify_fifo", kRead, ""},
    {C::kGlobal, "notify_fifo_script", kRead, ""},
    {C::kGlobal, "vrrp_notify_fifo", kRead, ""},
    {C::kGlobal, "vrrp_notify_fifo_script", kRead, ""},
    {C::kGlobal, "lvs_notify_fifo", kNote, kBalancer},
    {C::kGlobal, "lvs_notify_fifo_script", kNote, kBalancer},
    {C::kGlobal, "fifo_write_vrrp_states_on_reload", kRead,
     "those of instances and groups; keepalived 2.2.7 repeats groups alone"},
    {C::kGlobal, "enable_script_security", kNote,
     "a script that others may write to is never run, and has failed"},
    {C::kGlobal, "use_symlink_paths", kNote, "scripts are started by the path that is given"},
    {C::kGlobal, "set_supplementary_groups", kNote, "scripts always have all groups of their user"},
    {C::kGlobal, "startup_script", kWarning, "start it from vrrpd's unit: ExecStartPre"},
    {C::kGlobal, "startup_script_timeout", kNote, "no startup_script runs"},
    {C::kGlobal, "shutdown_script", kWarning, "start it from vrrpd's unit: ExecStopPost"},
    {C::kGlobal, "shutdown_script_timeout", kNote, "no shutdown_script runs"},
    {C::kGlobal, "dynamic_interfaces", kNote, kInterfaces},
    {C::kGlobal, "vrrp_startup_delay", kRead, ""},
    {C::kGlobal, "vrrp_delay_after_boot", kWarning, "vrrp_startup_delay counts from vrrpd's start"},
    {C::kGlobal, "router_id", kRead, "is for the subjects of mails only"},
    {C::kGlobal, "notification_email", kRead, ""},
    {C::kGlobal, "notification_email_from", kRead, "default: root at the short host name"},
    {C::kGlobal, "smtp_server", kRead, "looked up for each mail, not once at the start"},
    {C::kGlobal, "smtp_helo_name", kRead, "default: the short host name"},
    {C::kGlobal, "smtp_connect_timeout", kRead, "at most 10 minutes"},
    {C::kGlobal, "smtp_alert", kRead, ""},
    {C::kGlobal, "smtp_alert_vrrp", kRead, ""},
    {C::kGlobal, "smtp_alert_checker", kNote, kBalancer},
    {C::kGlobal, "no_email_faults", kRead, ""},
    {C::kGlobal, "email_faults", kNote, "is the default"},
    {C::kGlobal, "max_auto_priority", kNote, kScheduling},
    {C::kGlobal, "min_auto_priority_delay", kNote, kScheduling},
    {C::kGlobal, "vrrp_priority", kNote, kScheduling},
    {C::kGlobal, "vrrp_rt_priority", kNote, kScheduling},
    {C::kGlobal, "vrrp_no_swap", kNote, kScheduling},
    {C::kGlobal, "vrrp_cpu_affinity", kNote, kScheduling},
    {C::kGlobal, "vrrp_rlimit_rttime", kNote, kScheduling},
    {C::kGlobal, "vrrp_rlimit_rtime", kNote, kScheduling},
    {C::kGlobal, "vrrp_process_name", kNote, kNames},
    {C::kGlobal, "process_names", kNote, kNames},
    {C::kGlobal, "process_name", kNote, kNames},
    {C::kGlobal, "checker_process_name", kNote, kNames},
    {C::kGlobal, "bfd_process_name", kNote, kNames},
    {C::kGlobal, "checker_priority", kNote, kBalancer},
    {C::kGlobal, "checker_rt_priority", kNote, kBalancer},
    {C::kGlobal, "checker_no_swap", kNote, kBalancer},
    {C::kGlobal, "checker_cpu_affinity", kNote, kBalancer},
    {C::kGlobal, "checker_rlimit_rttime", kNote, kBalancer},
    {C::kGlobal, "checker_log_all_failures", kNote, kBalancer},
    {C::kGlobal, "bfd_priority", kNote, kBfd},
    {C::kGlobal, "bfd_rt_priority", kNote, kBfd},
    {C::kGlobal, "bfd_no_swap", kNote, kBfd},
    {C::kGlobal, "bfd_cpu_affinity", kNote, kBfd},
    {C::kGlobal, "bfd_rlimit_rttime", kNote, kBfd},
    {C::kGlobal, "log_unknown_vrids", kNote, "vrrpctl status counts them"},
    {C::kGlobal, "vrrp_iptables", kNote, kFirewall},
    {C::kGlobal, "vrrp_ipsets", kNote, kFirewall},
    {C::kGlobal, "nftables", kNote, kFirewall},
    {C::kGlobal, "nftables_priority", kNote, kFirewall},
    {C::kGlobal, "nftables_counters", kNote, kFirewall},
    {C::kGlobal, "nftables_ifindex", kNote, kFirewall},
    {C::kGlobal, "disable_local_igmp", kWarning, "the multicast group is joined as usual"},
    {C::kGlobal, "vmac_prefix", kRead, "at most 8 bytes"},
    {C::kGlobal, "vmac_addr_prefix", kRead, "at most 8 bytes"},
    {C::kGlobal, "snmp_socket", kNote, kSnmp},
    {C::kGlobal, "enable_traps", kWarning, kSnmp},
    {C::kGlobal, "enable_snmp_vrrp", kWarning, kSnmp},
    {C::kGlobal, "enable_snmp_keepalived", kWarning, kSnmp},
    {C::kGlobal, "enable_snmp_checker", kNote, kBalancer},
    {C::kGlobal, "enable_snmp_rfc", kWarning, kSnmp},
    {C::kGlobal, "enable_snmp_rfcv2", kWarning, kSnmp},
    {C::kGlobal, "enable_snmp_rfcv3", kWarning, kSnmp},
    {C::kGlobal, "enable_dbus", kWarning, "there is no D-Bus interface; vrrpctl is for that"},
    {C::kGlobal, "dbus_service_name", kNote, "there is no D-Bus interface"},
    {C::kGlobal, "dbus_no_interface_name", kNote, "there is no D-Bus interface"},
    {C::kGlobal, "umask", kNote, "vrrpd's files have fixed modes"},
    {C::kGlobal, "random_seed", kNote, "nothing is random"},
    {C::kGlobal, "iproute_usr_dir", kNote, "names of routing tables are not used"},
    {C::kGlobal, "iproute_etc_dir", kNote, "names of routing tables are not used"},
    {C::kGlobal, "tmp_config_directory", kNote, "no copy of the configuration is written"},
    {C::kGlobal, "config_save_dir", kNote, "no copy of the configuration is written"},
    {C::kGlobal, "reload_check_config", kNote, "a reload is always checked first"},
    {C::kGlobal, "reload_time_file", kWarning, "reloads are not scheduled; use a timer unit"},
    {C::kGlobal, "reload_repeat", kNote, "reloads are not scheduled"},
    {C::kGlobal, "reload_file", kWarning, "no file marks a reload; vrrpctl reload waits for it"},
    {C::kGlobal, "state_dump_file", kNote, kDumps},
    {C::kGlobal, "stats_dump_file", kNote, kDumps},
    {C::kGlobal, "json_dump_file", kNote, kDumps},
    {C::kGlobal, "data_use_instance", kNote, kDumps},
    {C::kGlobal, "json_version", kNote, kDumps},
    {C::kGlobal, "vrrp_netlink_cmd_rcv_bufs", kNote, kBuffers},
    {C::kGlobal, "vrrp_netlink_cmd_rcv_bufs_force", kNote, kBuffers},
    {C::kGlobal, "vrrp_netlink_monitor_rcv_bufs", kNote, kBuffers},
    {C::kGlobal, "vrrp_netlink_monitor_rcv_bufs_force", kNote, kBuffers},
    {C::kGlobal, "lvs_netlink_cmd_rcv_bufs", kNote, kBuffers},
    {C::kGlobal, "lvs_netlink_cmd_rcv_bufs_force", kNote, kBuffers},
    {C::kGlobal, "lvs_netlink_monitor_rcv_bufs", kNote, kBuffers},
    {C::kGlobal, "lvs_netlink_monitor_rcv_bufs_force", kNote, kBuffers},
    {C::kGlobal, "process_monitor_rcv_bufs", kNote, kBuffers},
    {C::kGlobal, "process_monitor_rcv_bufs_force", kNote, kBuffers},
    {C::kGlobal, "vrrp_rx_bufs_policy", kNote, kBuffers},
    {C::kGlobal, "vrrp_rx_bufs_multiplier", kNote, kBuffers},
    {C::kGlobal, "rs_init_notifies", kNote, kBalancer},
    {C::kGlobal, "no_checker_emails", kNote, kBalancer},
    {C::kGlobal, "lvs_sync_daemon", kNote, kBalancer},
    {C::kGlobal, "lvs_flush", kNote, kBalancer},
    {C::kGlobal, "lvs_flush_on_stop", kNote, kBalancer},
    {C::kGlobal, "lvs_id", kNote, kOld},
    {C::kGlobal, "net_namespace", kError, "start vrrpd inside the namespace: ip netns exec NAME"},
    {C::kGlobal, "net_namespace_ipvs", kNote, kBalancer},
    {C::kGlobal, "namespace_with_ipsets", kNote, kFirewall},
    {C::kGlobal, "instance", kNote, kNames},
    {C::kGlobal, "use_pid_dir", kNote, kNames},
    {C::kGlobal, "child_wait_time", kNote, "the guard has a time limit of its own"},
    {C::kGlobal, "linkbeat_use_polling", kNote, "the kernel tells about links by itself"},

    // ---- vrrp_instance ----
    {C::kInstance, "state", kRead, ""},
    {C::kInstance, "interface", kRead, ""},
    {C::kInstance, "virtual_router_id", kRead, ""},
    {C::kInstance, "priority", kRead, ""},
    {C::kInstance, "advert_int", kRead, ""},
    {C::kInstance, "version", kRead, ""},
    {C::kInstance, "authentication", kRead, ""},
    {C::kInstance, "auth_hmac", kError, "HMAC authentication is not supported"},
    {C::kInstance, "virtual_ipaddress", kRead, ""},
    {C::kInstance, "virtual_ipaddress_excluded", kRead, ""},
    {C::kInstance, "no_virtual_ipaddress", kError, "a router without addresses is not supported"},
    {C::kInstance, "virtual_routes", kRead,
     "next hops of several paths and rare options are left out, with a warning"},
    {C::kInstance, "virtual_rules", kRead, "rare options are left out, with a warning"},
    {C::kInstance, "track_interface", kRead, ""},
    {C::kInstance, "track_script", kRead, ""},
    {C::kInstance, "track_file", kRead, ""},
    {C::kInstance, "track_process", kRead, ""},
    {C::kInstance, "track_bfd", kWarning, kBfd},
    {C::kInstance, "nopreempt", kRead, "is `preempt: degraded`: an unhealthy master is relieved"},
    {C::kInstance, "preempt", kRead, ""},
    {C::kInstance, "preempt_delay", kRead, ""},
    {C::kInstance, "unicast_src_ip", kRead, ""},
    {C::kInstance, "mcast_src_ip", kRead, ""},
    {C::kInstance, "track_src_ip", kNote, "a router without its source address is always in fault"},
    {C::kInstance, "unicast_peer", kRead, "advertisements of others than the peers are dropped"},
    {C::kInstance, "unicast_ttl", kRead, "only 255 is honoured"},
    {C::kInstance, "unicast_fault_no_peer", kWarning, "an empty list of peers means multicast"},
    {C::kInstance, "check_unicast_src", kNote, "peers are always checked"},
    {C::kInstance, "mcast_dst_ip", kRead, ""},
    {C::kInstance, "old_unicast_checksum", kWarning,
     "the checksum of keepalived 1.3.6 and before is not accepted"},
    {C::kInstance, "v3_checksum_as_v2", kRead, ""},
    {C::kInstance, "skip_check_adv_addr", kNote,
     "other addresses than ours never refuse an advertisement; they raise an alarm"},
    {C::kInstance, "strict_mode", kRead,
     "authentication is ignored, as there; nothing is filtered"},
    {C::kInstance, "accept", kRead, ""},
    {C::kInstance, "no_accept", kRead, ""},
    {C::kInstance, "garp_master_delay", kRead, ""},
    {C::kInstance, "garp_master_repeat", kRead, ""},
    {C::kInstance, "garp_master_refresh", kRead, ""},
    {C::kInstance, "garp_master_refresh_repeat", kRead, ""},
    {C::kInstance, "garp_lower_prio_delay", kRead, kConflict},
    {C::kInstance, "garp_lower_prio_repeat", kRead, kConflict},
    {C::kInstance, "garp_interval", kNote, kNoSpacing},
    {C::kInstance, "gna_interval", kNote, kNoSpacing},
    {C::kInstance, "garp_extra_if", kWarning,
     "addresses are announced again by garp_master_refresh"},
    {C::kInstance, "vmac_garp_intvl", kWarning,
     "addresses are announced again by garp_master_refresh"},
    {C::kInstance, "lower_prio_no_advert", kRead, ""},
    {C::kInstance, "higher_prio_send_advert", kRead, ""},
    {C::kInstance, "owner_ignore_adverts", kRead, "only `off` is honoured"},
    {C::kInstance, "down_timer_adverts", kRead, "only 3, the RFC's, is honoured"},
    {C::kInstance, "timer_expired_backup", kNote,
     "a router that stood still always listens before it speaks"},
    {C::kInstance, "dont_track_primary", kRead, ""},
    {C::kInstance, "use_vmac", kRead, kVirtualMac},
    {C::kInstance, "use_vmac_addr", kRead, kVirtualMac},
    {C::kInstance, "vmac_xmit_base", kRead, ""},
    {C::kInstance, "use_ipvlan", kWarning,
     "addresses stay on the interface itself; use_vmac makes a macvlan"},
    {C::kInstance, "vrf", kWarning, "addresses stay in the interface's own VRF"},
    {C::kInstance, "promote_secondaries", kWarning, "the interface's setting is left alone"},
    {C::kInstance, "kernel_rx_buf_size", kNote, kBuffers},
    {C::kInstance, "linkbeat_use_polling", kNote, "the kernel tells about links by itself"},
    {C::kInstance, "debug", kNote, kOld},
    {C::kInstance, "notify_master", kRead, ""},
    {C::kInstance, "notify_backup", kRead, ""},
    {C::kInstance, "notify_fault", kRead, ""},
    {C::kInstance, "notify_stop", kRead, ""},
    {C::kInstance, "notify_deleted", kRead, "without it a removed instance tells STOP, not FAULT"},
    {C::kInstance, "notify", kRead, ""},
    {C::kInstance, "notify_master_rx_lower_pri", kRead, ""},
    {C::kInstance, "notify_priority_changes", kRead, ""},
    {C::kInstance, "smtp_alert", kRead, ""},
    {C::kInstance, "global_tracking", kNote, kOld},
    {C::kInstance, "native_ipv6", kNote, kOld},
    {C::kInstance, "lvs_sync_daemon_interface", kNote, kBalancer},
    {C::kInstance, "thread_timer_expired", kNote, kOld},
    {C::kInstance, "router_id", kNote, kOld},

    // ---- authentication ----
    {C::kAuthentication, "auth_type", kRead, "AH is not supported"},
    {C::kAuthentication, "auth_pass", kRead, ""},

    // ---- a line of virtual_ipaddress ----
    {C::kAddress, "dev", kRead, ""},
    {C::kAddress, "label", kRead, "only one that starts with the interface's name"},
    {C::kAddress, "scope", kRead, ""},
    {C::kAddress, "noprefixroute", kRead, ""},
    {C::kAddress, "brd", kRead, ""},
    {C::kAddress, "broadcast", kRead, ""},
    {C::kAddress, "peer", kWarning, "addresses are installed without a peer"},
    {C::kAddress, "home", kWarning, "this flag is not set"},
    {C::kAddress, "mngtmpaddr", kWarning, "this flag is not set"},
    {C::kAddress, "autojoin", kWarning, "this flag is not set"},
    {C::kAddress, "-nodad", kWarning, "IPv6 addresses are installed without duplicate detection"},
    {C::kAddress, "no_track", kNote, "an address that is removed is put back, without a fail-over"},
    {C::kAddress, "preferred_lft", kWarning, "vrrpd sets the lifetimes itself"},
    {C::kAddress, "track_group", kNote, "is for static addresses"},
    {C::kAddress, "use_vmac", kRead, kVirtualMac},

    // ---- vrrp_sync_group ----
    {C::kSyncGroup, "group", kRead, ""},
    {C::kSyncGroup, "track_interface", kRead, ""},
    {C::kSyncGroup, "track_script", kRead, ""},
    {C::kSyncGroup, "track_file", kRead, ""},
    {C::kSyncGroup, "track_process", kRead, ""},
    {C::kSyncGroup, "track_bfd", kWarning, kBfd},
    {C::kSyncGroup, "notify_master", kRead, ""},
    {C::kSyncGroup, "notify_backup", kRead, ""},
    {C::kSyncGroup, "notify_fault", kRead, ""},
    {C::kSyncGroup, "notify_stop", kRead, ""},
    {C::kSyncGroup, "notify", kRead, ""},
    {C::kSyncGroup, "notify_priority_changes", kNote, "groups have no priority"},
    {C::kSyncGroup, "smtp_alert", kRead, ""},
    {C::kSyncGroup, "sync_group_tracking_weight", kRead, ""},
    {C::kSyncGroup, "global_tracking", kNote, kOld},

    // ---- vrrp_script ----
    {C::kScript, "script", kRead, "one that cannot run has failed; keepalived would ignore it"},
    {C::kScript, "interval", kRead, ""},
    {C::kScript, "timeout", kRead, ""},
    {C::kScript, "weight", kRead, ""},
    {C::kScript, "fall", kRead, ""},
    {C::kScript, "rise", kRead, ""},
    {C::kScript, "user", kRead, ""},
    {C::kScript, "init_fail", kRead,
     "every script counts as failed before its first result, which then decides alone"},

    // ---- track_file ----
    {C::kTrackFile, "file", kRead, ""},
    {C::kTrackFile, "weight", kRead, ""},
    {C::kTrackFile, "init_file", kRead, "`overwrite` is not honoured"},

    // ---- vrrp_track_process ----
    {C::kTrackProcess, "process", kRead, ""},
    {C::kTrackProcess, "param_match", kRead, ""},
    {C::kTrackProcess, "weight", kRead, ""},
    {C::kTrackProcess, "quorum", kRead, ""},
    {C::kTrackProcess, "quorum_max", kRead, ""},
    {C::kTrackProcess, "fork_delay", kRead, ""},
    {C::kTrackProcess, "terminate_delay", kRead, ""},
    {C::kTrackProcess, "delay", kRead, ""},
    {C::kTrackProcess, "full_command", kRead, ""},
};

}  // namespace

std::span<const Keyword> keywords() { return kKeywords; }

const Keyword* find_keyword(Context context, std::string_view word) {
  const auto* const found = std::find_if(
      std::begin(kKeywords), std::end(kKeywords),
      [&](const Keyword& keyword) { return keyword.context == context && keyword.word == word; });
  return found == std::end(kKeywords) ? nullptr : found;
}

std::string_view name_of(Context context) {
  switch (context) {
    case Context::kFile:
      return "the file";
    case Context::kGlobal:
      return "global_defs";
    case Context::kInstance:
      return "vrrp_instance";
    case Context::kAuthentication:
      return "authentication";
    case Context::kAddress:
      return "virtual_ipaddress";
    case Context::kSyncGroup:
      return "vrrp_sync_group";
    case Context::kScript:
      return "vrrp_script";
    case Context::kTrackFile:
      return "track_file";
    case Context::kTrackProcess:
      return "vrrp_track_process";
  }
  return {};
}

}  // namespace ha::keepalived
