/// Carrying moves out and taking them back: renames between a tree and the two directories of a
/// stage. Each is idempotent, so a process that died between any two can be followed by another.
#pragma once

#include <string>
#include <vector>

#include "ha/result.hpp"
#include "sync/delta.hpp"

namespace ha::sync {

struct Stage {
  std::string tree;
  std::string incoming;  ///< what is to come, by the paths it will have
  std::string outgoing;  ///< what was moved aside, by the paths it had
};

[[nodiscard]] Result<void> carry_out(const Move& move, const Stage& stage);

/// Puts the tree back to what it was before any of `moves`, however many of them were carried out,
/// and whatever else a process that still believed in them has moved aside: everything in
/// `outgoing` belongs into the tree. When it returns there is no `outgoing` any more.
[[nodiscard]] Result<void> take_back(const std::vector<Move>& moves, const Stage& stage);

/// Sets mode and owner.
[[nodiscard]] Result<void> set_attributes(const std::string& path, const Entry& entry);

}  // namespace ha::sync
