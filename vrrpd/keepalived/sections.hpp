/// Reading the blocks of a keepalived.conf into a draft, each a function of its statement.
#pragma once

#include "vrrpd/keepalived/values.hpp"

namespace ha::keepalived {

void read_globals(Globals& globals, const Statement& block, Reading& reading);
void read_instance(Draft& draft, const Statement& block, Reading& reading);
void read_sync_group(Draft& draft, const Statement& block, Reading& reading);
/// vrrp_script, track_file and vrrp_track_process.
void read_tracker(Draft& draft, const Statement& block, Reading& reading);

/// The lines of virtual_ipaddress and virtual_ipaddress_excluded.
void read_addresses(Instance& instance, const Statement& block, Reading& reading);

/// The lines of virtual_routes and virtual_rules. One that cannot be installed is left out.
void read_routes(Instance& instance, const Statement& block, Reading& reading);
void read_rules(Instance& instance, const Statement& block, Reading& reading);

/// static_ipaddress, static_routes or static_rules.
void read_static(Draft& draft, const Statement& block, Reading& reading);

/// A label is kept if the kernel's tools would find the address by it, which is on `interface`.
void check_label_on(const std::string& interface, vrrp::VirtualAddress& address, Place place,
                    Reading& reading);

/// Leaves out what an instance cannot have: addresses of two families, labels of other interfaces.
void settle_addresses(Instance& instance, const std::string& default_interface, Reading& reading);

/// The lines of track_interface, track_script, track_file and track_process.
void read_tracked(std::vector<Tracked>& tracked, const Statement& block, Reading& reading);

/// One of the notify… lines that instances and groups have.
void read_notify(vrrp::NotifyConfig& notify, const Statement& line, Reading& reading);

// Settings that global_defs (as vrrp_…) and an instance have both.
void read_version(Shared& shared, const Statement& line, Reading& reading);
void read_garp_delay(Shared& shared, const Statement& line, Reading& reading);
void read_garp_repeat(Shared& shared, const Statement& line, Reading& reading);
void read_garp_refresh(Shared& shared, const Statement& line, Reading& reading);
void read_refresh_repeat(Shared& shared, const Statement& line, Reading& reading);
void read_lower_prio_delay(Shared& shared, const Statement& line, Reading& reading);
void read_lower_prio_repeat(Shared& shared, const Statement& line, Reading& reading);
void read_lower_prio_no_advert(Shared& shared, const Statement& line, Reading& reading);
void read_higher_prio_send_advert(Shared& shared, const Statement& line, Reading& reading);
/// Accepts nothing but 3, the default; warns of anything else that is valid.
void read_down_timer_adverts(const Statement& line, Reading& reading);
/// The same for `off`.
void read_off(const Statement& line, Reading& reading);

}  // namespace ha::keepalived
