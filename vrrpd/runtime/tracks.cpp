#include "vrrpd/runtime/tracks.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

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

}  // namespace

Demotion demotion_of(std::string source, const TrackEffect& effect, const Health& health) {
  Demotion demotion;
  demotion.source = std::move(source);
  demotion.reason = health.reason;
  const bool in_force = (health.verdict == Health::Verdict::kHealthy) == effect.when_healthy;
  switch (effect.kind) {
    case TrackEffect::Kind::kDemote:
      demotion.amount = in_force ? effect.amount : 0;
      break;
    case TrackEffect::Kind::kPromote:
      demotion.amount = in_force ? -effect.amount : 0;
      break;
    case TrackEffect::Kind::kFault:
      demotion.fault = in_force;
      break;
    case TrackEffect::Kind::kWeight:
      weigh(demotion, effect.amount, health);
      break;
  }
  return demotion;
}

}  // namespace ha::vrrp
