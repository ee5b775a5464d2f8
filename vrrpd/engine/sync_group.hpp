/// Virtual routers that are master together or not at all. Pure: from what the members are to what
/// each has to do.
///
/// A member whose time has come waits until that of the others has, too (TakeOverDeferred,
/// TakeOver); one that follows somebody else's master, or cannot take part, takes the others with
/// it (StepAside).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {

/// What a member is to its group.
enum class Place : std::uint8_t {
  kStopped,    ///< shut down; this concerns the others not
  kFault,      ///< cannot take part
  kFollowing,  ///< backup of a master that it hears
  kUndecided,  ///< backup of nobody, until its time has come
  kWaiting,    ///< could be master if the others were
  kMaster,
  kOwner,  ///< master, and cannot be anything else
};
[[nodiscard]] Place place_of(const State& state);

enum class Move : std::uint8_t { kNone, kTakeOver, kStepAside };

/// What each member has to do, in the order of `places`.
[[nodiscard]] std::vector<Move> settle(std::span<const Place> places);

enum class GroupState : std::uint8_t {
  kInitialize,  ///< a member is shut down, as all are then
  kFault,       ///< a member cannot take part
  kBackup,      ///< not all are master
  kMaster,
};
/// "initialize", "fault", "backup", "master".
[[nodiscard]] std::string_view name_of(GroupState state);
[[nodiscard]] GroupState group_state(std::span<const Place> places);

}  // namespace ha::vrrp
