/// The earliest moment at which a backup may take over, derived from nothing but what was delivered
/// to it. This is the rule of RFC 9568 section 6.4.2 and DESIGN section 4 told from the other side:
/// not when a timer is set, but what the router has to have waited for.
#pragma once

#include <cstdint>
#include <optional>

#include "vrrpd/engine/router.hpp"

namespace ha::sim {

class Patience {
 public:
  /// Became backup without knowing a master.
  void started(const vrrp::RouterConfig& config, TimePoint now);
  /// Became backup because of `advert`.
  void stepped_down(const vrrp::AdvertReceived& advert, TimePoint now);
  enum class Verdict : std::uint8_t {
    kAccepted,   ///< the timer starts anew
    kDiscarded,  ///< the timer keeps running
    kHurries,    ///< no more than the skew time is left
  };
  /// Heard `advert` as a backup of effective priority `own`.
  Verdict heard(const vrrp::RouterConfig& config, Priority own, const vrrp::AdvertReceived& advert,
                TimePoint now);
  /// Its own effective priority is `own` now. Whether a live master that it was about to displace
  /// has the better claim by that: then it is waited for as if it had been accepted.
  bool own_changed(Priority own);
  /// The interval it assumes of an unknown master may have changed: nothing is known for sure.
  void reconfigured() { after_ = TimePoint::min(); }

  /// It is too early to take over before this, at the effective priority `own`.
  [[nodiscard]] TimePoint earliest(const vrrp::RouterConfig& config, Priority own) const;

 private:
  void accept(const vrrp::AdvertReceived& advert, TimePoint now);

  TimePoint after_;    ///< the skew time counts from here
  Duration interval_;  ///< of whoever was accepted last
  std::optional<IpAddress> master_;
  Priority highest_;
  std::optional<TimePoint> hold_until_;
  std::optional<Priority> rival_;  ///< of the live master that is to be displaced
  TimePoint rival_heard_at_;
};

}  // namespace ha::sim
