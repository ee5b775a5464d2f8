/// How a mounted GlusterFS volume sees its bricks, from the files below MOUNT/.meta, which cost
/// neither a process nor a daemon. Reading them blocks for as long as the volume does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ha/result.hpp"

namespace ha::sync {

/// Of one client of a volume. What the files do not say is unknown.
struct BrickView {
  std::uint32_t bricks = 0;
  std::uint32_t connected = 0;
  std::optional<bool> quorum;  ///< whether every replica set can be written

  friend bool operator==(const BrickView&, const BrickView&) = default;
};

/// The value of "KEY = VALUE" on a line of its own; empty if there is none. Any bytes.
[[nodiscard]] std::string_view value_in(std::string_view text, std::string_view key);

/// Takes the `private` file of one translator into `view`. Any name, any bytes.
void add_translator(std::string_view name, std::string_view text, BrickView& view);

/// Of the volume mounted at `mount`.
[[nodiscard]] Result<BrickView> read_bricks(const std::string& mount);

/// "has no quorum: 1 of 3 bricks are connected"; empty if it has, or if that is unknown.
[[nodiscard]] std::string why_not_writable(const BrickView& view);

}  // namespace ha::sync
