#include "vrrpd/engine/router.hpp"

#include <algorithm>
#include <utility>

namespace ha::vrrp {
namespace {

/// What every handler of one state needs.
struct Context {
  const RouterConfig& config;
  TimePoint now;
};

Step stay(State state) { return {std::move(state), {}}; }

Preempt preemption(const RouterConfig& config, Priority own) {
  // The owner displaces anybody, whatever the flag says (RFC 9568 section 6.1, Preempt_Mode).
  return own == kPriorityOwner ? Preempt::kYes : config.preempt;
}

/// RFC 9568 section 6.4.3: a greater priority, or the same from a greater address.
bool claims_better(const AdvertReceived& advert, Priority own, const IpAddress& own_address) {
  return advert.priority > own || (advert.priority == own && advert.source > own_address);
}

/// Adver_Timer started at `now`: an interval from now or up to a sixteenth of it earlier, on a grid
/// that all routers with this interval share. Of many routers on one machine many are so due
/// together and leave with one system call. Being early hurts nobody, and happens only once, since
/// the interval is a multiple of the grid's.
TimePoint next_advert(const Context& context) {
  const Duration grid = context.config.advertisement_interval / 16;
  const TimePoint latest = context.now + context.config.advertisement_interval;
  return latest - latest.time_since_epoch() % grid;
}

/// `held_until` of a master that advertises now.
TimePoint held_until(const Context& context) {
  return context.now + 3 * context.config.advertisement_interval;
}

// ---- becoming backup ----

Backup follow_nobody(const Context& context, Priority priority, const IpAddress& address) {
  const Duration interval = context.config.advertisement_interval;
  Backup backup;
  backup.priority = priority;
  backup.address = address;
  backup.master_interval = interval;
  backup.master_down_at =
      context.now + master_down_interval(context.config.version, priority, interval);
  return backup;
}

/// RFC 9568 section 6.4.2, the accepting branch: the down timer starts anew with what the master
/// says of itself.
void accept(const Context& context, Backup& backup, const AdvertReceived& advert) {
  const bool same = backup.master && backup.master->address == advert.source;
  backup.master =
      KnownMaster{advert.source, advert.priority,
                  same ? std::max(backup.master->highest, advert.priority) : advert.priority};
  // Version 2 drops adverts with another interval before they get here, so it learns nothing new.
  backup.master_interval = advert.interval;
  backup.master_down_at =
      context.now + master_down_interval(context.config.version, backup.priority, advert.interval);
  backup.rival.reset();
  backup.master_left = false;
  backup.waiting = false;
}

Step step_down(const Context& context, const Master& master, const AdvertReceived& advert,
               bool stalled) {
  Backup backup = follow_nobody(context, master.priority, master.address);
  accept(context, backup, advert);
  Transitioned transition{"backup", LastEvent::kHigherPriorityBackup, NewMasterReason::kNotMaster,
                          Claim{advert.source, advert.priority}, stalled};
  std::vector<Action> actions;
  if (context.config.answers_better && !stalled) actions.emplace_back(SendAdvert{master.priority});
  actions.emplace_back(ReleaseAddresses{});
  actions.emplace_back(std::move(transition));
  return {std::move(backup), std::move(actions)};
}

// ---- becoming master ----

Step become_master(const Context& context, Priority priority, const IpAddress& address,
                   Transitioned why) {
  const AnnouncementSchedule& schedule = context.config.announcements;
  Master master;
  master.priority = priority;
  master.address = address;
  master.held_until = held_until(context);
  master.next_advert_at = next_advert(context);
  master.answer_from = context.now;
  master.announce_from = context.now;

  // The advertisement goes first: the old master lets go while we are still busy with the
  // addresses.
  std::vector<Action> actions{SendAdvert{priority}, AcquireAddresses{}};
  if (schedule.repeat > 0) {
    actions.emplace_back(Announce{});
    if (schedule.repeat > 1) {
      master.announce_at = context.now + kAnnouncementSpacing;
      master.rounds_left = schedule.repeat - 1;
    }
    if (schedule.second_burst_delay > Duration::zero()) {
      master.second_burst_at = context.now + schedule.second_burst_delay;
    }
  }
  if (!master.announce_at && schedule.refresh > Duration::zero()) {
    master.announce_at = context.now + schedule.refresh;
  }
  why.to = "master";
  actions.emplace_back(std::move(why));
  return {std::move(master), std::move(actions)};
}

Step start(const Context& context, const Started& event, LastEvent cause) {
  const bool has_to_wait = event.not_before && *event.not_before > context.now;
  if (has_to_wait) {
    const Context then{context.config, *event.not_before};
    Backup backup = follow_nobody(then, event.priority, event.address);
    backup.deaf_until = event.not_before;
    return {std::move(backup),
            {Transitioned{"backup", cause, NewMasterReason::kNotMaster, {}, false}}};
  }
  if (event.priority == kPriorityOwner) {  // RFC 9568 section 6.4.1
    return become_master(context, event.priority, event.address,
                         {{}, cause, NewMasterReason::kPriority, {}, false});
  }
  return {follow_nobody(context, event.priority, event.address),
          {Transitioned{"backup", cause, NewMasterReason::kNotMaster, {}, false}}};
}

/// Nobody else has noticed anything: the predecessor's addresses are there, and its peers' timers
/// run. The addresses are acquired again all the same, to make them this process's own.
Step succeed(const Context& context, const Started& event) {
  Transitioned why;
  why.event = LastEvent::kStartup;
  why.reason = NewMasterReason::kPriority;
  why.succeeded = true;
  return become_master(context, event.priority, event.address, std::move(why));
}

LastEvent last_event(Faulted::Cause cause) {
  switch (cause) {
    case Faulted::Cause::kInterfaceDown:
      return LastEvent::kInterfaceDown;
    case Faulted::Cause::kNoPrimaryIpAddress:
      return LastEvent::kNoPrimaryIpAddress;
    case Faulted::Cause::kNoVirtualIpAddresses:
      return LastEvent::kNoVirtualIpAddresses;
    case Faulted::Cause::kHeldBack:
      return LastEvent::kHeldBack;
  }
  return LastEvent::kNone;
}

Transitioned faulted(const Faulted& event) {
  return {"fault", last_event(event.cause), NewMasterReason::kNotMaster, {}, false};
}

Transitioned shut_down() {
  return {"initialize", LastEvent::kShutdown, NewMasterReason::kNotMaster, {}, false};
}

// ---- {Initialize} and fault ----

struct InInitialize {
  const Context& context;

  Step operator()(const Started& event) const {
    if (event.predecessor_advertised_at &&
        succeeds(context.config, *event.predecessor_advertised_at, context.now)) {
      return succeed(context, event);
    }
    return start(context, event, LastEvent::kStartup);
  }
  Step operator()(const Faulted& event) const { return {Fault{}, {faulted(event)}}; }
  Step operator()(const ShutDown&) const { return stay(Initialize{}); }
  Step operator()(const AdvertReceived&) const { return stay(Initialize{}); }
  Step operator()(const PriorityChanged&) const { return stay(Initialize{}); }
  Step operator()(const AddressChanged&) const { return stay(Initialize{}); }
  Step operator()(const AnnouncementDue&) const { return stay(Initialize{}); }
  Step operator()(const AddressesLost&) const { return stay(Initialize{}); }
  Step operator()(const Reconfigured&) const { return stay(Initialize{}); }
  Step operator()(const TakeOverDeferred&) const { return stay(Initialize{}); }
  Step operator()(const TakeOver&) const { return stay(Initialize{}); }
  Step operator()(const StepAside&) const { return stay(Initialize{}); }
  Step operator()(const DeadlineReached&) const { return stay(Initialize{}); }
};

struct InFault {
  const Context& context;

  Step operator()(const Started& event) const {
    return start(context, event, LastEvent::kInterfaceUp);
  }
  Step operator()(const Faulted&) const { return stay(Fault{}); }
  Step operator()(const ShutDown&) const { return {Initialize{}, {shut_down()}}; }
  Step operator()(const AdvertReceived&) const { return stay(Fault{}); }
  Step operator()(const PriorityChanged&) const { return stay(Fault{}); }
  Step operator()(const AddressChanged&) const { return stay(Fault{}); }
  Step operator()(const AnnouncementDue&) const { return stay(Fault{}); }
  Step operator()(const AddressesLost&) const { return stay(Fault{}); }
  Step operator()(const Reconfigured&) const { return stay(Fault{}); }
  Step operator()(const TakeOverDeferred&) const { return stay(Fault{}); }
  Step operator()(const TakeOver&) const { return stay(Fault{}); }
  Step operator()(const StepAside&) const { return stay(Fault{}); }
  Step operator()(const DeadlineReached&) const { return stay(Fault{}); }
};

// ---- {Backup}, RFC 9568 section 6.4.2 ----

struct InBackup {
  const Context& context;
  const Backup& backup;

  Step operator()(const Started&) const { return stay(backup); }
  Step operator()(const Faulted& event) const { return {Fault{}, {faulted(event)}}; }
  Step operator()(const ShutDown&) const { return {Initialize{}, {shut_down()}}; }
  Step operator()(const AnnouncementDue&) const { return stay(backup); }
  Step operator()(const AddressesLost&) const { return stay(backup); }

  Step operator()(const AddressChanged& event) const {
    Backup next = backup;
    next.address = event.address;
    return stay(std::move(next));
  }

  Step operator()(const Reconfigured&) const {
    Backup next = backup;
    // A version 3 master has taught us its interval; without one, and in version 2, ours is the one
    // that counts.
    if (context.config.version == Version::k2 || !next.master) {
      next.master_interval = context.config.advertisement_interval;
    }
    return stay(std::move(next));
  }

  Step operator()(const PriorityChanged& event) const {
    Backup next = backup;
    next.priority = event.priority;
    if (backup.rival && backup.rival->priority >= event.priority) {
      // The live master that was to be displaced has the better claim by now, and is left alone as
      // if it had had that when it was heard. Where both HAProxies fail, nothing moves.
      next.rival.reset();
      next.preempt_hold_until.reset();
      next.waiting = false;
      next.master_down_at = backup.rival_heard_at + down_interval(event.priority);
      return stay(std::move(next));
    }
    // The running timer moves by what the skew time changes; starting it anew would let frequent
    // changes put a take-over off for ever.
    next.master_down_at += skew(event.priority) - skew(backup.priority);
    return stay(std::move(next));
  }

  Step operator()(const AdvertReceived& advert) const {
    if (backup.deaf_until && context.now < *backup.deaf_until) return stay(backup);
    Backup next = backup;
    if (advert.priority == kPriorityRelease) {
      next.master.reset();
      next.rival.reset();
      next.preempt_hold_until.reset();
      next.master_left = true;
      take_over_after_skew(next);
      return stay(std::move(next));
    }
    if (advert.priority >= backup.priority) {
      next.preempt_hold_until.reset();
      return accepted(std::move(next), advert);
    }
    return lower(std::move(next), advert);
  }

  Step operator()(const DeadlineReached&) const {
    if (context.now < backup.master_down_at) return stay(backup);
    if (stalled()) {  // whoever is alive is heard within an interval
      Backup next = backup;
      next.waiting = false;
      next.master_down_at = context.now + backup.master_interval + skew(backup.priority);
      return stay(std::move(next));
    }
    return become_master(context, backup.priority, backup.address, why_master());
  }

  Step operator()(const TakeOverDeferred&) const {
    Backup next = backup;
    next.waiting = true;
    next.master_down_at = context.now + context.config.advertisement_interval;
    return stay(std::move(next));
  }

  Step operator()(const TakeOver&) const {
    // Whether its time has come is then for its timer to say anew.
    if (!backup.waiting || stalled()) return stay(backup);
    return become_master(context, backup.priority, backup.address, why_master());
  }

  Step operator()(const StepAside&) const { return stay(backup); }

 private:
  Duration skew(Priority priority) const {
    return skew_time(context.config.version, priority, backup.master_interval);
  }

  Duration down_interval(Priority priority) const {
    return master_down_interval(context.config.version, priority, backup.master_interval);
  }

  /// We stood still, not the master: the timer is overdue by more than a whole down interval.
  bool stalled() const {
    return context.now > backup.master_down_at + down_interval(backup.priority);
  }

  /// Shortens the running timer to the skew time. It is never lengthened, or a stream of such
  /// advertisements could keep the address vacant. After a stall it starts anew, since others may
  /// be ahead of us.
  void take_over_after_skew(Backup& next) const {
    const TimePoint at = context.now + skew(next.priority);
    next.master_down_at = stalled() ? at : std::min(next.master_down_at, at);
  }

  Step accepted(Backup next, const AdvertReceived& advert) const {
    const bool new_master = !backup.master || backup.master->address != advert.source;
    accept(context, next, advert);
    if (!new_master) return stay(std::move(next));
    return {std::move(next), {MasterChanged{Claim{advert.source, advert.priority}}}};
  }

  /// A live master with less priority than ours.
  Step lower(Backup next, const AdvertReceived& advert) const {
    const bool dropped = backup.master && backup.master->address == advert.source &&
                         advert.priority < backup.master->highest;
    const Preempt preempt = preemption(context.config, backup.priority);
    if (dropped && preempt != Preempt::kNo) {
      // It says itself that it is no longer fit: no reason to wait for the rest of the down
      // interval.
      next.master->priority = advert.priority;
      displace(next, advert);
      take_over_after_skew(next);
      return stay(std::move(next));
    }
    if (preempt != Preempt::kYes) return accepted(std::move(next), advert);

    if (context.config.preempt_delay > Duration::zero() && backup.priority != kPriorityOwner) {
      if (!next.preempt_hold_until) {
        next.preempt_hold_until = context.now + context.config.preempt_delay;
      }
      if (context.now < *next.preempt_hold_until) return accepted(std::move(next), advert);
    }
    // Discarded: that the timer keeps running is how preemption happens.
    displace(next, advert);
    return stay(std::move(next));
  }

  void displace(Backup& next, const AdvertReceived& advert) const {
    next.rival = Claim{advert.source, advert.priority};
    next.rival_heard_at = context.now;
  }

  Transitioned why_master() const {
    Transitioned why;
    if (backup.rival) {
      why.event = backup.priority == kPriorityOwner       ? LastEvent::kOwnerPreempt
                  : backup.preempt_hold_until.has_value() ? LastEvent::kPreemptHoldTimeout
                                                          : LastEvent::kLowerPriorityMaster;
      why.reason = NewMasterReason::kPreempted;
      why.claim = backup.rival;
      return why;
    }
    why.event = LastEvent::kMasterTimeout;
    why.reason = backup.master_left ? NewMasterReason::kPriority : NewMasterReason::kNoResponse;
    if (backup.master) why.claim = Claim{backup.master->address, backup.master->priority};
    return why;
  }
};

// ---- {Master}, RFC 9568 section 6.4.3 ----

struct InMaster {
  const Context& context;
  const Master& master;

  Step operator()(const Started&) const { return stay(master); }

  Step operator()(const Faulted& event) const { return {Fault{}, letting_go(faulted(event))}; }
  Step operator()(const ShutDown&) const { return {Initialize{}, letting_go(shut_down())}; }

  Step operator()(const AddressChanged& event) const {
    Master next = master;
    next.address = event.address;
    return stay(std::move(next));
  }

  Step operator()(const AnnouncementDue& event) const {
    const AnnouncementSchedule& schedule = context.config.announcements;
    // Only the timer is set, so that nothing leaves before a stall has been noticed.
    const TimePoint earliest = std::max(context.now, master.listen_until.value_or(context.now));
    Master next = master;
    announce_again(next, earliest);
    if (event.addresses == Announced::kAll || schedule.repeat == 0) return stay(std::move(next));
    next.announced = in_a_burst(master) ? master.announced : Announced::kNew;
    if (!next.second_burst_at && schedule.second_burst_delay > Duration::zero()) {
      next.second_burst_at = earliest + schedule.second_burst_delay;
    }
    return stay(std::move(next));
  }

  Step operator()(const AddressesLost&) const {
    // If they come back, then with the next advertisement, when it is clear that nobody else has
    // them.
    if (has_to_listen()) return stay(master);
    Master next = master;
    announce_again(next, context.now);
    return {std::move(next), {RestoreAddresses{}}};
  }

  Step operator()(const TakeOverDeferred&) const { return stay(master); }
  Step operator()(const TakeOver&) const { return stay(master); }

  Step operator()(const StepAside&) const {
    if (master.priority == kPriorityOwner) return stay(master);
    return {
        follow_nobody(context, master.priority, master.address),
        letting_go(Transitioned{"backup", LastEvent::kHeldBack, NewMasterReason::kNotMaster, {}})};
  }

  Step operator()(const Reconfigured&) const {
    // How late the timer is can no longer be told from the new interval.
    if (has_to_listen()) return stay(listening());
    return advertise_now(master);
  }

  Step operator()(const PriorityChanged& event) const {
    if (event.priority == master.priority) return stay(master);
    Master next = master;
    next.priority = event.priority;
    return advertise_now(std::move(next));
  }

  Step operator()(const AdvertReceived& advert) const {
    if (advert.priority == kPriorityRelease) return answer(std::nullopt);
    if (has_to_listen()) return step_down(context, master, advert, true);
    if (claims_better(advert, master.priority, master.address)) {
      return step_down(context, master, advert, false);
    }
    return answer(Claim{advert.source, advert.priority});
  }

  Step operator()(const DeadlineReached&) const {
    Master next = master;
    if (overdue()) return stay(listening());
    std::vector<Action> actions;
    if (context.now >= next.next_advert_at) {
      actions.emplace_back(SendAdvert{next.priority});
      next.held_until = held_until(context);
      if (has_to_listen()) {
        next.listen_until.reset();
        actions.emplace_back(RestoreAddresses{});
        announce_again(next, context.now);
      }
      // On the grid rather than from now, so that lateness does not add up.
      next.next_advert_at += context.config.advertisement_interval;
      if (next.next_advert_at <= context.now) {
        next.next_advert_at = next_advert(context);
      }
    }
    announce_when_due(next, actions);
    return {std::move(next), std::move(actions)};
  }

 private:
  /// Our last advertisement is so long overdue that the others have elected somebody else by now.
  bool overdue() const {
    return context.now >
           master.next_advert_at + master_down_interval(context.config.version, master.priority,
                                                        context.config.advertisement_interval);
  }
  /// A backup with the shortest skew time may have taken over, and what it said may still lie in
  /// the socket: nothing but the timer, before which that is read, makes us speak. Stays so until
  /// the first advertisement after it: standing still again does not end the listening.
  bool has_to_listen() const {
    return context.now > master.held_until || master.listen_until.has_value();
  }

  /// Priority 0 first: the next master's skew time runs while we are still busy with the addresses.
  /// After a stall somebody else may be master; then nothing is said in its name.
  std::vector<Action> letting_go(Action transition) const {
    std::vector<Action> actions;
    if (!has_to_listen()) actions.emplace_back(SendAdvert{kPriorityRelease});
    actions.emplace_back(ReleaseAddresses{});
    actions.push_back(std::move(transition));
    return actions;
  }

  /// Silent for an interval from now on.
  Master listening() const {
    Master next = master;
    next.listen_until = context.now + context.config.advertisement_interval;
    next.next_advert_at = *next.listen_until;
    if (next.announce_at) next.announce_at = std::max(*next.announce_at, *next.listen_until);
    if (next.second_burst_at) {
      next.second_burst_at = std::max(*next.second_burst_at, *next.listen_until);
    }
    return next;
  }

  /// A burst from `at` on, of all addresses.
  void announce_again(Master& next, TimePoint at) const {
    if (context.config.announcements.repeat == 0) return;
    next.announce_at = at;
    next.rounds_left = std::max(next.rounds_left, context.config.announcements.repeat);
    next.announced = Announced::kAll;
  }

  Step advertise_now(Master next) const {
    if (has_to_listen()) return stay(std::move(next));
    next.held_until = held_until(context);
    next.next_advert_at = next_advert(context);
    const Priority priority = next.priority;
    return {std::move(next), {SendAdvert{priority}}};
  }

  /// Asserts mastership towards a router that claims less (RFC 9568 section 6.4.3) or lets go
  /// (priority 0).
  Step answer(std::optional<Claim> losing) const {
    Master next = master;
    std::vector<Action> actions;
    if (losing) actions.emplace_back(LosingAdvertHeard{*losing});
    if (has_to_listen()) return {std::move(next), std::move(actions)};
    if (losing && !context.config.answers_lesser) return {std::move(next), std::move(actions)};

    const Duration interval = context.config.advertisement_interval;
    const bool may_answer = context.now >= master.answer_from;
    if (may_answer) {
      next.held_until = held_until(context);
      next.answer_from = context.now + interval / kAnswersPerInterval;
      actions.emplace_back(SendAdvert{next.priority});
      if (!losing) next.next_advert_at = next_advert(context);
    }
    if (losing && context.config.announcements.conflict_repeat > 0) {
      announce_over(next, may_answer, actions);
    }
    return {std::move(next), std::move(actions)};
  }

  /// The other may have announced our addresses as its own. Ours goes out now, if none did lately,
  /// and once more when the other has heard our answer: its announcement may come behind its
  /// advertisement.
  void announce_over(Master& next, bool at_once, std::vector<Action>& actions) const {
    const AnnouncementSchedule& schedule = context.config.announcements;
    if (at_once && context.now >= master.announce_from) {
      next.announce_from = context.now + kConflictAnnouncementInterval;
      actions.insert(actions.end(), schedule.conflict_repeat, Announce{});
    }
    const Duration delay = schedule.conflict_delay.value_or(context.config.advertisement_interval);
    if (delay == Duration::zero()) return;
    const TimePoint again = std::max(context.now + delay, master.announce_from);
    next.announced = Announced::kAll;
    next.announce_at = std::min(next.announce_at.value_or(TimePoint::max()), again);
    next.rounds_left = std::max(next.rounds_left, schedule.conflict_repeat);
  }

  void announce_when_due(Master& next, std::vector<Action>& actions) const {
    const AnnouncementSchedule& schedule = context.config.announcements;
    if (next.second_burst_at && context.now >= *next.second_burst_at) {
      next.second_burst_at.reset();
      next.announce_at = context.now;
      next.rounds_left = std::max(next.rounds_left, schedule.repeat);
    }
    if (!next.announce_at || context.now < *next.announce_at) return;
    if (next.rounds_left == 0) {
      next.announced = Announced::kAll;
      next.rounds_left = schedule.refresh_repeat;
    }
    actions.emplace_back(Announce{next.announced});
    next.announce_from = context.now + kConflictAnnouncementInterval;
    --next.rounds_left;
    next.announce_at.reset();
    if (next.rounds_left > 0) {
      next.announce_at = context.now + kAnnouncementSpacing;
    } else if (schedule.refresh > Duration::zero()) {
      next.announce_at = context.now + schedule.refresh;
    }
  }
};

Step dispatch(const Context& context, const Initialize&, const Event& event) {
  return std::visit(InInitialize{context}, event);
}
Step dispatch(const Context& context, const Fault&, const Event& event) {
  return std::visit(InFault{context}, event);
}
Step dispatch(const Context& context, const Backup& backup, const Event& event) {
  return std::visit(InBackup{context, backup}, event);
}
Step dispatch(const Context& context, const Master& master, const Event& event) {
  return std::visit(InMaster{context, master}, event);
}

}  // namespace

Step step(const RouterConfig& config, const State& state, const Event& event, TimePoint now) {
  const Context context{config, now};
  return std::visit([&](const auto& current) { return dispatch(context, current, event); }, state);
}

bool in_a_burst(const Master& master) {
  return master.rounds_left > 0 || master.second_burst_at.has_value();
}

std::optional<TimePoint> deadline(const State& state) {
  if (const auto* backup = std::get_if<Backup>(&state)) return backup->master_down_at;
  const auto* master = std::get_if<Master>(&state);
  if (master == nullptr) return std::nullopt;
  TimePoint at = master->next_advert_at;
  if (master->announce_at) at = std::min(at, *master->announce_at);
  if (master->second_burst_at) at = std::min(at, *master->second_burst_at);
  return at;
}

bool succeeds(const RouterConfig& config, TimePoint advertised_at, TimePoint now) {
  return now <= advertised_at + 3 * config.advertisement_interval;
}

Duration skew_time(Version version, Priority priority, Duration interval) {
  const Duration scale = version == Version::k2 ? Duration{std::chrono::seconds{1}} : interval;
  return scale * (256 - priority.value()) / 256;
}

Duration master_down_interval(Version version, Priority priority, Duration interval) {
  return 3 * interval + skew_time(version, priority, interval);
}

}  // namespace ha::vrrp
