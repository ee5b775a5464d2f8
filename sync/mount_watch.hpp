/// What is known about one mount from a probe that may fall silent, and when to mount it anew.
/// Pure: the time is a parameter.
#pragma once

#include <optional>

#include "ha/types.hpp"
#include "sync/glance.hpp"

namespace ha::sync {

class MountWatch {
 public:
  /// The probe says something every kGlancePeriod; after so long without a word the mount hangs.
  static constexpr Duration kSilenceMax = std::chrono::seconds{6};
  /// A mount that hangs may come back by itself when GlusterFS gives the silent machine up, which
  /// is no reason to take it from whoever else uses it.
  static constexpr Duration kHangingMax = std::chrono::seconds{20};
  static constexpr Duration kRemountEveryMin = std::chrono::seconds{5};
  static constexpr Duration kRemountEveryMax = std::chrono::minutes{2};

  MountWatch(bool may_remount, TimePoint now) : may_remount_{may_remount}, heard_{now} {}

  void heard(Glance glance, TimePoint now);

  /// The last glance, or that it hangs.
  [[nodiscard]] Glance state(TimePoint now) const;

  /// Whether to mount it anew now. Whoever does so says when it began and when it is over.
  [[nodiscard]] bool wants_remount(TimePoint now) const;
  void remount_began() { remounting_ = true; }
  void remount_ended(TimePoint now);

 private:
  bool may_remount_;
  Glance glance_;
  TimePoint heard_;
  bool remounting_ = false;
  Duration every_ = kRemountEveryMin;
  TimePoint not_before_{};
};

}  // namespace ha::sync
