#include "haproxy_probe/dialogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "haproxy_probe/http.hpp"

namespace ha::probe {

Dialogue::Dialogue(ProbeConfig config)
    : config_{std::move(config)},
      question_{is_url(config_.stats) ? Question::kPage : Question::kServersState} {}

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
  held_ended_ = false;
  if (event.answer.unclear && question_ == Question::kServersState) {
    question_ = Question::kStats;
    return {begin_poll(now)};
  }
  meet(identity, now);
  Actions actions;
  const bool wanted = !following_ && !config_.events.empty() && now >= follow_at_;
  if (held_ != identity || wanted) hold(identity, now, actions);
  end_round(now, StatsReceived{std::move(event.answer.servers), remark_}, actions);
  return actions;
}

/// Takes in who has just answered.
void Dialogue::meet(const Identity& identity, TimePoint now) {
  if (worker_ != identity) {
    if (worker_ && question_ == Question::kStats) question_ = Question::kServersState;
    follow_at_ = TimePoint::min();
    remark_.clear();
  } else if (unfollowed_ && unfollowed_->first == identity) {
    // HAProxy lives, so it was the ring's connection that it ended.
    follow_at_ = now + kEventsAgainAfter;
    remark_ = fmt::format(
        "the events of ring {} cannot be followed: {}", config_.events,
        unfollowed_->second.empty() ? "HAProxy ended the connection" : unfollowed_->second);
  } else if (following_ && held_ == identity) {
    remark_.clear();
  }
  unfollowed_.reset();
  worker_ = identity;
}

Dialogue::Actions Dialogue::on(PollRefused&& event, TimePoint now) {
  // It may be older than the end of the held connection, and a successor be there by now.
  if (ask_again_) return {begin_poll(now)};
  if (!held_ended_ && retry(held_ ? kRetryAfter.size() : kRetries, now)) return {};
  Actions actions;
  let_go(actions);  // the rest of a worker that stopped listening may leave
  end_round(now, HaproxyGone{std::move(event.reason)}, actions);
  return actions;
}

Dialogue::Actions Dialogue::on(PollFailed&& event, TimePoint now) {
  if (question_ == Question::kServersState) question_ = Question::kStats;
  if (retry(kRetries, now)) return {};
  Actions actions;
  end_round(now, AnswerUnusable{std::move(event.reason)}, actions);
  return actions;
}

Dialogue::Actions Dialogue::on(HeldEnded&& event, TimePoint now) {
  if (following_ && held_) unfollowed_.emplace(*held_, std::move(event.last_words));
  held_.reset();
  following_ = false;
  held_ended_ = true;
  if (polling_) {
    ask_again_ = true;
    return {};
  }
  retries_ = 0;
  return {begin_poll(now)};
}

Dialogue::Actions Dialogue::on(Rang&&, TimePoint now) {
  if (polling_) {
    rang_ = true;
    return {};
  }
  if (retries_ > 0) return {};  // which will ask soon enough
  next_poll_at_ = std::min(next_poll_at_, std::max(now, rest_ends_at_));
  if (now < next_poll_at_) return {};
  return {begin_poll(now)};
}

Dialogue::Actions Dialogue::on(TimeReached&&, TimePoint now) {
  if (now < deadline()) return {};
  if (!polling_) return {begin_poll(now)};
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
bool Dialogue::retry(std::size_t retries_max, TimePoint now) {
  if (retries_ >= retries_max) return false;
  polling_ = false;
  next_poll_at_ = now + kRetryAfter[retries_];
  ++retries_;
  return true;
}

StartPoll Dialogue::begin_poll(TimePoint now) {
  if (retries_ == 0) round_began_ = now;
  ask_again_ = false;
  polling_ = true;
  poll_began_ = now;
  poll_ends_at_ = now + config_.timeout;
  return {question_};
}

void Dialogue::hold(const Identity& identity, TimePoint now, Actions& actions) {
  if (now < may_hold_at_) return;
  let_go(actions);
  may_hold_at_ = round_began_ + config_.interval;
  held_ = identity;
  following_ = !config_.events.empty() && now >= follow_at_;
  actions.emplace_back(Hold{following_});
}

void Dialogue::let_go(Actions& actions) {
  if (!held_) return;
  held_.reset();
  following_ = false;
  actions.emplace_back(LetGo{});
}

void Dialogue::end_round(TimePoint now, Event&& outcome, Actions& actions) {
  polling_ = false;
  retries_ = 0;
  next_poll_at_ = std::max(now, round_began_ + config_.interval);
  rest_ends_at_ = now + std::max(kDoorbellRestMin, kDoorbellRest * (now - poll_began_));
  if (std::exchange(rang_, false)) next_poll_at_ = std::min(next_poll_at_, rest_ends_at_);
  if (ask_again_) actions.emplace_back(begin_poll(now));
  actions.emplace_back(Tell{std::move(outcome)});
}

}  // namespace ha::probe
