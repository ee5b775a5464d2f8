/// What lies on a target beside the copied files: TARGET/.gluster-sync with
///
///   target             the sentinel: whose target this is, and its identity
///   epochs/N           the claims; created exclusively, so each has one holder
///   head               the last committed generation
///   pulse              when the writer last found everything committed
///   generations/N.E/   the stage of generation N under epoch E: delta, new/, old/, sometimes
///                      snapshot (a whole manifest); old/ of the last ones is kept
///   conflicts/         what a writer had not committed when another one took over
///
/// Every call may block for as long as the volume does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/result.hpp"
#include "sync/authority.hpp"
#include "sync/delta.hpp"
#include "sync/records.hpp"
#include "sync/stage.hpp"

namespace ha::sync {

/// Earlier generations that can be restored.
inline constexpr std::uint64_t kGenerationsKept = 3;
/// A whole manifest is written after so many deltas.
inline constexpr std::uint64_t kDeltasMax = 64;
/// The generation whose whole manifest the deltas up to `generation` count from; 0: the empty one.
[[nodiscard]] constexpr std::uint64_t snapshot_for(std::uint64_t generation) {
  return generation / kDeltasMax * kDeltasMax;
}

class Target {
 public:
  /// `root` is the target's directory.
  explicit Target(std::string root) : root_{std::move(root)}, own_{root_ + "/.gluster-sync"} {}

  [[nodiscard]] Result<TargetView> observe() const;

  /// Makes an unused directory a target. Harmless when repeated.
  [[nodiscard]] Result<void> initialise(const std::string& mirror, const std::string& id) const;

  /// False: somebody else was first.
  [[nodiscard]] Result<bool> raise_epoch(const Claim& claim) const;

  /// Whether nobody has claimed a higher epoch.
  [[nodiscard]] Result<bool> is_highest(std::uint64_t epoch) const;

  [[nodiscard]] Stage stage(Version version) const;
  [[nodiscard]] std::string stage_directory(Version version) const;

  [[nodiscard]] Result<void> open_stage(Version version) const;
  [[nodiscard]] Result<void> write_delta(Version version, const Delta& delta) const;
  [[nodiscard]] Result<void> write_snapshot(Version version, const Manifest& manifest) const;

  /// Puts the head in place by a rename out of the stage, which fails once the stage is gone. It is
  /// staged first, so that the caller can look at the epoch in between.
  [[nodiscard]] Result<void> stage_head(const Head& head) const;
  [[nodiscard]] Result<void> publish_head(const Head& head) const;

  /// Undoes what was moved for a generation that is not the head, and removes its stage. If it
  /// turns out to have become the head meanwhile, nothing is undone.
  [[nodiscard]] Result<void> roll_back(Version version) const;

  /// Removes what nobody can want any more, now that `head` is the head.
  [[nodiscard]] Result<void> prune(const Head& head) const;

  [[nodiscard]] Result<void> write_pulse(const Pulse& pulse) const;
  /// Nothing: there was none yet.
  [[nodiscard]] Result<std::optional<Pulse>> read_pulse() const;
  [[nodiscard]] Result<std::optional<Head>> read_head() const;

  /// The manifest of a committed generation that is kept; 0 is the empty one.
  [[nodiscard]] Result<Manifest> manifest_at(std::uint64_t generation) const;

  /// Where the content of each path of generation `generation` lies now: a root directory and the
  /// paths below it, the tree itself first.
  struct Place {
    std::string root;
    std::vector<std::string> paths;
  };
  [[nodiscard]] Result<std::vector<Place>> places(const std::vector<std::string>& paths,
                                                  std::uint64_t generation) const;

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string conflicts_directory() const { return own_ + "/conflicts"; }

 private:
  [[nodiscard]] Result<std::vector<Version>> staged() const;
  [[nodiscard]] Result<Claim> highest_claim() const;
  [[nodiscard]] Result<std::optional<Delta>> read_delta(Version version) const;

  std::string root_;
  std::string own_;
};

}  // namespace ha::sync
