// The part of a session that commits a generation.
#include <fmt/format.h>
#include <sys/xattr.h>

#include <utility>
#include <variant>

#include "sync/copy_check.hpp"
#include "sync/passage.hpp"
#include "sync/scan.hpp"
#include "sync/session.hpp"

namespace ha::sync {
namespace {

/// Between looks at the epoch while files are moved.
constexpr std::size_t kMovesPerLook = 16;
/// rsync waits most of the time, above all for a volume.
constexpr std::size_t kCopiesAtOnce = 2;
/// Every step of authority.hpp makes progress; more than this many is a fight with a living one.
constexpr int kStepsMax = 16;
/// The coarsest clock that file systems stamp changes with (a tick of 100 Hz), doubled.
constexpr std::int64_t kClockGrainNs = 20'000'000;

/// What was touched while it was copied has none of its own: the next pass copies it again, even if
/// nothing but its extended attributes has changed since.
constexpr Stamp kStampOfNoFile{0, 1};

[[nodiscard]] CopyProgress total_of(const Delta& delta) {
  CopyProgress total;
  for (const Difference& one : delta) {
    if (one.change != Change::kCreated && one.change != Change::kReplaced) continue;
    ++total.entries;
    total.size_bytes += one.entry.size_bytes;
  }
  return total;
}

/// A file that was changed in the same tick of the clock as it was looked at can be changed again
/// without showing it. Its stamp says so by a negative time, and the next scan looks inside.
void distrust_recent(const Delta& copied, WallTime scanned, Manifest& now) {
  for (const std::string& path : paths_to_copy(copied)) {
    const auto found = now.find(path);
    if (found == now.end()) continue;
    Entry& entry = found->second;
    if (entry.kind == Kind::kFile && entry.stamp.ctime_ns > scanned - kClockGrainNs) {
      entry.stamp.ctime_ns = -entry.stamp.ctime_ns;
    }
  }
}

/// What is moved in as a whole is copied as a whole, and rsync looks only for what there is. Names
/// of one file stay that only if they are copied together.
[[nodiscard]] std::vector<Copy> copies_for(const Mirror& mirror, const std::string& incoming,
                                           const Delta& delta, const Scan& scan) {
  Copy copy{mirror.source, incoming, {}, mirror.exclude};
  copy.has_hard_links = scan.has_hard_links;
  copy.has_holes = scan.has_holes;
  // With a default access control list there, what is created would get one.
  copy.has_attributes = lgetxattr(incoming.c_str(), "system.posix_acl_default", nullptr, 0) > 0;
  for (auto one = delta.begin(); one != delta.end() && !copy.has_attributes; ++one) {
    if (one->change != Change::kCreated && one->change != Change::kReplaced) continue;
    copy.has_attributes = has_attributes(join(mirror.source, one->path));
  }
  std::vector<Copy> copies;
  for (auto& paths : shares_of(delta, copy.has_hard_links ? 1 : kCopiesAtOnce)) {
    copies.push_back(copy);
    copies.back().paths = std::move(paths);
  }
  return copies;
}

[[nodiscard]] Error fenced_off() {
  return {std::make_error_code(std::errc::operation_canceled),
          "another machine claimed the target meanwhile"};
}

}  // namespace

Report Session::commit(MayClaim may_claim, const std::optional<std::vector<std::string>>& changed) {
  for (int i = 0; i < kStepsMax; ++i) {
    const auto view = target_.observe();
    if (!view) return failed(view.error());
    const WriteStep step = next_write_step(*view, state_.view(), may_claim);
    if (const auto* refuse = std::get_if<Refuse>(&step)) return refused(*refuse, *view);
    if (auto fits = check_source(state_.view().base.has_value()); !fits)
      return failed(fits.error());
    if (std::holds_alternative<Commit>(step)) return commit_now(*view, changed);
    Result<void> done;
    if (std::holds_alternative<Initialise>(step)) {
      done = target_.initialise(mirror_.name(), random_token());
    } else if (const auto* raise = std::get_if<RaiseEpoch>(&step)) {
      // Whoever was first is seen in the next round.
      const auto raised = claim(raise->to, "write");
      if (!raised) return failed(raised.error());
      // Once is enough: of two that would overtake each other, neither would come to write.
      if (*raised) may_claim = MayClaim::kNo;
    } else if (const auto* roll_back = std::get_if<RollBack>(&step)) {
      done = target_.roll_back(roll_back->version);
    } else {
      done = state_.adopt_pending();
    }
    if (!done) return failed(done.error());
  }
  return failed({std::make_error_code(std::errc::device_or_resource_busy),
                 "another process keeps changing the target"});
}

Report Session::commit_now(const TargetView& view,
                           const std::optional<std::vector<std::string>>& changed) {
  const WallTime scanned = wall_time();
  tell("scan", {}, {});
  auto found = scan(changed);
  if (!found) return failed(found.error());
  Manifest& now = found->manifest;
  if (holds_nothing(now)) {
    return failed({{},
                   fmt::format("source {} is empty: nothing was written, since that would "
                               "remove everything from the target",
                               mirror_.source)});
  }
  const auto changes = [&] {
    Delta delta = difference(state_.manifest(), now);
    return found->has_hard_links ? with_other_names(std::move(delta), now) : delta;
  };
  const Delta planned = changes();
  Report report;
  report.scanned = scanned;
  if (planned.empty()) {
    report.outcome = Outcome::kUnchanged;
    report.text = "nothing has changed";
    report.version = view.head ? view.head->version : Version{};
    const auto last = target_.read_pulse();
    const Pulse pulse{report.version, last && *last ? (*last)->count + 1 : 1, scanned,
                      (wall_time() - scanned) / 1'000'000};
    if (auto done = target_.write_pulse(pulse); !done) return failed(done.error());
    return report;
  }

  const std::uint64_t generation = (view.head ? view.head->version.generation : 0) + 1;
  Head head;
  head.version = {generation, state_.view().claim->epoch};
  head.node = workplace_.node;
  head.scanned = scanned;
  head.snapshot = snapshot_for(generation);
  const auto committed = [&]() -> Result<void> {
    if (auto done = copy_in(head.version, planned, *found); !done) return done;
    distrust_recent(planned, scanned, now);
    const Delta delta = changes();
    head.totals = totals_of(now);
    const auto digest = write_down(head.version, delta, std::move(now), view.id);
    if (!digest) return tl::make_unexpected(digest.error());
    head.digest = *digest;
    return publish(head, delta);
  }();
  if (!committed) {
    Report failure = failed(committed.error());
    failure.outcome = Outcome::kFailed;
    // If this fails as well, the next run does it.
    if (auto undone = target_.roll_back(head.version); !undone) {
      failure.text += fmt::format("; and undoing it failed too: {}", undone.error().message());
    }
    if (committed.error().code == std::errc::operation_canceled) failure.outcome = Outcome::kFenced;
    return failure;
  }
  if (auto done = state_.adopt_pending(); !done) return failed(done.error());
  report.outcome = Outcome::kCommitted;
  report.version = head.version;
  report.copied = total_of(planned);
  for (const Difference& one : planned) report.removed += one.change == Change::kRemoved ? 1 : 0;
  report.text = fmt::format("generation {} holds {} files", generation, head.totals.files);
  if (auto done = target_.prune(head); !done) {
    report.text += "; cleaning up has to wait: " + done.error().message();
  }
  return report;
}

Result<void> Session::copy_in(Version version, const Delta& delta, Scan& scan) {
  if (auto done = target_.open_stage(version); !done) return done;
  const CopyProgress total = total_of(delta);
  const std::string incoming = target_.stage(version).incoming;
  CopyCheck check{mirror_.source, delta, scan.manifest};
  const auto copied = run_rsync(
      copies_for(mirror_, incoming, delta, scan),
      [&](const CopiedLine& line) { check.copied(line); },
      [&](const CopyProgress& done) { tell("copy", done, total); });
  if (!copied) return tl::make_unexpected(copied.error());
  // What came into a directory after it was scanned is for the next generation.
  for (const std::string& path : check.strays()) {
    if (auto done = remove_tree(join(incoming, path)); !done) return done;
  }
  for (const std::string& path : check.doubtful()) {
    if (auto done = look_at_copy(incoming, path, scan.manifest); !done) return done;
  }
  return {};
}

Result<void> Session::look_at_copy(const std::string& incoming, const std::string& path,
                                   Manifest& now) const {
  auto taken = look_closely(join(incoming, path));
  if (!taken) return tl::make_unexpected(taken.error());
  const auto known = now.find(path);
  if (!*taken) {
    const auto before = state_.manifest().find(path);
    if (before == state_.manifest().end()) {
      now.erase(known);
    } else {
      known->second = before->second;
    }
    return {};
  }
  Entry entry = **taken;
  if (entry.kind == Kind::kFile) {
    auto digest = digest_of_file(join(incoming, path));
    if (!digest) return tl::make_unexpected(digest.error());
    entry.digest = *digest;
  }
  const bool is_as_scanned =
      entry.same_as(known->second) && is_still(known->second, join(mirror_.source, path));
  entry.stamp = is_as_scanned ? known->second.stamp : kStampOfNoFile;
  known->second = std::move(entry);
  return {};
}

Result<Digest> Session::write_down(Version version, const Delta& delta, Manifest now,
                                   const std::string& target_id) {
  if (auto done = target_.write_delta(version, delta); !done) {
    return tl::make_unexpected(done.error());
  }
  if (snapshot_for(version.generation) == version.generation) {
    if (auto done = target_.write_snapshot(version, now); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  Digest digest = digest_of(now);
  if (auto done = state_.save_pending({version, digest, target_id}, std::move(now)); !done) {
    return tl::make_unexpected(done.error());
  }
  return digest;
}

Result<void> Session::publish(const Head& head, const Delta& delta) {
  const Stage stage = target_.stage(head.version);
  const auto look = [&]() -> Result<void> {
    const auto highest = target_.is_highest(head.version.epoch);
    if (!highest) return tl::make_unexpected(highest.error());
    if (!*highest) return tl::make_unexpected(fenced_off());
    return {};
  };
  const std::vector<Move> moves = moves_for(delta);
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (i % kMovesPerLook == 0) {
      if (auto ours = look(); !ours) return ours;
      tell("publish", {i, 0}, {moves.size(), 0});
    }
    if (auto done = carry_out(moves[i], stage); !done) return done;
  }
  Head committed = head;
  committed.committed = wall_time();
  if (auto done = target_.stage_head(committed); !done) return done;
  if (auto ours = look(); !ours) return ours;
  if (auto done = mark_source(mirror_); !done) return done;
  return target_.publish_head(committed);
}

}  // namespace ha::sync
