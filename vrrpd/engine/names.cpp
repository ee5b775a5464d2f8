/// The words of RFC 8347 for what router.hpp enumerates.
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {

std::string_view name_of(const State& state) {
  static constexpr std::string_view kNames[] = {"initialize", "fault", "backup", "master"};
  return kNames[state.index()];
}

std::string_view name_of(LastEvent event) {
  switch (event) {
    case LastEvent::kNone:
      return "none";
    case LastEvent::kStartup:
      return "startup";
    case LastEvent::kShutdown:
      return "shutdown";
    case LastEvent::kHigherPriorityBackup:
      return "higher-priority-backup";
    case LastEvent::kMasterTimeout:
      return "master-timeout";
    case LastEvent::kInterfaceUp:
      return "interface-up";
    case LastEvent::kInterfaceDown:
      return "interface-down";
    case LastEvent::kNoPrimaryIpAddress:
      return "no-primary-ip-address";
    case LastEvent::kNoVirtualIpAddresses:
      return "no-virtual-ip-addresses";
    case LastEvent::kPreemptHoldTimeout:
      return "preempt-hold-timeout";
    case LastEvent::kLowerPriorityMaster:
      return "lower-priority-master";
    case LastEvent::kOwnerPreempt:
      return "owner-preempt";
    case LastEvent::kHeldBack:
      return "held-back";
  }
  return "none";
}

std::string_view name_of(NewMasterReason reason) {
  switch (reason) {
    case NewMasterReason::kNotMaster:
      return "not-master";
    case NewMasterReason::kPriority:
      return "priority";
    case NewMasterReason::kPreempted:
      return "preempted";
    case NewMasterReason::kNoResponse:
      return "no-response";
  }
  return "not-master";
}

}  // namespace ha::vrrp
