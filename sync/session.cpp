#include "sync/session.hpp"

#include <fmt/format.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "ha/check.hpp"
#include "sync/meta.hpp"
#include "sync/mounts.hpp"
#include "sync/passage.hpp"
#include "sync/scan.hpp"

namespace ha::sync {
namespace {

/// Whether others' changes show late here: on FUSE, as GlusterFS is.
[[nodiscard]] bool is_seen_late(const std::string& path) {
  struct statfs information {};
  return ::statfs(path.c_str(), &information) == 0 && information.f_type == FUSE_SUPER_MAGIC;
}

constexpr std::size_t kMountinfoSizeBytesMax = 16 * 1024 * 1024;

[[nodiscard]] tl::unexpected<Error> refusal(std::string why) {
  return tl::unexpected<Error>{{{}, std::move(why)}};
}

/// `path` without symbolic links; as it is where it does not exist.
[[nodiscard]] std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&free)> real{realpath(path.c_str(), nullptr), &free};
  return real ? std::string{real.get()} : path;
}

[[nodiscard]] Result<void> check_target(const Mirror& mirror, Locality locality) {
  if (locality == Locality::kGlusterOnly) {
    const auto text = read_file("/proc/self/mountinfo", kMountinfoSizeBytesMax);
    if (!text) return tl::make_unexpected(text.error());
    const auto mount = mount_of(mirror.target, parse_mountinfo(*text));
    if (!mount || mount->type != kGlusterType) {
      return refusal(fmt::format(
          "target {} is not on GlusterFS but on {} ({}): is the volume mounted? (--allow-local "
          "accepts it)",
          mirror.target, mount ? mount->type : "nothing", mount ? mount->point : "no mount"));
    }
    const auto bricks = read_bricks(mount->point);
    if (!bricks) {
      return failure(bricks.error().code.value(),
                     fmt::format("volume {} at {} cannot be reached, nothing was written "
                                 "(`gluster-sync status` says why)",
                                 volume_of(*mount), mount->point));
    }
    if (const std::string why = why_not_writable(*bricks); !why.empty()) {
      return refusal(fmt::format("volume {} at {} {}; nothing was written", volume_of(*mount),
                                 mount->point, why));
    }
  }
  const auto found = look_at(mirror.target);
  if (!found) return tl::make_unexpected(found.error());
  if (*found == Found::kOther) {
    return refusal(fmt::format("target {} is not a directory", mirror.target));
  }
  if (overlap(real_path(mirror.source), real_path(mirror.target))) {
    return refusal(fmt::format("source {} and target {} overlap", mirror.source, mirror.target));
  }
  return {};
}

/// Lets entries of `now` that do not show any change, but whose stamps commit.cpp did not trust,
/// count as unchanged if their content is what it was.
void trust_unchanged(const Manifest& base, const std::string& root, Manifest& now) {
  for (const auto& [path, entry] : base) {
    if (entry.kind != Kind::kFile || entry.stamp.ctime_ns >= 0) continue;
    const auto found = now.find(path);
    if (found == now.end() || !found->second.stamp.shows_same(entry.stamp)) continue;
    const auto digest = digest_of_file(join(root, path));
    if (!digest || *digest != entry.digest) continue;
    found->second.digest = *digest;
    found->second.stamp = entry.stamp;
  }
}

}  // namespace

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  HA_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

WallTime wall_time() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCommitted:
      return "committed";
    case Outcome::kApplied:
      return "applied";
    case Outcome::kUnchanged:
      return "unchanged";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kFenced:
      return "fenced";
    case Outcome::kBehind:
      return "behind";
    case Outcome::kFailed:
      return "failed";
  }
  return "failed";
}

std::string records_of(const Mirror& mirror, const Workplace& workplace) {
  return fmt::format("{}/{}-{}", workplace.state_directory, mirror.team, mirror.env);
}

std::string source_sentinel(const Mirror& mirror) {
  return mirror.source + "/" + std::string{kReserved} + "/source";
}

Result<void> mark_source(const Mirror& mirror) {
  const std::string path = source_sentinel(mirror);
  const std::string content = mirror.name() + "\n";
  if (const auto found = read_file(path, content.size()); found && *found == content) return {};
  if (auto done = make_directories(path.substr(0, path.rfind('/'))); !done) return done;
  return write_file(path, content);
}

Session::Session(Mirror mirror, Workplace workplace, State state)
    : mirror_{std::move(mirror)},
      workplace_{std::move(workplace)},
      state_{std::move(state)},
      target_{mirror_.target} {}

Result<Session> Session::open(const Mirror& mirror, Workplace workplace) {
  if (auto fits = check_target(mirror, workplace.locality); !fits) {
    return tl::make_unexpected(fits.error());
  }
  auto state = State::open(records_of(mirror, workplace), workplace.patience);
  if (!state) {
    if (state.error().code.value() == EWOULDBLOCK) {
      return refusal(fmt::format("another process works on {} at this moment", mirror.name()));
    }
    return tl::make_unexpected(state.error());
  }
  return Session{mirror, std::move(workplace), std::move(*state)};
}

Result<void> Session::check_source(bool has_base) const {
  const auto found = look_at(mirror_.source);
  if (!found) return tl::make_unexpected(found.error());
  if (*found != Found::kDirectory) {
    return refusal(fmt::format("source {} {}", mirror_.source,
                               *found == Found::kNothing ? "does not exist" : "is no directory"));
  }
  if (!has_base) return {};
  const auto sentinel = read_file(source_sentinel(mirror_), 4096);
  if (sentinel && *sentinel == mirror_.name() + "\n") return {};
  if (sentinel) {
    return refusal(fmt::format("source {} is not that of {}: its sentinel names {}", mirror_.source,
                               mirror_.name(), sentinel->substr(0, sentinel->find('\n'))));
  }
  if (sentinel.error().code.value() != ENOENT) return tl::make_unexpected(sentinel.error());
  return refusal(
      fmt::format("source {} has lost its sentinel ({}): is the right file system mounted there? "
                  "Nothing was written; `recover` brings the data back",
                  mirror_.source, source_sentinel(mirror_)));
}

Result<bool> Session::claim(std::uint64_t epoch, const std::string& reason) {
  const Claim claim{epoch, random_token(), workplace_.node, wall_time(), reason};
  const auto raised = target_.raise_epoch(claim);
  if (!raised || !*raised) return raised;
  if (auto done = state_.save_claim(claim); !done) return tl::make_unexpected(done.error());
  // From now on nobody else commits. What was committed just before may not be seen here yet, and
  // would be rolled back as unfinished.
  if (is_seen_late(mirror_.target)) std::this_thread::sleep_for(kCachesLast);
  return true;
}

Result<Scan> Session::scan(const std::optional<std::vector<std::string>>& changed) const {
  const Exclusions exclusions{mirror_.exclude};
  auto scan = changed ? scan_paths(mirror_.source, exclusions, state_.manifest(), *changed)
                      : scan_tree(mirror_.source, exclusions);
  if (!scan) return scan;
  take_over_digests(state_.manifest(), scan->manifest);
  trust_unchanged(state_.manifest(), mirror_.source, scan->manifest);
  return scan;
}

Report Session::refused(const Refuse& refuse, const TargetView& view) {
  Report report;
  report.outcome = refuse.refusal == Refusal::kFenced   ? Outcome::kFenced
                   : refuse.refusal == Refusal::kBehind ? Outcome::kBehind
                                                        : Outcome::kRefused;
  report.text = refuse.why;
  if (view.head) report.version = view.head->version;
  if (refuse.refusal == Refusal::kTargetLost) return report;
  if (state_.view().base && check_source(true)) {
    if (const auto now = scan(std::nullopt)) {
      const auto kept = keep_tail(now->manifest, report.kept_in);
      report.conflicts = kept.value_or(0);
    }
  }
  if (report.conflicts > 0) {
    report.text += fmt::format("; {} local changes that were not committed are kept in {}",
                               report.conflicts, report.kept_in);
  }
  report.text += fmt::format(
      "; to go on here with what the target holds, as the writer: `gluster-sync recover {} {}`",
      mirror_.team, mirror_.env);
  return report;
}

Report Session::failed(const Error& error) const {
  Report report;
  report.outcome = error.code ? Outcome::kFailed : Outcome::kRefused;
  report.text = error.message();
  if (state_.view().base) report.version = state_.view().base->version;
  return report;
}

Result<std::uint64_t> Session::keep_tail(const Manifest& now, std::string& kept_in) {
  const Delta tail = difference(state_.manifest(), now);
  if (tail.empty()) return std::uint64_t{0};
  const Version base = state_.view().base ? state_.view().base->version : Version{};
  kept_in = fmt::format("{}/{}-{}", target_.conflicts_directory(), workplace_.node, name_of(base));
  const std::string list = to_text(tail);
  if (const auto known = read_file(kept_in + "/list", list.size() + 1); known && *known == list) {
    return tail.size();
  }
  const std::string files = kept_in + "/files";
  if (auto done = make_directories(files); !done) return tl::make_unexpected(done.error());
  const Copy copy{mirror_.source, files, paths_to_copy(tail), std::nullopt, Durability::kOnDisk};
  const auto copied = run_rsync(
      {copy}, [](const CopiedLine&) {}, [](const CopyProgress&) {});
  if (!copied) {
    return tl::make_unexpected(copied.error());
  }
  if (auto done = write_file(kept_in + "/list", list); !done) {
    return tl::make_unexpected(done.error());
  }
  return tail.size();
}

void Session::tell(std::string phase, CopyProgress done, CopyProgress total) const {
  if (workplace_.on_progress) workplace_.on_progress({std::move(phase), done, total});
}

}  // namespace ha::sync
