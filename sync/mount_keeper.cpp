#include "sync/mount_keeper.hpp"

#include <utility>

#include "sync/log.hpp"

namespace ha::sync {
namespace {

/// remount.hpp promises half a minute.
constexpr Duration kRemountPatience = std::chrono::seconds{35};

[[nodiscard]] TimePoint steady_now() { return std::chrono::steady_clock::now(); }

}  // namespace

MountKeeper::MountKeeper(Children& children, std::vector<std::string> words, std::string place,
                         const VolumeConfig* volume, Listener listener, TimePoint now)
    : children_{children},
      words_{std::move(words)},
      place_{std::move(place)},
      volume_{volume},
      listener_{std::move(listener)},
      watch_{volume != nullptr && volume->remount, now} {
  start_probe();
}

void MountKeeper::start_probe() {
  std::vector<std::string> words = words_;
  words.emplace_back("probe");
  if (!place_.empty()) words.push_back(place_);
  const auto started = children_.start({std::move(words),
                                        {},
                                        std::nullopt,
                                        [this](std::string_view line) { heard(line); },
                                        [this](std::optional<int>) { probing_ = false; }});
  // Its silence says the rest, and the next tick tries again.
  probing_ = started.has_value();
}

void MountKeeper::heard(std::string_view line) {
  auto glance = parse_glance(line);
  if (!glance) {
    log_line(Severity::kWarning, "the probe of {} says: {}", place_, line);
    return;
  }
  watch_.heard(*glance, steady_now());
  tell(steady_now());
  listener_(*glance);
}

void MountKeeper::tick(TimePoint now) {
  if (!probing_) start_probe();
  tell(now);
  if (watch_.wants_remount(now)) start_remount(now);
}

void MountKeeper::start_remount(TimePoint now) {
  std::vector<std::string> words = words_;
  words.insert(words.end(), {"remount", place_});
  said_.clear();
  const auto started = children_.start({std::move(words),
                                        {},
                                        kRemountPatience,
                                        [this](std::string_view line) { said_ = line; },
                                        [this](std::optional<int> code) {
                                          watch_.remount_ended(steady_now());
                                          if (code == 0) {
                                            ++remounts_;
                                            failure_.clear();
                                            log_line(Severity::kInfo, "mounted {} anew", place_);
                                          } else if (said_ != failure_) {
                                            failure_ = said_;
                                            log_line(Severity::kWarning,
                                                     "mounting {} anew failed: {}", place_, said_);
                                          }
                                        }});
  if (started) {
    watch_.remount_began();
  } else {
    watch_.remount_ended(now);
  }
}

void MountKeeper::tell(TimePoint now) {
  const Glance glance = watch_.state(now);
  if (glance.state == told_ || place_.empty()) return;
  const MountState before = std::exchange(told_, glance.state);
  if (glance.state != MountState::kUsable) {
    log_line(Severity::kError, "ALARM: mount {} is {}: {}", place_, name_of(glance.state),
             glance.text);
  } else if (before != MountState::kUnknown) {
    log_line(Severity::kInfo, "mount {} is usable again", place_);
  }
}

}  // namespace ha::sync
