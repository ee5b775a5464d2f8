#include "patience.hpp"

#include <algorithm>

#include "timers.hpp"

namespace ha::sim {

void Patience::started(const vrrp::RouterConfig& config, TimePoint now) {
  *this = {};
  interval_ = config.advertisement_interval;
  after_ = now + 3 * interval_;
}

void Patience::stepped_down(const vrrp::AdvertReceived& advert, TimePoint now) {
  *this = {};
  accept(advert, now);
}

Patience::Verdict Patience::heard(const vrrp::RouterConfig& config, Priority own,
                                  const vrrp::AdvertReceived& advert, TimePoint now) {
  if (advert.priority == kPriorityRelease) {
    after_ = std::min(after_, now);
    master_.reset();
    hold_until_.reset();
    rival_.reset();
    return Verdict::kHurries;
  }
  if (advert.priority >= own) {
    hold_until_.reset();
    accept(advert, now);
    return Verdict::kAccepted;
  }
  const bool owner = own == kPriorityOwner;
  const vrrp::Preempt preempt = owner ? vrrp::Preempt::kYes : config.preempt;
  const bool dropped = master_ == advert.source && advert.priority < highest_;
  if (dropped && preempt != vrrp::Preempt::kNo) {
    after_ = std::min(after_, now);
    rival_ = advert.priority;
    rival_heard_at_ = now;
    return Verdict::kHurries;
  }
  if (preempt == vrrp::Preempt::kYes) {
    const bool holds = !owner && config.preempt_delay > Duration::zero();
    if (holds && !hold_until_) hold_until_ = now + config.preempt_delay;
    if (!holds || now >= *hold_until_) {
      rival_ = advert.priority;
      rival_heard_at_ = now;
      return Verdict::kDiscarded;
    }
  }
  accept(advert, now);
  return Verdict::kAccepted;
}

bool Patience::own_changed(Priority own) {
  if (!rival_ || *rival_ < own) return false;
  rival_.reset();
  hold_until_.reset();
  if (after_ != TimePoint::min()) after_ = rival_heard_at_ + 3 * interval_;
  return true;
}

TimePoint Patience::earliest(const vrrp::RouterConfig& config, Priority own) const {
  if (after_ == TimePoint::min()) return after_;
  return after_ + skew_time(config.version, own, interval_);
}

void Patience::accept(const vrrp::AdvertReceived& advert, TimePoint now) {
  highest_ = master_ == advert.source ? std::max(highest_, advert.priority) : advert.priority;
  master_ = advert.source;
  interval_ = advert.interval;
  after_ = now + 3 * interval_;
  rival_.reset();
}

}  // namespace ha::sim
