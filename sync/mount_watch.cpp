#include "sync/mount_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ha::sync {

void MountWatch::heard(Glance glance, TimePoint now) {
  glance_ = std::move(glance);
  heard_ = now;
  if (glance_.state == MountState::kUsable) every_ = kRemountEveryMin;
}

Glance MountWatch::state(TimePoint now) const {
  const Duration silent = now - heard_;
  if (silent < kSilenceMax) return glance_;
  Glance hanging;
  hanging.state = MountState::kHanging;
  hanging.text = fmt::format("calls have not returned for {} s",
                             std::chrono::duration_cast<std::chrono::seconds>(kSilenceMax).count());
  return hanging;
}

bool MountWatch::wants_remount(TimePoint now) const {
  if (!may_remount_ || remounting_ || now < not_before_) return false;
  switch (state(now).state) {
    case MountState::kGone:
    case MountState::kStale:
      return true;
    case MountState::kHanging:
      return now - heard_ >= kHangingMax;
    case MountState::kUnknown:
    case MountState::kUsable:
    case MountState::kNoQuorum:
      return false;
  }
  return false;
}

void MountWatch::remount_ended(TimePoint now) {
  remounting_ = false;
  not_before_ = now + every_;
  every_ = std::min<Duration>(2 * every_, kRemountEveryMax);
}

}  // namespace ha::sync
