#include "sync/authority.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ha::sync {
namespace {

[[nodiscard]] bool names(const Base& base, const Head& head) {
  return base.version == head.version && base.digest == head.digest;
}

[[nodiscard]] std::string describe(const Head& head) {
  return fmt::format("generation {} of {} (epoch {})", head.version.generation, head.node,
                     head.version.epoch);
}

[[nodiscard]] Refuse behind(const TargetView& target, const LocalView& local) {
  const std::string own =
      local.base ? fmt::format("was last equal to generation {} (epoch {})",
                               local.base->version.generation, local.base->version.epoch)
                 : std::string{"was never equal to it"};
  return {
      Refusal::kBehind,
      fmt::format("the target holds {}, but this machine's copy {}: writing would replace newer "
                  "data by older",
                  describe(*target.head), own)};
}

/// Nothing if target and copy belong together.
[[nodiscard]] std::optional<Refuse> mismatch(const TargetView& target, const LocalView& local) {
  if (!local.base) return std::nullopt;
  if (target.id.empty()) {
    return Refuse{Refusal::kTargetLost,
                  fmt::format("the target has lost its sentinel, although generation {} was "
                              "committed there: is the right volume mounted?",
                              local.base->version.generation)};
  }
  if (target.id != local.base->target_id) {
    return Refuse{Refusal::kTargetLost,
                  "the target is not the one this machine's copy belongs to: its sentinel differs"};
  }
  const Version head = target.head ? target.head->version : Version{};
  if (head < local.base->version) {
    return Refuse{Refusal::kTargetLost,
                  fmt::format("the target is at generation {}, although generation {} was "
                              "committed there: was an old state of the volume restored?",
                              head.generation, local.base->version.generation)};
  }
  return std::nullopt;
}

}  // namespace

bool holds_epoch(const TargetView& target, const LocalView& local) {
  return local.claim && target.claim.epoch != 0 && local.claim->epoch == target.claim.epoch &&
         !local.claim->token.empty() && local.claim->token == target.claim.token;
}

bool is_current(const TargetView& target, const LocalView& local) {
  if (!target.head) return !local.base;
  return local.base && names(*local.base, *target.head);
}

std::vector<Version> unfinished(const TargetView& target) {
  const std::uint64_t committed = target.head ? target.head->version.generation : 0;
  std::vector<Version> result;
  for (const Version version : target.staged) {
    const bool is_the_heads = target.head && version == target.head->version;
    if (version.generation >= committed && !is_the_heads) result.push_back(version);
  }
  std::sort(result.rbegin(), result.rend());
  return result;
}

WriteStep next_write_step(const TargetView& target, const LocalView& local, MayClaim may_claim) {
  if (auto refusal = mismatch(target, local)) return *refusal;
  if (target.id.empty()) return Initialise{};

  const bool pending_was_published =
      local.pending && target.head && names(*local.pending, *target.head);
  if (!is_current(target, local)) {
    if (pending_was_published) return AdoptPending{};
    return behind(target, local);
  }
  if (!holds_epoch(target, local)) {
    if (may_claim == MayClaim::kYes) return RaiseEpoch{target.claim.epoch + 1};
    return Refuse{
        Refusal::kFenced,
        fmt::format("epoch {} was taken by {} ({}): this machine is no longer the writer",
                    target.claim.epoch, target.claim.node.empty() ? "somebody" : target.claim.node,
                    target.claim.reason.empty() ? "unknown why" : target.claim.reason)};
  }
  if (const auto left = unfinished(target); !left.empty()) return RollBack{left.front()};
  return Commit{};
}

}  // namespace ha::sync
