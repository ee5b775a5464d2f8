/// Runs checks: makes their probes at their pace, counts the results, and tells what that makes of
/// the health of what is watched.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vrrpd/checks/config.hpp"
#include "vrrpd/checks/counting.hpp"
#include "vrrpd/checks/prober.hpp"

namespace ha::checks {

class Checks {
 public:
  /// `verdict_changed`: or else only the reason, or the number.
  using OnHealth =
      std::function<void(const CheckConfig& check, const Health& health, bool verdict_changed)>;

  /// First probes are this far apart, and further ones stay so where intervals are the same: a
  /// child takes a fraction of a millisecond to start, and advertisements have to leave in between.
  static constexpr Duration kStagger = std::chrono::milliseconds{5};
  /// News of a change makes a probe come early, but not sooner after the one before.
  static constexpr Duration kRest = std::chrono::milliseconds{100};

  /// What `services` refers to must outlive the object. `on_health` is called from the loop, never
  /// from within apply(); it may not call apply().
  Checks(ProbeServices services, OnHealth on_health);
  ~Checks();

  /// Makes `checks` the ones that run. One that is the same as before notices nothing; one with
  /// other settings starts anew from its verdict; one that is new starts from `previous`, where it
  /// is named there.
  void apply(const std::vector<CheckConfig>& checks,
             const std::map<std::string, Standing>& previous = {});

  /// Null if there is no check of this name. Valid until the next apply().
  [[nodiscard]] const Health* health(const std::string& name) const;

  /// An interface may have come, gone, or changed its state.
  void links_changed();

 private:
  class Watch;

  ProbeServices services_;
  OnHealth on_health_;
  std::map<std::string, std::unique_ptr<Watch>> watches_;
};

}  // namespace ha::checks
