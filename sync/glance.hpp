/// A quick look at a mount and at the targets on it. It can hang for as long as the volume does, so
/// the daemon leaves it to a child (`gluster-sync probe`), which says what it sees every two
/// seconds; its silence is an answer too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sync/config.hpp"
#include "sync/meta.hpp"
#include "sync/records.hpp"

namespace ha::sync {

enum class MountState : std::uint8_t {
  kUnknown,  ///< nobody has looked yet
  kUsable,
  kNoQuorum,  ///< mounted, but too few bricks are connected
  kGone,      ///< nothing of the kind is mounted there
  kStale,     ///< mounted, but nobody serves it: "Transport endpoint is not connected"
  kHanging,   ///< mounted, but calls do not return
};
/// "usable", "no-quorum".
[[nodiscard]] std::string_view name_of(MountState state);

/// What the records of one target say; a generation of 0: there is none.
struct TargetGlance {
  std::string mirror;  ///< "devops/blue"
  Version version;
  WallTime scanned = 0;        ///< on the clock of the machine that committed
  std::int64_t took_ms = 0;    ///< from that to the commit
  std::uint64_t pulse = 0;     ///< counts up
  WallTime pulse_scanned = 0;  ///< 0: of another generation, or none
  std::int64_t pulse_took_ms = 0;

  friend bool operator==(const TargetGlance&, const TargetGlance&) = default;
};

struct Glance {
  MountState state = MountState::kUnknown;
  std::string text;  ///< why it is not usable
  BrickView bricks;
  std::vector<TargetGlance> targets;  ///< those that could be read

  friend bool operator==(const Glance&, const Glance&) = default;
};

/// The mounts of `config`, and an empty one if there are targets that are on none of them.
[[nodiscard]] std::vector<std::string> places_of(const Config& config);
/// The one of them that `mirror` is on.
[[nodiscard]] std::string place_of(const Config& config, const Mirror& mirror);

/// How often a probe looks.
inline constexpr Duration kGlancePeriod = std::chrono::seconds{2};

/// Looks. An empty `place` is not looked at itself.
[[nodiscard]] Glance take_glance(const Config& config, const std::string& place);

/// One line of JSON, without its end.
[[nodiscard]] std::string to_json(const Glance& glance);
/// Any bytes.
[[nodiscard]] tl::expected<Glance, std::string> parse_glance(std::string_view line);

}  // namespace ha::sync
