#include "sync/mount_watch.hpp"

#include "tests/support/catch.hpp"

using namespace ha;
using namespace ha::sync;
using namespace std::chrono_literals;

namespace {

constexpr TimePoint kStart{1h};

Glance seen(MountState state) {
  Glance glance;
  glance.state = state;
  return glance;
}

}  // namespace

TEST_CASE("a probe that falls silent means that the mount hangs", "[sync]") {
  MountWatch watch{false, kStart};
  watch.heard(seen(MountState::kUsable), kStart);
  CHECK(watch.state(kStart + MountWatch::kSilenceMax - 1ms).state == MountState::kUsable);
  CHECK(watch.state(kStart + MountWatch::kSilenceMax).state == MountState::kHanging);
  watch.heard(seen(MountState::kUsable), kStart + 1min);
  CHECK(watch.state(kStart + 1min).state == MountState::kUsable);
}

TEST_CASE("a silent mount is noticed within 10 s of the last sign of life", "[sync]") {
  CHECK(MountWatch::kSilenceMax + kGlancePeriod < 10s);
}

TEST_CASE("a mount is mounted anew only where that is allowed", "[sync]") {
  for (const bool may : {false, true}) {
    for (const MountState state : {MountState::kGone, MountState::kStale}) {
      MountWatch watch{may, kStart};
      watch.heard(seen(state), kStart);
      CHECK(watch.wants_remount(kStart) == may);
    }
  }
}

TEST_CASE("a mount without quorum, or whose state is not known, is left alone", "[sync]") {
  MountWatch watch{true, kStart};
  CHECK_FALSE(watch.wants_remount(kStart));
  watch.heard(seen(MountState::kNoQuorum), kStart);
  CHECK_FALSE(watch.wants_remount(kStart));
  watch.heard(seen(MountState::kUsable), kStart);
  CHECK_FALSE(watch.wants_remount(kStart));
}

TEST_CASE("a mount that hangs gets some time to come back by itself", "[sync]") {
  MountWatch watch{true, kStart};
  CHECK_FALSE(watch.wants_remount(kStart + MountWatch::kHangingMax - 1ms));
  CHECK(watch.wants_remount(kStart + MountWatch::kHangingMax));
}

TEST_CASE("mounting anew is tried one at a time, and ever less often", "[sync]") {
  MountWatch watch{true, kStart};
  watch.heard(seen(MountState::kStale), kStart);
  watch.remount_began();
  CHECK_FALSE(watch.wants_remount(kStart));
  watch.remount_ended(kStart);
  watch.heard(seen(MountState::kStale), kStart + 4s);
  CHECK_FALSE(watch.wants_remount(kStart + 5s - 1ms));
  CHECK(watch.wants_remount(kStart + 5s));
  watch.remount_began();
  watch.remount_ended(kStart + 5s);
  watch.heard(seen(MountState::kStale), kStart + 14s);
  CHECK_FALSE(watch.wants_remount(kStart + 15s - 1ms));
  CHECK(watch.wants_remount(kStart + 15s));
  // One that has been well starts from the beginning.
  watch.heard(seen(MountState::kUsable), kStart + 16s);
  watch.heard(seen(MountState::kGone), kStart + 18s);
  watch.remount_began();
  watch.remount_ended(kStart + 18s);
  watch.heard(seen(MountState::kGone), kStart + 20s);
  CHECK(watch.wants_remount(kStart + 23s));
}
