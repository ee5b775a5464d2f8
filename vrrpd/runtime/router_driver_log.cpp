/// RouterDriver: the lines that keepalived logs besides its changes of state, in its words, since
/// people search for them. Most show only where details are asked for (`log: {level: debug}`).
#include <string>

#include "vrrpd/runtime/router_driver.hpp"

namespace ha::vrrp {
namespace {

const Backup* backup_in(const State& state) { return std::get_if<Backup>(&state); }

}  // namespace

void RouterDriver::log_advert(const Claim& claim, const State& before) {
  Log& log = services_.log;
  const bool releases = claim.priority == kPriorityRelease;
  if (std::holds_alternative<Master>(before)) {
    if (releases) log.info("({}) Master received priority 0 message", config_.name);
    return;
  }
  const Backup* const after = backup_in(state_);
  if (backup_in(before) == nullptr || after == nullptr) return;
  if (releases) {
    log.debug("({}) Backup received priority 0 advertisement", config_.name);
  } else if (after->rival == claim) {
    log.debug("({}) received lower priority ({}) advert from {} - discarding", config_.name,
              claim.priority.value(), claim.source.to_string());
  }
}

void RouterDriver::log_preempt_delay(const State& before) {
  const auto waits = [](const State& state) {
    const Backup* const backup = backup_in(state);
    return backup != nullptr && backup->preempt_hold_until.has_value();
  };
  if (waits(before) == waits(state_)) return;
  if (!waits(state_)) return services_.log.debug("({}) stop preempt delay", config_.name);
  const std::chrono::duration<double> delay = config_.router.preempt_delay;
  services_.log.debug("({}) start preempt delay ({:.6f})", config_.name, delay.count());
}

void RouterDriver::log_announcement(const AddressRequest& request, const std::string& interface) {
  const std::string address = request.prefix.address.to_string();
  if (request.prefix.address.is_v6()) {
    services_.log.debug("Sending unsolicited Neighbour Advert on {} for {}", interface, address);
  } else {
    services_.log.debug("Sending gratuitous ARP on {} for {}", interface, address);
  }
}

void RouterDriver::log_master(const Claim& master) {
  const std::string now = master.source.to_string();
  const std::string before = std::exchange(last_master_, now);
  if (before.empty() || before == now) {
    services_.log.info("({}) master set to {}", config_.name, now);
  } else {
    services_.log.info("({}) master changed from {} to {}", config_.name, before, now);
  }
}

}  // namespace ha::vrrp
