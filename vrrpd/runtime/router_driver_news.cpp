/// RouterDriver: what it tells. The lines of the log that keepalived has, too, are in its words,
/// since people search for them.
#include "vrrpd/engine/track.hpp"
#include "vrrpd/runtime/router_driver.hpp"
#include "vrrpd/runtime/tracks.hpp"

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
  const std::string before = std::exchange(heard_->last_master, now);
  if (before.empty() || before == now) {
    services_.log.info("({}) master set to {}", config_.name, now);
  } else {
    services_.log.info("({}) master changed from {} to {}", config_.name, before, now);
  }
}

Notice RouterDriver::news() const {
  const bool is_deleted = is_removed_ && config_.notify.deleted;
  return {Notice::Subject::kInstance, config_.name,
          Notice::Kind::kState,       is_deleted ? "DELETED" : notify_word(name_of(state_)),
          effective_.value(),         why_};
}

void RouterDriver::notify(Notice::Kind kind, TimePoint now, std::string reason) {
  const bool takes_part =
      std::holds_alternative<Master>(state_) || std::holds_alternative<Backup>(state_);
  if (kind == Notice::Kind::kPriority && !takes_part) return;
  Notice notice = news();
  notice.kind = kind;
  notice.reason = std::move(reason);
  const bool owed = services_.notifier.tell(notice, config_.notify, now);
  if (kind == Notice::Kind::kState) record_->owe_news(owed);
}

void RouterDriver::tell(TimePoint now) {
  if (!untold_) return;
  const Transitioned transition = *std::exchange(untold_, {});
  log_transition(transition);
  // Who goes on as the master that a predecessor was has no news, unless that one's is owed.
  goes_on_ = transition.succeeded;
  if (!transition.succeeded || record_->owes_news()) notify(Notice::Kind::kState, now, why_);
}

void RouterDriver::log_transition(const Transitioned& transition) {
  Log& log = services_.log;
  since_ = std::chrono::system_clock::now();
  last_event_ = transition.event;
  new_master_reason_ = transition.reason;
  why_ = sentence(transition);
  if (transition.succeeded) {
    log.info("({}) remains in MASTER STATE", config_.name);
  } else if (transition.to == "master") {
    ++statistics_.master_transitions;
    const bool was_waiting =
        transition.event != LastEvent::kStartup && transition.event != LastEvent::kInterfaceUp;
    if (was_waiting) log.debug("({}) Receive advertisement timeout", config_.name);
    log.info("({}) Entering MASTER STATE", config_.name);
    log.debug("({}) setting VIPs.", config_.name);
  } else if (transition.to == "backup") {
    // keepalived calls it initial only if nothing had to be waited for.
    const bool initial = transition.event == LastEvent::kStartup && !has_waited_;
    if (transition.claim && !transition.stalled) {
      const Claim& claim = *transition.claim;
      if (claim.priority == effective_) {
        log.info(
            "({}) Master received advert from {} with same priority {} but higher IP address than "
            "ours",
            config_.name, claim.source.to_string(), claim.priority.value());
      } else {
        log.info("({}) Master received advert from {} with higher priority {}, ours {}",
                 config_.name, claim.source.to_string(), claim.priority.value(),
                 effective_.value());
      }
    }
    log.info("({}) Entering BACKUP STATE{}", config_.name, initial ? " (init)" : "");
  } else if (transition.to == "fault") {
    log.warning("({}) Entering FAULT STATE", config_.name);
  } else {
    log.info("({}) Stopped", config_.name);
  }
  log.info("({}) {}", config_.name, why_);
  services_.events.note("transition", standing(), why_);
}

std::string RouterDriver::sentence(const Transitioned& transition) const {
  const auto who = [&] {
    return transition.claim ? fmt::format("{} (priority {})", transition.claim->source.to_string(),
                                          transition.claim->priority.value())
                            : std::string{"nobody"};
  };
  if (transition.stalled) {
    return fmt::format("this machine stood still for too long; {} has taken over meanwhile", who());
  }
  if (transition.succeeded) return "succeeded an engine process that has died";
  switch (transition.event) {
    case LastEvent::kStartup:
    case LastEvent::kInterfaceUp:
      return transition.to == "master"
                 ? fmt::format("started as the owner of its addresses, from {}",
                               source_.to_string())
                 : fmt::format("started with priority {}, from {}", effective_.value(),
                               source_.to_string());
    case LastEvent::kShutdown:
      return "shut down";
    case LastEvent::kHigherPriorityBackup:
      return fmt::format("{} has the better claim; ours is {}", who(), effective_.value());
    case LastEvent::kMasterTimeout:
      if (transition.reason == NewMasterReason::kPriority) return "the master has let go";
      return transition.claim ? fmt::format("no advertisement from {} for too long", who())
                              : std::string{"no advertisement was heard from anybody"};
    case LastEvent::kLowerPriorityMaster:
    case LastEvent::kPreemptHoldTimeout:
    case LastEvent::kOwnerPreempt:
      return fmt::format("took over from {}; ours is {}", who(), effective_.value());
    case LastEvent::kInterfaceDown:
    case LastEvent::kNoPrimaryIpAddress:
    case LastEvent::kNoVirtualIpAddresses:
      return fault_reason_;
    case LastEvent::kHeldBack:
      return transition.to == "fault" ? fault_reason_
                                      : "another instance of its group is not master any more";
    case LastEvent::kNone:
      break;
  }
  return "no reason recorded";
}

RouterStatus RouterDriver::status(TimePoint now) {
  RouterStatus status;
  status.name = config_.name;
  status.interface = interface_;
  if (config_.virtual_mac) {
    status.virtual_interface = config_.virtual_mac->device;
    status.virtual_mac = ha::to_string(config_.virtual_mac->address);
  }
  status.vrid = config_.vrid;
  status.version = config_.router.version;
  status.state = name_of(state_);
  status.priority = config_.router.priority;
  status.effective_priority = effective_;
  status.preempt = config_.router.preempt;
  status.preempt_delay = config_.router.preempt_delay;
  for (const VirtualAddress& address : config_.addresses) {
    status.addresses.push_back(to_string(address.prefix));
  }
  if (heard_) {
    status.last_adv_source = heard_->source.to_string();
    status.last_adv_priority = heard_->priority;
    status.last_adv_age = std::chrono::duration_cast<std::chrono::milliseconds>(now - heard_->at);
  }
  const auto* backup = std::get_if<Backup>(&state_);
  const Duration interval =
      backup != nullptr ? backup->master_interval : config_.router.advertisement_interval;
  status.skew_time = skew_time(config_.router.version, effective_, interval);
  status.master_down_interval = master_down_interval(config_.router.version, effective_, interval);
  status.last_event = last_event_;
  status.new_master_reason = new_master_reason_;
  // What it waits for may have changed since it entered fault.
  status.why = std::holds_alternative<Fault>(state_) ? fault_reason_ : why_;
  status.since = since_;
  status.group = group_;
  status.waits_for_group = place() == Place::kWaiting;
  status.tracks = claims_on(demotions_, is_master());
  if (alarms_) status.alarms = alarms_->current(now, alarm_lasting());
  status.statistics = statistics_;
  return status;
}

}  // namespace ha::vrrp
