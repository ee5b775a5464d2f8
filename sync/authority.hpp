/// Whether this machine may write a target, and what has to happen before it does. Pure: what was
/// seen of the target and of the own records in, one next step out; the caller carries it out and
/// asks again with what it sees then.
///
/// Nobody writes who does not hold the highest epoch, and nobody gets an epoch whose own copy does
/// not hold everything that was committed. So older data never replaces newer, whatever a clock, a
/// lock or a partition says.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sync/records.hpp"

namespace ha::sync {

/// What was seen of a target.
struct TargetView {
  std::string id;               ///< of its sentinel; empty: it was never used
  std::optional<Head> head;     ///< nothing: no generation yet
  Claim claim;                  ///< of the highest epoch; epoch 0: none
  std::vector<Version> staged;  ///< staging directories, in order
};

/// What this machine knows about its own copy.
struct LocalView {
  std::optional<Base> base;     ///< nothing: it was never made equal to the target
  std::optional<Base> pending;  ///< what a commit was about to make it
  std::optional<Claim> claim;
};

/// Whether an epoch may be claimed now: a machine that was just made the writer may, or an operator
/// who says so; one that was fenced off while it was writing may not.
enum class MayClaim : std::uint8_t { kNo, kYes };

struct Initialise {
  friend bool operator==(const Initialise&, const Initialise&) = default;
};
struct RaiseEpoch {
  std::uint64_t to = 0;
  friend bool operator==(const RaiseEpoch&, const RaiseEpoch&) = default;
};
/// Undo the generation that nobody finished.
struct RollBack {
  Version version;
  friend bool operator==(const RollBack&, const RollBack&) = default;
};
/// The pending commit was published: the own record follows it.
struct AdoptPending {
  friend bool operator==(const AdoptPending&, const AdoptPending&) = default;
};
/// Scan, and commit what changed.
struct Commit {
  friend bool operator==(const Commit&, const Commit&) = default;
};

enum class Refusal : std::uint8_t {
  kFenced,      ///< another one holds the epoch
  kBehind,      ///< the target holds what this copy does not
  kTargetLost,  ///< the target is not the one this copy belongs to, or older than it
};
struct Refuse {
  Refusal refusal = Refusal::kFenced;
  std::string why;  ///< a sentence for the operator
  friend bool operator==(const Refuse&, const Refuse&) = default;
};

using WriteStep = std::variant<Initialise, RaiseEpoch, RollBack, AdoptPending, Commit, Refuse>;

/// The next step of a machine that wants to write.
[[nodiscard]] WriteStep next_write_step(const TargetView& target, const LocalView& local,
                                        MayClaim may_claim);

/// Whether the own claim is the target's highest.
[[nodiscard]] bool holds_epoch(const TargetView& target, const LocalView& local);

/// Whether the own copy was made equal to the target's head (or to nothing, where there is none).
[[nodiscard]] bool is_current(const TargetView& target, const LocalView& local);

/// Staged generations after the head, newest first: nobody finished them.
[[nodiscard]] std::vector<Version> unfinished(const TargetView& target);

}  // namespace ha::sync
