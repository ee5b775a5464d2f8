#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {
namespace {

/// "0.4 s", "12 min", "3 h", "5 d".
std::string spell(std::chrono::milliseconds age) {
  using namespace std::chrono;
  if (age < seconds{100}) return fmt::format("{:.1f} s", duration<double>{age}.count());
  if (age < minutes{100}) return fmt::format("{} min", duration_cast<minutes>(age).count());
  if (age < hours{100}) return fmt::format("{} h", duration_cast<hours>(age).count());
  return fmt::format("{} d", duration_cast<days>(age).count());
}

std::string spell_ms(Duration duration) {
  return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>{duration}.count());
}

/// The end of a sentence, whose last words may have come with a full stop of their own.
std::string finished(std::string sentence) {
  if (!sentence.ends_with('.')) sentence += '.';
  return sentence;
}

/// "a", "a and b", "a, b and c".
std::string listed(const std::vector<std::string>& items, std::string_view conjunction) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? fmt::format(" {} ", conjunction) : ", ";
    text += items[i];
  }
  return text;
}

std::string claim_of(const RouterStatus& router) {
  if (router.state == "initialize") return "has not started";
  if (router.state == "fault") return "is in fault";
  return "is " + router.state;
}

std::string state_sentence(const RouterStatus& router) {
  std::string sentence = fmt::format("{} {}", router.name, claim_of(router));
  if (!router.interface.empty()) sentence += " on " + router.interface;
  sentence += fmt::format(" (VRID {}, version {}) since {}", router.vrid.value(),
                          static_cast<int>(router.version), to_utc(router.since));
  if (!router.why.empty()) sentence += ": " + router.why;
  return finished(std::move(sentence));
}

std::string source_and_reason(const Demotion& track) {
  return track.reason.empty() ? track.source : fmt::format("{} ({})", track.source, track.reason);
}

std::string priority_sentence(const RouterStatus& router) {
  if (router.priority == kPriorityOwner) {
    return "Its priority is 255: it owns its addresses, and nothing demotes it.";
  }
  std::vector<std::string> demotions;
  std::vector<std::string> promotions;
  int sum = 0;
  for (const Demotion& track : router.tracks) {
    if (track.amount == 0) continue;
    (track.amount > 0 ? demotions : promotions)
        .push_back(fmt::format("{} for {}", std::abs(track.amount), source_and_reason(track)));
    sum += track.amount;
  }
  const int effective = router.effective_priority.value();
  if (demotions.empty() && promotions.empty()) {
    return fmt::format("Its priority is {}, as configured.", effective);
  }
  const int unclamped = router.priority.value() - sum;
  return fmt::format("Its effective priority is {}: {} configured{}{}{}{}{}.", effective,
                     router.priority.value(), demotions.empty() ? "" : ", less ",
                     listed(demotions, "and"), promotions.empty() ? "" : ", plus ",
                     listed(promotions, "and"),
                     unclamped < effective   ? ", and never below 1"
                     : unclamped > effective ? ", and never above 254"
                                             : "");
}

/// What keeps it out of the election, whatever its priority.
void append_faults(std::vector<std::string>& sentences, const RouterStatus& router) {
  std::vector<std::string> faults;
  for (const Demotion& track : router.tracks) {
    if (track.fault) faults.push_back(source_and_reason(track));
  }
  if (faults.empty()) return;
  sentences.push_back(finished("It is kept out of the election by " + listed(faults, "and")));
}

/// What is watched and would demote it, but is content.
void append_satisfied(std::vector<std::string>& sentences, const RouterStatus& router) {
  std::vector<std::string> satisfied;
  for (const Demotion& track : router.tracks) {
    if (track.amount == 0 && !track.fault) satisfied.push_back(source_and_reason(track));
  }
  if (satisfied.empty()) return;
  sentences.push_back(finished("It is not demoted by " + listed(satisfied, "or")));
}

std::string last_heard(const RouterStatus& router) {
  return fmt::format("came from {}, priority {}, {} ago", router.last_adv_source,
                     router.last_adv_priority.value(), spell(router.last_adv_age));
}

bool hears_somebody(const RouterStatus& router) {
  return !router.last_adv_source.empty() && router.last_adv_age <= router.master_down_interval;
}

std::string master_hears(const RouterStatus& router) {
  if (router.last_adv_source.empty()) return "It hears nobody else.";
  if (hears_somebody(router)) {
    return fmt::format("The last advertisement heard {}.", last_heard(router));
  }
  return fmt::format("It hears nobody else: the last advertisement {}.", last_heard(router));
}

/// What keeps a backup of higher priority back.
std::string preempt_sentence(const RouterStatus& router) {
  const std::string higher = "Its own priority is higher: ";
  if (router.priority == kPriorityOwner) {
    return higher + "as the owner it takes over when its timer runs out.";
  }
  switch (router.preempt) {
    case Preempt::kNo:
      return higher + "with `preempt: false` it leaves a living master in place.";
    case Preempt::kDegraded:
      return higher +
             "with `preempt: degraded` it leaves the master in place until that one's priority "
             "drops.";
    case Preempt::kYes:
      break;
  }
  if (router.preempt_delay == Duration::zero()) {
    return higher + "with `preempt: true` it takes over when its timer runs out.";
  }
  return fmt::format(
      "{}with `preempt: true` it takes over once it has heard it for the `preempt_delay` of {}.",
      higher, spell(std::chrono::duration_cast<std::chrono::milliseconds>(router.preempt_delay)));
}

void append_backup_hears(std::vector<std::string>& sentences, const RouterStatus& router) {
  if (router.waits_for_group) {
    sentences.push_back(
        fmt::format("It hears no master, and takes over when the others of its group {} can, too.",
                    router.group));
    return;
  }
  if (!hears_somebody(router)) {
    sentences.push_back(fmt::format("It hears no master and takes over after {} of silence.",
                                    spell_ms(router.master_down_interval)));
    return;
  }
  if (router.last_adv_priority == kPriorityRelease) {
    sentences.push_back(fmt::format(
        "{} has let go {} ago; it takes over after its skew time of {}.", router.last_adv_source,
        spell(router.last_adv_age), spell_ms(router.skew_time)));
    return;
  }
  sentences.push_back(fmt::format(
      "It follows {}, priority {}, heard {} ago, and would take over after {} of silence.",
      router.last_adv_source, router.last_adv_priority.value(), spell(router.last_adv_age),
      spell_ms(router.master_down_interval)));
  if (router.effective_priority > router.last_adv_priority) {
    sentences.push_back(preempt_sentence(router));
  }
}

std::string alarm_sentence(const Alarm& alarm) {
  const bool mismatch = alarm.kind.ends_with("mismatch");
  std::string what = alarm.kind;
  std::replace(what.begin(), what.end(), '-', ' ');
  std::string sentence = "Alarm: " + what;
  if (!alarm.peer.empty()) sentence += (mismatch ? " with " : " from ") + alarm.peer;
  sentence += " since " + to_utc(alarm.since);
  if (mismatch) {
    sentence += fmt::format(": ours is {}, theirs is {}", alarm.ours, alarm.theirs);
  } else {
    const bool both = !alarm.ours.empty() && !alarm.theirs.empty();
    sentence += fmt::format(": {}{}{}", alarm.ours, both ? ", " : "", alarm.theirs);
  }
  return finished(std::move(sentence));
}

void append_router(std::vector<std::string>& sentences, const RouterStatus& router) {
  sentences.push_back(state_sentence(router));
  if (!router.virtual_mac.empty()) {
    sentences.push_back(fmt::format("Its addresses belong on {}, with the MAC address {}.",
                                    router.virtual_interface, router.virtual_mac));
  }
  sentences.push_back(priority_sentence(router));
  append_faults(sentences, router);
  append_satisfied(sentences, router);
  if (router.state == "master") {
    sentences.push_back(master_hears(router));
  } else if (router.state == "backup") {
    append_backup_hears(sentences, router);
  } else if (router.state == "fault") {
    sentences.emplace_back("It takes no part in the election until that is mended.");
  }
  for (const Alarm& alarm : router.alarms) sentences.push_back(alarm_sentence(alarm));
}

void append_haproxy(std::vector<std::string>& sentences, const HaproxyStatus& haproxy) {
  sentences.push_back(finished(fmt::format(
      "HAProxy is {}: {} of {} servers up ({}%), {} of {} teams healthy{}{}", haproxy.verdict,
      haproxy.servers_up, haproxy.servers, haproxy.percentage, haproxy.healthy_teams,
      std::count_if(haproxy.teams.begin(), haproxy.teams.end(),
                    [](const TeamStatus& team) { return team.servers > 0; }),
      haproxy.reason.empty() ? "" : "; ", haproxy.reason)));
  if (haproxy.grace_remaining > haproxy.grace_remaining.zero()) {
    sentences.push_back(
        fmt::format("Its grace period ends in {}.", spell(haproxy.grace_remaining)));
  }
  if (!haproxy.alarm.empty()) sentences.push_back(finished("Alarm: HAProxy: " + haproxy.alarm));
}

bool tracks_haproxy(const RouterStatus& router) {
  return std::any_of(router.tracks.begin(), router.tracks.end(),
                     [](const Demotion& track) { return track.source == "haproxy"; });
}

}  // namespace

std::optional<std::vector<std::string>> explain(const Status& status, std::string_view instance) {
  std::vector<std::string> sentences;
  bool haproxy_matters = instance.empty();
  for (const RouterStatus& router : status.instances) {
    if (!instance.empty() && router.name != instance) continue;
    append_router(sentences, router);
    haproxy_matters = haproxy_matters || tracks_haproxy(router);
  }
  if (sentences.empty() && !instance.empty()) return std::nullopt;
  if (status.instances.empty()) sentences.emplace_back("No instance is configured.");
  if (status.haproxy && haproxy_matters) append_haproxy(sentences, *status.haproxy);
  return sentences;
}

}  // namespace ha::vrrp
