/// The deadlines of all virtual routers behind one timer.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "ha/types.hpp"
#include "vrrpd/runtime/loop_lag.hpp"

namespace ha::vrrp {

class RouterDriver;

class Scheduler {
 public:
  /// `due` is called from `io`'s loop when the earliest deadline has passed.
  Scheduler(boost::asio::io_context& io, std::function<void()> due);

  /// Replaces the deadline of `router`; nothing removes it. Takes effect with arm().
  void set(RouterDriver* router, std::optional<TimePoint>& current, std::optional<TimePoint> next);

  /// The router with the earliest deadline, if that has passed at `now`.
  [[nodiscard]] RouterDriver* first_due(TimePoint now) const;

  /// Calls `visit` with every router whose deadline has passed at `now`.
  template <class Visit>
  void for_each_due(TimePoint now, Visit visit) const {
    for (const auto& [at, router] : deadlines_) {
      if (at > now) break;
      visit(router, at);
    }
  }

  /// Sets the timer to the earliest deadline. Called once at the end of a turn, however many
  /// changed.
  void arm();

  /// How late the timer fired, so far.
  [[nodiscard]] const LoopLag& lag() const { return lag_; }

 private:
  boost::asio::steady_timer timer_;
  std::function<void()> due_;
  std::set<std::pair<TimePoint, RouterDriver*>> deadlines_;
  std::optional<TimePoint> armed_;
  LoopLag lag_;
};

}  // namespace ha::vrrp
