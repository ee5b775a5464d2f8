/// Keeps an eye on one mount by a probe of its own, and mounts it anew where that is allowed.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sync/children.hpp"
#include "sync/mount_watch.hpp"

namespace ha::sync {

class MountKeeper {
 public:
  using Listener = std::function<void(const Glance& glance)>;

  /// `words` start this program with its general options; `volume` is what is mounted at `place`,
  /// null if that is none of the configured mounts (then `place` is empty). `children` must outlive
  /// the object. `listener` is told what the probe sees, each time.
  MountKeeper(Children& children, std::vector<std::string> words, std::string place,
              const VolumeConfig* volume, Listener listener, TimePoint now);

  /// To be called every second: notices silence, and does what there is to be done.
  void tick(TimePoint now);

  [[nodiscard]] Glance state(TimePoint now) const { return watch_.state(now); }
  [[nodiscard]] bool is_usable(TimePoint now) const {
    return state(now).state == MountState::kUsable;
  }
  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const VolumeConfig* volume() const { return volume_; }
  [[nodiscard]] std::uint64_t remounts() const { return remounts_; }

 private:
  void start_probe();
  void heard(std::string_view line);
  void start_remount(TimePoint now);
  void tell(TimePoint now);

  Children& children_;
  std::vector<std::string> words_;
  std::string place_;
  const VolumeConfig* volume_;
  Listener listener_;
  MountWatch watch_;
  bool probing_ = false;
  MountState told_ = MountState::kUnknown;
  std::string failure_;  ///< of the last remount, which is not told twice
  std::string said_;     ///< by the one under way
  std::uint64_t remounts_ = 0;
};

}  // namespace ha::sync
