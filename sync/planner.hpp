/// When the daemon commits, follows or takes over one mirror. Pure: what has happened in, the next
/// job and the next moment to ask again out. It never reads a clock.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ha/types.hpp"
#include "sync/config.hpp"
#include "sync/records.hpp"
#include "sync/role.hpp"
#include "sync/session.hpp"

namespace ha::sync {

enum class Job : std::uint8_t {
  kCommit,
  kCatchUp,
  kTakeOver,  ///< commit, or recover first if the copy lacks the last increment; with the hooks
  kResume,    ///< the same, but with the hooks only if it has to recover
};
/// "commit", "catch-up", "take-over", "resume".
[[nodiscard]] std::string_view name_of(Job job);

/// What of a source has changed since the last job that looked.
struct Changes {
  static constexpr std::size_t kPathsMax = 10'000;

  bool all = true;  ///< not known which: a scan has to find out
  std::set<std::string> paths;
  std::optional<TimePoint> first;  ///< nothing: none is known
  TimePoint last{};

  friend bool operator==(const Changes&, const Changes&) = default;
};

/// A generation, and the moment on this machine's clock whose state it holds; nothing: not known.
struct Seen {
  Version version;
  std::optional<TimePoint> as_of;

  friend bool operator==(const Seen&, const Seen&) = default;
};

/// What a job is started with.
struct Order {
  Job job = Job::kCommit;
  MayClaim may_claim = MayClaim::kNo;
  std::optional<std::vector<std::string>> changed;  ///< nothing: all
  std::string reason;                               ///< words for the log

  friend bool operator==(const Order&, const Order&) = default;
};

/// How a job ended. `as_of` is when the scan began that its generation holds; nothing: it is not
/// known, since the generation is another machine's.
struct JobEnd {
  Outcome outcome = Outcome::kFailed;
  Version version;
  std::optional<TimePoint> as_of;
};

class Planner {
 public:
  Planner(const Mirror& mirror, const Config& config, TimePoint now);

  /// What vrrpd says; of a mirror that follows no instance nothing.
  void role_seen(Role role, TimePoint now);
  /// `path` is relative to the source.
  void changed(std::string_view path, TimePoint now);
  /// Changes were lost, or it is not known what was missed.
  void changes_lost(TimePoint now);
  /// Changes cannot be told any more: every pass has to scan.
  void watch_refused() { watch_ = false; }
  /// What is on the target, if it can be read.
  void target_seen(const Seen& seen);
  void mount_seen(bool usable, TimePoint now);

  /// The job to start now. Whoever carries it out says how it ended before another one starts.
  [[nodiscard]] std::optional<Order> next(TimePoint now);
  void ended(const JobEnd& end, TimePoint now);
  /// Somebody on this machine has claimed the target: it may be written again.
  void claimed_here(TimePoint now);

  /// When to call next() again if nothing happens before; nothing: never.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

  [[nodiscard]] bool is_writer() const;
  [[nodiscard]] bool is_fenced() const { return fenced_; }
  /// How old the state is that the other machine would find (of the writer), or that this copy
  /// holds. Nothing: not known.
  [[nodiscard]] std::optional<Duration> lag(TimePoint now) const;
  [[nodiscard]] const Changes& pending() const { return changes_; }
  [[nodiscard]] std::optional<Job> running() const;
  [[nodiscard]] Version applied() const { return applied_; }
  [[nodiscard]] Role role() const { return role_; }

 private:
  [[nodiscard]] bool is_warm_standby() const;
  [[nodiscard]] bool is_behind() const;
  [[nodiscard]] TimePoint commit_due() const;
  [[nodiscard]] Order commit_order(TimePoint now);
  void take_changes(Order& order);

  WriterRule rule_;
  Standby standby_;
  Duration interval_;
  Duration settle_;
  bool watch_;

  Role role_ = Role::kUnknown;
  Role last_known_ = Role::kUnknown;
  bool may_claim_ = true;  ///< it may have been made the writer while nobody looked
  bool taking_over_ = false;
  bool resuming_ = false;  ///< it was the writer already when this daemon started
  bool fenced_ = false;
  bool mount_usable_ = true;
  int failures_ = 0;
  TimePoint not_before_;
  TimePoint next_pass_;
  Changes changes_;
  std::optional<Order> running_;
  std::optional<Seen> target_;
  Version applied_;
  std::optional<TimePoint> as_of_;
};

}  // namespace ha::sync
