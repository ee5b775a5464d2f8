#include "invariants.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kinds.hpp"
#include "timers.hpp"
#include "trace.hpp"

namespace ha::sim {
namespace {

using namespace std::chrono_literals;

/// What is carried out, one letter an action: S advertisement, Z one of priority 0, A acquire,
/// R release, P put back, N announce. Reports are left out.
std::string verbs_of(const std::vector<vrrp::Action>& actions) {
  std::string verbs;
  for (const vrrp::Action& action : actions) {
    if (const auto* advert = std::get_if<vrrp::SendAdvert>(&action)) {
      verbs += advert->priority == kPriorityRelease ? 'Z' : 'S';
    } else if (std::holds_alternative<vrrp::AcquireAddresses>(action)) {
      verbs += 'A';
    } else if (std::holds_alternative<vrrp::ReleaseAddresses>(action)) {
      verbs += 'R';
    } else if (std::holds_alternative<vrrp::RestoreAddresses>(action)) {
      verbs += 'P';
    } else if (std::holds_alternative<vrrp::Announce>(action)) {
      verbs += 'N';
    }
  }
  return verbs;
}

}  // namespace

void Invariants::broken(const StepRecord& record, std::string_view which,
                        std::string_view what) const {
  throw BrokenInvariant{fmt::format("{} at {}: {}: {} ({} in {}, actions: {})", which,
                                    seconds(record.lan_now - Lan::kStart), name_of(record.node),
                                    what, describe(record.event), vrrp::name_of(record.before),
                                    describe(record.step.actions))};
}

Invariants::Ledger& Invariants::ledger(NodeId node) {
  if (ledgers_.size() <= node) ledgers_.resize(lan_.size());
  return ledgers_[node];
}

void Invariants::stepped(const StepRecord& record) {
  Ledger& ledger = this->ledger(record.node);
  const bool was_master = is<vrrp::Master>(record.before);
  const bool is_master = is<vrrp::Master>(record.step.next);
  const std::string verbs = verbs_of(record.step.actions);

  check_meaningless_events(record);
  check_edges(record);
  check_reports(record);
  note_own(record, ledger);
  check_timers(record, ledger);
  check_priorities_sent(record, ledger);
  check_addresses(record, ledger);
  if (was_master && record.now - ledger.last_advert > silence_allowed(ledger, record.config)) {
    broken(record, "I5", "the last advertisement is too old");
  }
  check_group(record, ledger);
  if (!was_master && is_master) {
    check_promotion(record, ledger, verbs);
  } else if (was_master && !is_master) {
    check_departure(record, ledger, verbs);
  } else if (was_master) {
    check_staying(record, ledger, verbs);
  } else if (!verbs.empty()) {
    broken(record, "I5", "a router that is not master acts");
  }
  if (is_master && verbs.find('S') != std::string::npos) {
    ledger.last_advert = record.now;
    ledger.interval_then = record.config.advertisement_interval;
    ledger.paused_since_advert = Duration::zero();
    ledger.pauses_since_advert = 0;
    ledger.listens_until.reset();
  }
  note_patience(record, ledger);
}

void Invariants::crashed(NodeId node, TimePoint) { ledger(node) = {}; }

void Invariants::paused(NodeId node, TimePoint) { ledger(node).paused_at = lan_.clock_of(node); }

void Invariants::resumed(NodeId id, TimePoint) {
  const TimePoint now = lan_.clock_of(id);
  Ledger& ledger = this->ledger(id);
  ledger.paused_since_advert += now - ledger.paused_at;
  ++ledger.pauses_since_advert;
  ledger.was_paused = true;
  ledger.announcement_owed_by.reset();
  const Node& node = lan_.node(id);
  if (node.is_master() && may_be_replaced(ledger, now) && !ledger.listens_until) {
    ledger.listens_until = now + node.config.advertisement_interval;
  }
}

void Invariants::check_nobody_is_silent() const {
  for (NodeId id = 0; id < ledgers_.size(); ++id) {
    const Node& node = lan_.node(id);
    const Ledger& ledger = ledgers_[id];
    if (!node.is_master() || node.paused) continue;
    check_announcements_kept_up(id, ledger);
    const Duration silence = lan_.clock_of(id) - ledger.last_advert;
    if (silence > silence_allowed(ledger, node.config)) {
      throw BrokenInvariant{fmt::format("I5 at {}: {}: silent for {}",
                                        seconds(lan_.now() - Lan::kStart), name_of(id),
                                        seconds(silence))};
    }
  }
}

Duration Invariants::silence_allowed(const Ledger& ledger, const vrrp::RouterConfig& config) const {
  const Duration late = lan_.wake_latency_max();
  const Duration listening = std::max(ledger.longest_interval, config.advertisement_interval);
  return ledger.interval_then + late + ledger.paused_since_advert +
         ledger.pauses_since_advert * (listening + late);
}

bool Invariants::may_be_replaced(const Ledger& ledger, TimePoint now) {
  return now - ledger.last_advert > 3 * ledger.interval_then;
}

bool Invariants::is_certainly_stalled(const Ledger& ledger, const vrrp::RouterConfig& config,
                                      TimePoint now) {
  // Of the lowest priority: ours may be changing in this very step.
  return now - ledger.last_advert >
         ledger.interval_then +
             master_down_interval(config.version, Priority{1}, config.advertisement_interval);
}

/// I5: every state knows its events.
void Invariants::check_meaningless_events(const StepRecord& record) const {
  const vrrp::Event& event = record.event;
  bool means_something = true;
  if (is<vrrp::DeadlineReached>(event)) {
    const auto due = vrrp::deadline(record.before);
    means_something = due && *due <= record.now;
  } else if (is<vrrp::Initialize>(record.before)) {
    means_something = is<vrrp::Started>(event) || is<vrrp::Faulted>(event);
  } else if (is<vrrp::Fault>(record.before)) {
    means_something = is<vrrp::Started>(event) || is<vrrp::ShutDown>(event);
  } else if (is<vrrp::Backup>(record.before)) {
    means_something = !is<vrrp::Started>(event) && !is<vrrp::AnnouncementDue>(event) &&
                      !is<vrrp::AddressesLost>(event) && !is<vrrp::StepAside>(event);
  } else {
    means_something = !is<vrrp::Started>(event) && !is<vrrp::TakeOver>(event) &&
                      !is<vrrp::TakeOverDeferred>(event);
  }
  if (means_something) return;
  if (record.step.next != record.before || !record.step.actions.empty()) {
    broken(record, "I5", "an event that means nothing here had an effect");
  }
}

/// I5: the edges of the state table. Who may enter and leave {Master} is checked elsewhere.
void Invariants::check_edges(const StepRecord& record) const {
  const vrrp::Event& event = record.event;
  const vrrp::State& next = record.step.next;
  if (is<vrrp::ShutDown>(event) && !is<vrrp::Initialize>(next)) {
    broken(record, "I5", "a shutdown does not end in {Initialize}");
  }
  if (is<vrrp::Faulted>(event) && !is<vrrp::Fault>(next)) {
    broken(record, "I5", "a fault does not end in fault");
  }
  if (const auto* started = std::get_if<vrrp::Started>(&event)) {
    const bool starts = is<vrrp::Initialize>(record.before) || is<vrrp::Fault>(record.before);
    const bool owner = started->priority == kPriorityOwner;
    // Not after a fault, which ends a mastership.
    const bool succeeds = is<vrrp::Initialize>(record.before) &&
                          started->predecessor_advertised_at &&
                          record.now - *started->predecessor_advertised_at <=
                              3 * record.config.advertisement_interval;
    if (starts && !(owner || succeeds ? is<vrrp::Master>(next) : is<vrrp::Backup>(next))) {
      broken(record, "I12", "a start makes a backup, or a master of an owner or a successor");
    }
  }
  const bool may_stop = is<vrrp::ShutDown>(event) || is<vrrp::Faulted>(event);
  const bool was_on = is<vrrp::Backup>(record.before) || is<vrrp::Master>(record.before);
  const bool is_on = is<vrrp::Backup>(next) || is<vrrp::Master>(next);
  if (was_on && !is_on && !may_stop) broken(record, "I5", "it stopped taking part for no reason");
}

/// I5: no timer without a state, no state without its timer, no spinning, none too far off.
void Invariants::check_timers(const StepRecord& record, const Ledger& ledger) const {
  const vrrp::State& next = record.step.next;
  const auto due = vrrp::deadline(next);
  if (due.has_value() != (is<vrrp::Backup>(next) || is<vrrp::Master>(next))) {
    broken(record, "I5", "the timer does not fit the state");
  }
  if (!due) return;
  if (is<vrrp::DeadlineReached>(record.event) && *due <= record.now) {
    broken(record, "I5", "the deadline is not in the future after it was reached");
  }
  // A change of interval and of priority while no master is known may move the timer by a skew time
  // of the old interval: at most one interval more.
  const Duration longest =
      is<vrrp::Master>(next)
          ? record.config.advertisement_interval
          : longest_interval_ +
                master_down_interval(record.config.version, ledger.priority, longest_interval_);
  if (*due - record.now > std::max(longest, ledger.interval_then)) {
    broken(record, "I5", "the deadline is too far off");
  }
}

/// I5: one report for a change of state, which names it.
void Invariants::check_reports(const StepRecord& record) const {
  const bool changed = record.before.index() != record.step.next.index();
  int reports = 0;
  for (const vrrp::Action& action : record.step.actions) {
    const auto* report = std::get_if<vrrp::Transitioned>(&action);
    if (report == nullptr) continue;
    ++reports;
    if (report->to != vrrp::name_of(record.step.next)) {
      broken(record, "I5", "a change of state is reported with another name");
    }
  }
  if (reports != (changed ? 1 : 0)) broken(record, "I5", "a change of state is misreported");
}

/// I5: 0 only when leaving, otherwise the effective priority.
void Invariants::check_priorities_sent(const StepRecord& record, const Ledger& ledger) const {
  const bool leaves = is<vrrp::ShutDown>(record.event) || is<vrrp::Faulted>(record.event) ||
                      is<vrrp::StepAside>(record.event);
  for (const vrrp::Action& action : record.step.actions) {
    const auto* advert = std::get_if<vrrp::SendAdvert>(&action);
    if (advert == nullptr) continue;
    const Priority expected = leaves ? kPriorityRelease : ledger.priority;
    if (advert->priority != expected) {
      broken(
          record, "I5",
          fmt::format("advertises {} instead of {}", advert->priority.value(), expected.value()));
    }
  }
}

/// I5: acquire and release alternate; the addresses are where mastership is.
void Invariants::check_addresses(const StepRecord& record, Ledger& ledger) const {
  for (const vrrp::Action& action : record.step.actions) {
    const bool acquires = std::holds_alternative<vrrp::AcquireAddresses>(action);
    if (!acquires && !std::holds_alternative<vrrp::ReleaseAddresses>(action)) continue;
    if (acquires == ledger.holds_addresses) broken(record, "I5", "acquire and release alternate");
    ledger.holds_addresses = acquires;
  }
  if (ledger.holds_addresses != is<vrrp::Master>(record.step.next)) {
    broken(record, "I5", "holds the addresses without being master, or the other way round");
  }
}

/// I9: one whose time has come waits for the others until it follows somebody.
void Invariants::check_group(const StepRecord& record, Ledger& ledger) const {
  if (is<vrrp::TakeOverDeferred>(record.event)) {
    check_patience(record, ledger);
    ledger.waits = true;
  }
  if (is<vrrp::TakeOver>(record.event) && is<vrrp::Master>(record.step.next) && !ledger.waits) {
    broken(record, "I9", "takes over with its group, though its time has not come");
  }
  const bool listens_anew = is<vrrp::Backup>(record.before) &&
                            is<vrrp::DeadlineReached>(record.event) &&
                            record.now >= *vrrp::deadline(record.before);
  if (listens_anew || !is<vrrp::Backup>(record.step.next)) ledger.waits = false;
}

/// I6, I9: neither early nor right after a stall.
void Invariants::check_patience(const StepRecord& record, const Ledger& ledger) const {
  const auto* backup = std::get_if<vrrp::Backup>(&record.before);
  if (backup == nullptr) return;
  const TimePoint earliest = ledger.patience.earliest(record.config, ledger.priority);
  // Integer division rounds each shift of the timer by less than a nanosecond.
  const bool its_time_came = ledger.waits || is<vrrp::TakeOver>(record.event);
  if (record.now + 1us < earliest && !its_time_came) {
    broken(record, "I9", "took over early by " + seconds(earliest - record.now));
  }
  const Duration down =
      master_down_interval(record.config.version, ledger.priority, backup->master_interval);
  if (record.now - *vrrp::deadline(record.before) > down) {
    broken(record, "I6", "took over right after a stall, before it listened");
  }
}

/// I5, I6, I9.
void Invariants::check_promotion(const StepRecord& record, Ledger& ledger,
                                 std::string_view verbs) const {
  const bool announces = record.config.announcements.repeat > 0;
  if (verbs != (announces ? "SAN" : "SA")) {
    broken(record, "I5", "becoming master is: advertise, acquire, announce");
  }
  if (is<vrrp::Backup>(record.before) && !is<vrrp::DeadlineReached>(record.event) &&
      !is<vrrp::TakeOver>(record.event)) {
    broken(record, "I9", "a backup became master without waiting");
  }
  check_patience(record, ledger);
  ledger.master_since = record.now;
  ledger.interval_then = record.config.advertisement_interval;
  ledger.longest_interval = record.config.advertisement_interval;
  ledger.last_answer.reset();
  ledger.last_conflict_announcement.reset();
  ledger.announcement_owed_by.reset();
  ledger.announcements = announces ? 1 : 0;
  ledger.announcements_asked_for = 0;
  ledger.last_announcement = record.now;
  ledger.was_paused = false;
}

/// I5, I10.
void Invariants::check_departure(const StepRecord& record, const Ledger& ledger,
                                 std::string_view verbs) const {
  const auto* advert = std::get_if<vrrp::AdvertReceived>(&record.event);
  if (advert == nullptr && may_be_replaced(ledger, record.now)) {
    if (verbs != "R") broken(record, "I6", "lets go of what somebody else may have");
    return;
  }
  if (advert == nullptr) {
    if (verbs != "ZR") broken(record, "I5", "leaving is: priority 0, release");
    return;
  }
  if (verbs != "R") broken(record, "I5", "stepping down is: release, and nothing else");
  const bool better = advert->priority > ledger.priority ||
                      (advert->priority == ledger.priority && advert->source > ledger.address);
  if (advert->priority == kPriorityRelease || (!better && !may_be_replaced(ledger, record.now))) {
    broken(record, "I10", "stepped down for a claim that is not better");
  }
}

/// What the router was told about itself.
void Invariants::note_own(const StepRecord& record, Ledger& ledger) const {
  const bool was_on = is<vrrp::Backup>(record.before) || is<vrrp::Master>(record.before);
  if (const auto* started = std::get_if<vrrp::Started>(&record.event)) {
    if (was_on) return;
    ledger.priority = started->priority;
    ledger.address = started->address;
    ledger.interval_then = Duration::zero();
  } else if (const auto* priority = std::get_if<vrrp::PriorityChanged>(&record.event)) {
    if (was_on) ledger.priority = priority->priority;
  } else if (const auto* address = std::get_if<vrrp::AddressChanged>(&record.event)) {
    if (was_on) ledger.address = address->address;
  }
}

/// I9: what puts the take-over off, and what brings it nearer.
void Invariants::check_timer_after_advert(const StepRecord& record, const Ledger& ledger,
                                          Patience::Verdict verdict) const {
  const TimePoint before = *vrrp::deadline(record.before);
  const TimePoint after = *vrrp::deadline(record.step.next);
  if (verdict == Patience::Verdict::kDiscarded && after != before) {
    broken(record, "I9", "an advertisement that is discarded moved the timer");
  }
  if (verdict == Patience::Verdict::kHurries) {
    const Duration interval = std::get<vrrp::Backup>(record.step.next).master_interval;
    const Duration skew = skew_time(record.config.version, ledger.priority, interval);
    // After a stall it may start anew: others may be ahead of us.
    const TimePoint latest = record.now + skew;
    const bool stalled = record.now > before + 3 * interval + skew;
    if (after > (stalled ? latest : std::min(before, latest))) {
      broken(record, "I9", "no more than the skew time should be left");
    }
  }
}

/// I9: the timer of a backup moves with its skew time, and does not start anew.
void Invariants::check_timer_after_priority_change(const StepRecord& record, Ledger& ledger) const {
  const auto* backup = std::get_if<vrrp::Backup>(&record.before);
  if (backup == nullptr) return;
  const Priority priority = ledger.priority;
  TimePoint expected;
  if (ledger.patience.own_changed(priority)) {
    ledger.waits = false;
    expected = ledger.patience.earliest(record.config, priority);
    if (expected == TimePoint::min()) return;
  } else {
    const auto skew = [&](Priority of) {
      return skew_time(record.config.version, of, backup->master_interval);
    };
    expected = backup->master_down_at + skew(priority) - skew(backup->priority);
  }
  const TimePoint after = *vrrp::deadline(record.step.next);
  if (after > expected + 1us || after < expected - 1us) {
    broken(record, "I9", "a change of priority moved the timer by the wrong amount");
  }
}

void Invariants::note_patience(const StepRecord& record, Ledger& ledger) const {
  if (!is<vrrp::Backup>(record.step.next)) return;
  const auto* advert = std::get_if<vrrp::AdvertReceived>(&record.event);
  if (is<vrrp::Master>(record.before) && advert != nullptr) {
    ledger.patience.stepped_down(*advert, record.now);
  } else if (!is<vrrp::Backup>(record.before)) {
    ledger.patience.started(record.config, record.now);
  } else if (advert != nullptr) {
    const Patience::Verdict verdict =
        ledger.patience.heard(record.config, ledger.priority, *advert, record.now);
    if (verdict == Patience::Verdict::kAccepted) ledger.waits = false;
    check_timer_after_advert(record, ledger, verdict);
  } else if (is<vrrp::PriorityChanged>(record.event)) {
    check_timer_after_priority_change(record, ledger);
  } else if (is<vrrp::Reconfigured>(record.event)) {
    if (vrrp::deadline(record.step.next) != vrrp::deadline(record.before)) {
      broken(record, "I9", "a reload moved the timer of a backup");
    }
    ledger.patience.reconfigured();
  }
}

}  // namespace ha::sim
