/// The invariants of a router that is master and stays it: what it says, when, and how often.
#include <fmt/format.h>

#include <algorithm>

#include "invariants.hpp"
#include "kinds.hpp"
#include "trace.hpp"

namespace ha::sim {
namespace {

template <class T>
int count(const std::vector<vrrp::Action>& actions) {
  return static_cast<int>(
      std::count_if(actions.begin(), actions.end(),
                    [](const vrrp::Action& action) { return std::holds_alternative<T>(action); }));
}

}  // namespace

/// I5, I6, I8, I10: what a master may and must do that stays master.
void Invariants::check_staying(const StepRecord& record, Ledger& ledger,
                               std::string_view verbs) const {
  ledger.longest_interval = std::max(ledger.longest_interval, record.config.advertisement_interval);
  const bool advertises = verbs.find('S') != std::string_view::npos;
  const bool announces = verbs.find('N') != std::string_view::npos;
  check_speech(record, ledger, verbs);
  if (is<vrrp::Reconfigured>(record.event) && may_be_replaced(ledger, record.now)) {
    // It listens anew.
    ledger.listens_until = record.now + record.config.advertisement_interval;
    ++ledger.pauses_since_advert;
  }
  if (const auto* advert = std::get_if<vrrp::AdvertReceived>(&record.event)) {
    check_answer(record, ledger, *advert, advertises, announces);
  }
  const auto* priority = std::get_if<vrrp::PriorityChanged>(&record.event);
  const bool news =
      is<vrrp::Reconfigured>(record.event) ||
      (priority != nullptr && priority->priority != std::get<vrrp::Master>(record.before).priority);
  if (news && !advertises && ledger.paused_since_advert == Duration::zero()) {
    broken(record, "I10", "a change is not advertised at once");
  }
  check_announcements(record, ledger, announces);
}

/// I5, I6, I13: in which order, and whether it may at all.
void Invariants::check_speech(const StepRecord& record, const Ledger& ledger,
                              std::string_view verbs) const {
  if (may_be_replaced(ledger, record.now)) {
    if (verbs.empty()) return;
    if (!is<vrrp::DeadlineReached>(record.event)) {
      broken(record, "I6", "speaks before it read what others said meanwhile");
    }
    const bool stalled = is_certainly_stalled(ledger, record.config, record.now);
    if (stalled && (!ledger.listens_until || record.now < *ledger.listens_until)) {
      broken(record, "I6", "speaks before it listened");
    }
    if (verbs != "SP" && verbs != "SPN") {
      broken(record, "I13", "goes on without making sure of its addresses");
    }
  } else if (is<vrrp::AddressesLost>(record.event)) {
    if (verbs != "P") broken(record, "I13", "does not put its addresses back at once");
  } else if (verbs != "" && verbs != "S" && verbs != "N" && verbs != "SN") {
    broken(record, "I5", "does more than one advertisement and one announcement");
  }
}

void Invariants::check_answer(const StepRecord& record, Ledger& ledger,
                              const vrrp::AdvertReceived& advert, bool advertises,
                              bool announces) const {
  const bool loses = advert.priority != kPriorityRelease;
  if (loses && (advert.priority > ledger.priority ||
                (advert.priority == ledger.priority && advert.source > ledger.address))) {
    broken(record, "I10", "stays master in spite of a better claim");
  }
  if (loses && may_be_replaced(ledger, record.now)) {
    broken(record, "I6", "stays master although somebody was heard after a stall");
  }
  if (count<vrrp::LosingAdvertHeard>(record.step.actions) != (loses ? 1 : 0)) {
    broken(record, "I5", "a losing advertisement is misreported");
  }
  const bool allowed =
      !ledger.last_answer ||
      record.now - *ledger.last_answer >= ledger.interval_at_answer / vrrp::kAnswersPerInterval;
  if (advertises && !allowed) broken(record, "I8", "answers too often");
  const bool awake = ledger.paused_since_advert == Duration::zero();
  if (!advertises && allowed && awake) broken(record, "I8", "does not answer");
  if (advertises) {
    ledger.last_answer = record.now;
    ledger.interval_at_answer = record.config.advertisement_interval;
  }
  if (announces) {
    if (ledger.last_conflict_announcement &&
        record.now - *ledger.last_conflict_announcement < vrrp::kConflictAnnouncementInterval) {
      broken(record, "I8", "announces too often after losing advertisements");
    }
    ledger.last_conflict_announcement = record.now;
  } else if (loses && awake && record.config.announcements.repeat > 0 &&
             !ledger.announcement_owed_by) {
    ledger.announcement_owed_by = record.now + vrrp::kConflictAnnouncementInterval +
                                  ledger.longest_interval + lan_.wake_latency_max();
  }
}

void Invariants::check_announcements(const StepRecord& record, Ledger& ledger,
                                     bool announces) const {
  const vrrp::AnnouncementSchedule& schedule = record.config.announcements;
  if (ledger.announcement_owed_by && record.now > *ledger.announcement_owed_by) {
    broken(record, "I8", "neighbours were not told what they have to know by now");
  }
  if (const auto* due = std::get_if<vrrp::AnnouncementDue>(&record.event)) {
    // New addresses get a second burst, like all of them on becoming master.
    const bool twice = due->addresses == vrrp::Announced::kNew;
    ledger.announcements_asked_for += (twice ? 2 : 1) * std::int64_t{schedule.repeat};
  } else if (count<vrrp::RestoreAddresses>(record.step.actions) > 0) {
    ledger.announcements_asked_for += schedule.repeat;
  }
  const bool has_news =
      is<vrrp::AddressesLost>(record.event) || is<vrrp::AnnouncementDue>(record.event);
  if (has_news && schedule.repeat > 0 && !may_be_replaced(ledger, record.now)) {
    ledger.announcement_owed_by = std::max(ledger.announcement_owed_by.value_or(TimePoint::min()),
                                           record.now + lan_.wake_latency_max());
  }
  if (!announces) return;
  ledger.announcement_owed_by.reset();
  ++ledger.announcements;
  ledger.last_announcement = record.now;
  const Duration elapsed = record.now - ledger.master_since;
  std::int64_t budget = 2 * std::int64_t{schedule.repeat} + ledger.announcements_asked_for +
                        2 * (elapsed / vrrp::kConflictAnnouncementInterval + 1);
  if (schedule.refresh > Duration::zero()) budget += elapsed / schedule.refresh + 1;
  if (ledger.announcements > budget) broken(record, "I8", "announces more than its schedule says");
}

void Invariants::check_announcements_kept_up(NodeId id, const Ledger& ledger) const {
  if (ledger.was_paused) return;
  const vrrp::AnnouncementSchedule& schedule = lan_.node(id).config.announcements;
  const Duration late = lan_.wake_latency_max();
  const Duration burst = std::int64_t{schedule.repeat} * (vrrp::kAnnouncementSpacing + late);
  const TimePoint now = lan_.clock_of(id);
  const Duration elapsed = now - ledger.master_since;
  std::int64_t due = elapsed > burst ? schedule.repeat : 0;
  // A second burst that is due during the first becomes one with it.
  const Duration delay = schedule.second_burst_delay;
  if (delay > burst && elapsed > delay + late + burst) due += schedule.repeat;
  const bool refreshed =
      schedule.refresh == Duration::zero() ||
      now - std::max(ledger.last_announcement, ledger.master_since) <=
          std::max<Duration>(schedule.refresh, vrrp::kAnnouncementSpacing) + late;
  if (ledger.announcements >= due && refreshed) return;
  throw BrokenInvariant{fmt::format(
      "I8 at {}: {}: {} announcements, {} are due, last {} ago", seconds(lan_.now() - Lan::kStart),
      name_of(id), ledger.announcements, due, seconds(now - ledger.last_announcement))};
}

}  // namespace ha::sim
