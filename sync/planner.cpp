#include "sync/planner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ha::sync {
namespace {

using namespace std::chrono_literals;

/// A source that never rests is committed all the same.
constexpr int kSettlesMax = 5;
constexpr Duration kRetryMin = 2s;
constexpr Duration kRetryMax = 60s;

[[nodiscard]] bool is_good(Outcome outcome) {
  return outcome == Outcome::kCommitted || outcome == Outcome::kApplied ||
         outcome == Outcome::kUnchanged;
}

}  // namespace

std::string_view name_of(Job job) {
  switch (job) {
    case Job::kCommit:
      return "commit";
    case Job::kCatchUp:
      return "catch-up";
    case Job::kTakeOver:
      return "take-over";
    case Job::kResume:
      return "resume";
  }
  return "commit";
}

Planner::Planner(const Mirror& mirror, const Config& config, TimePoint now)
    : rule_{mirror.writer},
      standby_{mirror.standby},
      interval_{config.interval},
      settle_{config.settle},
      watch_{config.watch},
      not_before_{now},
      next_pass_{now} {}

bool Planner::is_writer() const {
  return rule_ == WriterRule::kAlways || (rule_ == WriterRule::kInstance && role_ == Role::kMaster);
}

bool Planner::is_warm_standby() const {
  return rule_ == WriterRule::kInstance && role_ == Role::kNotMaster && standby_ == Standby::kWarm;
}

void Planner::role_seen(Role role, TimePoint now) {
  if (rule_ != WriterRule::kInstance || role == role_) return;
  role_ = role;
  // A vrrpd that does not answer for a while has not changed its mind.
  if (role == Role::kUnknown || role == last_known_) return;
  if (role == Role::kMaster) {
    taking_over_ = last_known_ == Role::kNotMaster;
    resuming_ = last_known_ == Role::kUnknown;
    may_claim_ = true;
    next_pass_ = now;
    not_before_ = now;
  }
  fenced_ = false;
  failures_ = 0;
  last_known_ = role;
}

void Planner::changed(std::string_view path, TimePoint now) {
  if (!changes_.first) changes_.first = now;
  changes_.last = now;
  if (changes_.all) return;
  changes_.paths.emplace(path);
  if (changes_.paths.size() > Changes::kPathsMax) {
    changes_.all = true;
    changes_.paths.clear();
  }
}

void Planner::changes_lost(TimePoint now) {
  if (!changes_.first) changes_.first = now;
  changes_.last = now;
  changes_.all = true;
  changes_.paths.clear();
}

void Planner::target_seen(const Seen& seen) {
  target_ = seen;
  // What the other one found unchanged is as new here.
  if (!is_writer() && seen.version == applied_) as_of_ = seen.as_of;
}

void Planner::mount_seen(bool usable, TimePoint now) {
  if (usable && !mount_usable_) not_before_ = now;
  mount_usable_ = usable;
}

TimePoint Planner::commit_due() const {
  TimePoint due = next_pass_;
  if (watch_ && changes_.first) {
    due = std::min({due, changes_.last + settle_, *changes_.first + kSettlesMax * settle_});
  }
  return std::max(due, not_before_);
}

bool Planner::is_behind() const {
  return target_ && target_->version.generation > 0 && target_->version != applied_;
}

Order Planner::commit_order(TimePoint now) {
  Order order;
  if (standby_ == Standby::kWarm && taking_over_) order.job = Job::kTakeOver;
  if (standby_ == Standby::kWarm && resuming_) order.job = Job::kResume;
  order.may_claim = may_claim_ ? MayClaim::kYes : MayClaim::kNo;
  order.reason = taking_over_      ? "this machine was made the writer"
                 : !changes_.first ? "the interval has passed"
                 : changes_.all    ? "something has changed"
                                   : fmt::format("{} paths have changed", changes_.paths.size());
  take_changes(order);
  next_pass_ = now + interval_;
  return order;
}

void Planner::take_changes(Order& order) {
  if (!changes_.all && watch_) order.changed.emplace(changes_.paths.begin(), changes_.paths.end());
  changes_ = {};
  changes_.all = !watch_;
}

std::optional<Order> Planner::next(TimePoint now) {
  if (running_ || !mount_usable_ || fenced_ || now < not_before_) return std::nullopt;
  if (is_writer() && now >= commit_due()) {
    running_ = commit_order(now);
  } else if (is_warm_standby() && is_behind()) {
    running_ = Order{Job::kCatchUp, MayClaim::kNo, std::nullopt,
                     fmt::format("generation {} was committed", target_->version.generation)};
    take_changes(*running_);
  }
  return running_;
}

void Planner::ended(const JobEnd& end, TimePoint now) {
  const Job job = running_ ? running_->job : Job::kCommit;
  running_.reset();
  if (is_good(end.outcome)) {
    failures_ = 0;
    not_before_ = now;
    applied_ = end.version;
    if (job != Job::kCatchUp) may_claim_ = taking_over_ = resuming_ = false;
    if (end.as_of) {
      as_of_ = end.as_of;
    } else if (target_ && target_->version == end.version) {
      as_of_ = target_->as_of;
    }
    return;
  }
  // What the job was to look at is not lost.
  changes_lost(now);
  ++failures_;
  const int doublings = std::min(failures_ - 1, 10);
  not_before_ = now + std::min<Duration>(kRetryMin * (1 << doublings), kRetryMax);
  fenced_ = end.outcome == Outcome::kFenced || end.outcome == Outcome::kBehind;
}

void Planner::claimed_here(TimePoint now) {
  fenced_ = false;
  failures_ = 0;
  not_before_ = now;
  changes_lost(now);
}

std::optional<TimePoint> Planner::deadline() const {
  if (running_ || !mount_usable_ || fenced_) return std::nullopt;
  if (is_writer()) return commit_due();
  if (is_warm_standby() && is_behind()) return not_before_;
  return std::nullopt;
}

std::optional<Duration> Planner::lag(TimePoint now) const {
  std::optional<TimePoint> since = as_of_;
  // Nobody on this machine writes it: what counts is the target.
  if (rule_ == WriterRule::kManual && target_ && target_->version.generation > 0) {
    since = target_->as_of;
  }
  if (!since) return std::nullopt;
  return std::max<Duration>(now - *since, Duration{0});
}

std::optional<Job> Planner::running() const {
  return running_ ? std::optional{running_->job} : std::nullopt;
}

}  // namespace ha::sync
