#include "haproxy_probe/dialogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ha::probe {

Dialogue::Dialogue(ProbeConfig config) : config_{std::move(config)} {}

std::vector<DialogueAction> Dialogue::handle(DialogueEvent event, TimePoint now) {
  return std::visit([this, now](auto&& what) { return on(std::move(what), now); },
                    std::move(event));
}

TimePoint Dialogue::deadline() const { return polling_ ? poll_ends_at_ : next_poll_at_; }

Dialogue::Actions Dialogue::on(PollAnswered&& event, TimePoint now) {
  const Identity identity = event.answer.identity;
  if (identity.stopping) {
    // Its servers are frozen: HAProxy stops checking when it stops listening.
    return on(PollFailed{fmt::format("{}: the worker that answers, pid {}, is stopping",
                                     config_.stats, identity.pid)},
              now);
  }
  Actions actions;
  held_ended_ = false;
  if (held_ != identity) hold(identity, actions);
  end_round(now, StatsReceived{std::move(event.answer.servers)}, actions);
  return actions;
}

Dialogue::Actions Dialogue::on(PollRefused&& event, TimePoint now) {
  if (!held_ended_ && retry(now)) return {};
  Actions actions;
  let_go(actions);  // the rest of a worker that stopped listening may leave
  ask_again_ = false;
  end_round(now, HaproxyGone{std::move(event.reason)}, actions);
  return actions;
}

Dialogue::Actions Dialogue::on(PollFailed&& event, TimePoint now) {
  if (retry(now)) return {};
  Actions actions;
  end_round(now, AnswerUnusable{std::move(event.reason)}, actions);
  return actions;
}

Dialogue::Actions Dialogue::on(HeldEnded&&, TimePoint now) {
  held_.reset();
  held_ended_ = true;
  if (polling_) {
    ask_again_ = true;
    return {};
  }
  retries_ = 0;
  begin_poll(now);
  return {StartPoll{}};
}

Dialogue::Actions Dialogue::on(TimeReached&&, TimePoint now) {
  if (now < deadline()) return {};
  if (!polling_) {
    if (retries_ == 0) may_hold_ = true;
    begin_poll(now);
    return {StartPoll{}};
  }
  if (now - poll_ends_at_ > config_.timeout) {
    poll_ends_at_ = now + config_.timeout;
    return {};
  }
  Actions actions{AbandonPoll{}};
  // Where few connections are allowed at a time, the held one may be the one too many.
  let_go(actions);
  end_round(now, AnswerUnusable{config_.stats + ": no whole answer in time"}, actions);
  return actions;
}

/// Whether the poll that has just failed is to be repeated.
bool Dialogue::retry(TimePoint now) {
  if (retries_ == kRetryAfter.size()) return false;
  polling_ = false;
  next_poll_at_ = now + kRetryAfter[retries_];
  ++retries_;
  return true;
}

void Dialogue::begin_poll(TimePoint now) {
  if (retries_ == 0) round_began_ = now;
  polling_ = true;
  poll_ends_at_ = now + config_.timeout;
}

void Dialogue::hold(const Identity& identity, Actions& actions) {
  if (!may_hold_) return;
  let_go(actions);
  may_hold_ = false;
  held_ = identity;
  actions.emplace_back(Hold{});
}

void Dialogue::let_go(Actions& actions) {
  if (!held_) return;
  held_.reset();
  actions.emplace_back(LetGo{});
}

void Dialogue::end_round(TimePoint now, Event&& outcome, Actions& actions) {
  polling_ = false;
  retries_ = 0;
  next_poll_at_ = std::max(now, round_began_ + config_.interval);
  if (std::exchange(ask_again_, false)) {
    begin_poll(now);
    actions.emplace_back(StartPoll{});
  }
  actions.emplace_back(Tell{std::move(outcome)});
}

}  // namespace ha::probe
