#include "vrrpd/engine/sync_group.hpp"

#include <algorithm>

namespace ha::vrrp {
namespace {

bool is_master(Place place) { return place == Place::kMaster || place == Place::kOwner; }

}  // namespace

Place place_of(const State& state) {
  if (const auto* master = std::get_if<Master>(&state)) {
    return master->priority == kPriorityOwner ? Place::kOwner : Place::kMaster;
  }
  if (std::holds_alternative<Fault>(state)) return Place::kFault;
  const auto* backup = std::get_if<Backup>(&state);
  if (backup == nullptr) return Place::kStopped;
  if (backup->waiting) return Place::kWaiting;
  return backup->master ? Place::kFollowing : Place::kUndecided;
}

std::vector<Move> settle(std::span<const Place> places) {
  std::vector<Move> moves(places.size(), Move::kNone);
  const bool broken = std::any_of(places.begin(), places.end(), [](Place place) {
    return place == Place::kFault || place == Place::kFollowing;
  });
  const bool ready = std::all_of(places.begin(), places.end(), [](Place place) {
    return is_master(place) || place == Place::kWaiting;
  });
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (broken && places[i] == Place::kMaster) moves[i] = Move::kStepAside;
    if (ready && places[i] == Place::kWaiting) moves[i] = Move::kTakeOver;
  }
  return moves;
}

std::string_view name_of(GroupState state) {
  static constexpr std::string_view kNames[] = {"initialize", "fault", "backup", "master"};
  return kNames[static_cast<std::size_t>(state)];
}

GroupState group_state(std::span<const Place> places) {
  const auto any = [&places](Place place) {
    return std::find(places.begin(), places.end(), place) != places.end();
  };
  if (any(Place::kStopped)) return GroupState::kInitialize;
  if (any(Place::kFault)) return GroupState::kFault;
  return std::all_of(places.begin(), places.end(), is_master) ? GroupState::kMaster
                                                              : GroupState::kBackup;
}

}  // namespace ha::vrrp
