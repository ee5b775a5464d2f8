#include "vrrpd/runtime/tracks.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "vrrpd/engine/track.hpp"

namespace ha::vrrp {
namespace {

constexpr int kAmountMax = 254;

/// `weight` times the number; without a number nothing is known to be good.
void weigh(Demotion& demotion, int weight, const Health& health) {
  if (health.verdict != Health::Verdict::kHealthy) {
    demotion.amount = kAmountMax;
    return;
  }
  const std::int64_t product = std::int64_t{weight} * health.number;
  demotion.fault = product <= -kAmountMax;
  demotion.amount = -static_cast<int>(
      std::clamp<std::int64_t>(product, std::int64_t{-kAmountMax}, std::int64_t{kAmountMax}));
}

struct Extremes {
  int best = 0;   ///< the smallest amount it can cost
  int worst = 0;  ///< the largest
};

/// Nothing for one that may end in a fault.
std::optional<Extremes> extremes_of(const Track& track, int haproxy) {
  if (std::holds_alternative<TrackSync>(track)) return Extremes{};  // costs a master nothing
  const TrackEffect* effect = effect_of(track);
  if (effect == nullptr) return Extremes{0, haproxy};
  if (effect->kind == TrackEffect::Kind::kFault || effect->kind == TrackEffect::Kind::kWeight) {
    return std::nullopt;
  }
  const int healthy = demotion_of("", *effect, {Health::Verdict::kHealthy, 0, ""}).amount;
  const int unhealthy = demotion_of("", *effect, {Health::Verdict::kUnhealthy, 0, ""}).amount;
  return Extremes{std::min(healthy, unhealthy), std::max(healthy, unhealthy)};
}

bool beats(Priority priority, const IpAddress& own, const Claim& peer) {
  return priority > peer.priority || (priority == peer.priority && own > peer.source);
}

}  // namespace

std::vector<InstanceConfig> share_tracks(std::vector<InstanceConfig> instances,
                                         const std::vector<GroupConfig>& groups) {
  for (const GroupConfig& group : groups) {
    std::vector<InstanceConfig*> members;
    std::vector<Track> tracks;
    for (InstanceConfig& instance : instances) {
      if (std::find(group.instances.begin(), group.instances.end(), instance.name) ==
          group.instances.end()) {
        continue;
      }
      members.push_back(&instance);
      tracks.insert(tracks.end(), instance.tracks.begin(), instance.tracks.end());
    }
    for (InstanceConfig* member : members) {
      for (const Track& track : tracks) {
        const bool is_tracked =
            std::any_of(member->tracks.begin(), member->tracks.end(),
                        [&](const Track& own) { return source_of(own) == source_of(track); });
        if (!is_tracked) member->tracks.push_back(track);
      }
    }
  }
  return instances;
}

std::optional<std::string> powerless(const InstanceConfig& config, int haproxy,
                                     const IpAddress& own, const Claim& peer) {
  const bool nothing_should =
      std::all_of(config.tracks.begin(), config.tracks.end(),
                  [](const Track& track) { return std::holds_alternative<TrackSync>(track); });
  if (nothing_should || config.router.priority == kPriorityOwner) return std::nullopt;
  std::vector<Demotion> best;
  std::vector<Demotion> worst;
  for (const Track& track : config.tracks) {
    const auto extremes = extremes_of(track, haproxy);
    if (!extremes) return std::nullopt;
    best.push_back({source_of(track), extremes->best, "", false});
    worst.push_back({source_of(track), extremes->worst, "", false});
  }
  const Priority lowest = effective_priority(config.router.priority, worst);
  const bool leads = beats(effective_priority(config.router.priority, best), own, peer);
  if (!leads || !beats(lowest, own, peer)) return std::nullopt;
  return fmt::format(
      "what it tracks cannot move its addresses: with all of it unhealthy its priority is {}, "
      "still better than the {} of {}",
      lowest.value(), peer.priority.value(), peer.source.to_string());
}

std::string source_of(const Track& track) {
  struct {
    std::string operator()(const TrackHaproxy&) const { return "haproxy"; }
    std::string operator()(const TrackInterface& subject) const {
      return "interface " + subject.interface;
    }
    std::string operator()(const TrackCheck& subject) const { return "check " + subject.check; }
    std::string operator()(const TrackSync& subject) const { return "sync " + subject.team; }
  } visitor;
  return std::visit(visitor, track);
}

Demotion demotion_of(std::string source, const TrackEffect& effect, const Health& health) {
  Demotion demotion;
  demotion.source = std::move(source);
  demotion.reason = health.reason;
  // A number other than 0, which only a check that gives one has, is not healthy.
  const bool healthy = health.verdict == Health::Verdict::kHealthy && health.number == 0;
  const bool in_force = healthy == effect.when_healthy;
  switch (effect.kind) {
    case TrackEffect::Kind::kDemote:
      demotion.amount = in_force ? effect.amount : 0;
      break;
    case TrackEffect::Kind::kPromote:
      demotion.amount = in_force ? -effect.amount : 0;
      break;
    case TrackEffect::Kind::kFault:
      demotion.fault = in_force;
      demotion.pending = in_force && health.verdict == Health::Verdict::kUnknown;
      break;
    case TrackEffect::Kind::kWeight:
      weigh(demotion, effect.amount, health);
      break;
  }
  return demotion;
}

Demotion demotion_of(const TrackSync& track, std::optional<std::chrono::milliseconds> lag) {
  using Seconds = std::chrono::duration<double>;
  Demotion demotion;
  demotion.source = "sync " + track.team;
  demotion.spares_master = true;
  demotion.amount = lag && *lag <= track.max_lag ? 0 : track.demote;
  if (!lag) {
    demotion.reason = "gluster-sync does not say how old the copy is";
  } else {
    demotion.reason = fmt::format("the copy is {:.0f} s old", Seconds{*lag}.count());
    if (demotion.amount != 0) {
      demotion.reason += fmt::format(", more than {:g} s", Seconds{track.max_lag}.count());
    }
  }
  return demotion;
}

std::vector<Demotion> claims_on(std::vector<Demotion> demotions, bool master) {
  const bool drained = std::any_of(demotions.begin(), demotions.end(), [](const Demotion& claim) {
    return claim.source == kDrainSource;
  });
  for (Demotion& demotion : demotions) {
    if (drained && demotion.amount < 0) {
      demotion.amount = 0;
      demotion.reason += ", which does not count while drained";
    } else if (master && demotion.spares_master && demotion.amount != 0) {
      demotion.amount = 0;
      demotion.reason += ", which counts only while not master";
    }
  }
  return demotions;
}

}  // namespace ha::vrrp
