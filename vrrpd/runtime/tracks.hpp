/// What a track makes of the health of what it watches. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/messages.hpp"
#include "vrrpd/config/config.hpp"

namespace ha::vrrp {

/// How a track is called wherever it is shown, one name for each: "haproxy", "interface eth1",
/// "check glusterd".
[[nodiscard]] std::string source_of(const Track& track);

/// The claim on the priority that `effect` makes while `source` has this health. Unknown counts as
/// unhealthy.
[[nodiscard]] Demotion demotion_of(std::string source, const TrackEffect& effect,
                                   const Health& health);

/// The claim of a copy that is so old; nothing: nobody knows how old.
[[nodiscard]] Demotion demotion_of(const TrackSync& track,
                                   std::optional<std::chrono::milliseconds> lag);

/// The name of the demotion by which the operator drains a machine.
inline constexpr std::string_view kDrainSource = "drain";

/// What of `demotions` counts for a router that is master, or is not. Nothing raises the priority
/// of one that is drained.
[[nodiscard]] std::vector<Demotion> claims_on(std::vector<Demotion> demotions, bool master);

/// The same instances, with what one member of a group tracks tracked by its other members too:
/// they have one fate, and a priority that only one of them lowers would move none.
[[nodiscard]] std::vector<InstanceConfig> share_tracks(std::vector<InstanceConfig> instances,
                                                       const std::vector<GroupConfig>& groups);

/// A warning if nothing that `config` tracks can take the addresses away from here: even with
/// everything unhealthy, `own` has a better claim than `peer`, the best one heard from another
/// router. Nothing where that is not certain: a track may end in a fault, or the other has the
/// better claim anyway. `haproxy` is the largest amount that HAProxy's verdict can cost.
[[nodiscard]] std::optional<std::string> powerless(const InstanceConfig& config, int haproxy,
                                                   const IpAddress& own, const Claim& peer);

}  // namespace ha::vrrp
