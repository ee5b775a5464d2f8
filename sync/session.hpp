/// Work on one mirror: commit what changed, make the own copy equal to what was committed, recover.
/// Blocks, for as long as the volume does; the daemon runs it in a process of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sync/config.hpp"
#include "sync/load.hpp"
#include "sync/rsync.hpp"
#include "sync/scan.hpp"
#include "sync/state.hpp"
#include "sync/target.hpp"

namespace ha::sync {

/// How far a long pass is.
struct Progress {
  std::string phase;  ///< "scan", "copy", "publish", "verify"
  CopyProgress done;
  CopyProgress total;
};

enum class Outcome : std::uint8_t {
  kCommitted,  ///< a new generation
  kApplied,    ///< the own copy was made equal to the target's head
  kUnchanged,  ///< there was nothing to do
  kRefused,    ///< nothing was written, and why
  kFenced,     ///< the same, because another machine holds the epoch
  kBehind,     ///< the same, because the target holds what this copy does not
  kFailed,     ///< it was begun; the next run repairs it
};
/// "committed".
[[nodiscard]] std::string_view name_of(Outcome outcome);

struct Report {
  Outcome outcome = Outcome::kFailed;
  std::string text;      ///< a sentence
  Version version;       ///< the target's head afterwards
  WallTime scanned = 0;  ///< when the scan began that the head holds
  CopyProgress copied;   ///< files that went one way or the other
  std::uint64_t removed = 0;
  std::uint64_t conflicts = 0;  ///< changes kept under conflicts/
  std::string kept_in;          ///< a backup or a directory of conflicts; empty: none
};

struct RecoverOptions {
  std::optional<std::uint64_t> generation;  ///< nothing: the head
  /// Restores the head of this mirror's target instead, for a switch between environments.
  std::optional<Mirror> content_of;
  int keep_backups = 2;
  bool dry_run = false;
};

/// Who is at work, and with what.
struct Workplace {
  std::string node;
  std::string state_directory;  ///< of all mirrors
  Locality locality = Locality::kGlusterOnly;
  std::function<void(const Progress&)> on_progress;
  /// How long to wait for another process that works on the mirror.
  Duration patience{};
};

/// Where this machine's own records of a mirror are.
[[nodiscard]] std::string records_of(const Mirror& mirror, const Workplace& workplace);

/// What a client of GlusterFS has looked at it may show as it was for a second more.
inline constexpr std::chrono::milliseconds kCachesLast{1200};

class Session {
 public:
  /// Checks source and target without touching either, and takes the lock of the mirror's records.
  [[nodiscard]] static Result<Session> open(const Mirror& mirror, Workplace workplace);

  /// Commits what changed; `changed` are the paths to look at, nothing means all.
  [[nodiscard]] Report commit(MayClaim may_claim,
                              const std::optional<std::vector<std::string>>& changed);

  /// Makes the source equal to the head, without claiming anything.
  [[nodiscard]] Report catch_up(const std::optional<std::vector<std::string>>& changed);

  /// Claims the epoch and makes the source equal to a generation, keeping a backup of what it
  /// replaces, and checks all of it.
  [[nodiscard]] Report recover(const RecoverOptions& options);

 private:
  Session(Mirror mirror, Workplace workplace, State state);

  // session.cpp
  [[nodiscard]] Result<void> check_source(bool has_base) const;
  [[nodiscard]] Result<bool> claim(std::uint64_t epoch, const std::string& reason);
  [[nodiscard]] Result<Scan> scan(const std::optional<std::vector<std::string>>& changed) const;
  [[nodiscard]] Report refused(const Refuse& refuse, const TargetView& view);
  [[nodiscard]] Report failed(const Error& error) const;
  [[nodiscard]] Result<std::uint64_t> keep_tail(const Manifest& now, std::string& kept_in);
  void tell(std::string phase, CopyProgress done, CopyProgress total) const;

  // commit.cpp
  [[nodiscard]] Report commit_now(const TargetView& view,
                                  const std::optional<std::vector<std::string>>& changed);
  [[nodiscard]] Result<void> copy_in(Version version, const Delta& delta, Scan& scan);
  /// Lets `now` say what the copy at `path` is, whatever the source was when it was scanned.
  [[nodiscard]] Result<void> look_at_copy(const std::string& incoming, const std::string& path,
                                          Manifest& now) const;
  [[nodiscard]] Result<void> publish(const Head& head, const Delta& delta);
  [[nodiscard]] Result<Digest> write_down(Version version, const Delta& delta, Manifest now,
                                          const std::string& target_id);

  // restore.cpp
  /// What the source is made equal to.
  struct Goal {
    Target from;
    std::uint64_t generation = 0;  ///< of `from`
    Manifest manifest;             ///< of that
    std::optional<Base> base;      ///< what the target's head is; nothing: it has none
    bool is_head = true;           ///< the goal is that head
  };
  [[nodiscard]] Result<Goal> goal_of(const TargetView& view,
                                     std::optional<std::uint64_t> generation) const;
  [[nodiscard]] Result<Goal> goal_of_other(const TargetView& view, const Mirror& other) const;
  [[nodiscard]] Result<TargetView> take_target(const RecoverOptions& options);
  /// Returns what was fetched and removed.
  [[nodiscard]] Result<Report> make_equal(const Goal& goal, const Manifest& now,
                                          const std::string& aside);
  [[nodiscard]] Result<Manifest> look_inside();
  /// It was begun.
  [[nodiscard]] Report broken_off(const Error& error) const;
  [[nodiscard]] Result<CopyProgress> fetch(const Goal& goal, const std::vector<std::string>& paths,
                                           const std::string& incoming);

  Mirror mirror_;
  Workplace workplace_;
  State state_;
  Target target_;
};

}  // namespace ha::sync
