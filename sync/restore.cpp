// The part of a session that makes the own copy equal to what was committed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "sync/passage.hpp"
#include "sync/scan.hpp"
#include "sync/session.hpp"

namespace ha::sync {
namespace {

/// A standby reads while the writer goes on; each round gets what the last one missed.
constexpr int kRoundsMax = 5;
constexpr int kFetchedAgainMax = 2;
constexpr std::size_t kProgressEvery = 500;

[[nodiscard]] std::string own_directory(const Mirror& mirror) {
  return mirror.source + "/" + std::string{kReserved};
}

/// Everything on the file system of `path` reaches its disk.
[[nodiscard]] Result<void> sync_file_system(const std::string& path) {
  const File directory{open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0) return failure(errno, "open " + path);
  if (syncfs(directory.get()) != 0) return failure(errno, "sync " + path);
  return {};
}

/// What is neither in the base nor in the goal: it exists only here.
[[nodiscard]] Manifest without_goal(const Manifest& now, const Manifest& base,
                                    const Manifest& goal) {
  Manifest rest;
  for (const auto& [path, entry] : now) {
    const auto wanted = goal.find(path);
    const auto known = base.find(path);
    const bool reached = wanted != goal.end() && wanted->second.same_as(entry);
    if (!reached) {
      rest.emplace(path, entry);
    } else if (known != base.end()) {
      rest.emplace(path, known->second);
    }
  }
  return rest;
}

/// The manifest of what was committed, with the stamps of those local files that are equal to it.
[[nodiscard]] Manifest stamped(const Manifest& committed, const Manifest& local) {
  Manifest result = committed;
  for (auto& [path, entry] : result) {
    const auto found = local.find(path);
    if (found != local.end() && found->second.same_as(entry)) entry.stamp = found->second.stamp;
  }
  return result;
}

/// What a copy equal to the head is.
[[nodiscard]] std::optional<Base> base_of(const TargetView& view) {
  if (!view.head) return std::nullopt;
  return Base{view.head->version, view.head->digest, view.id};
}

/// Of a generation; if it is the head's, it has to have the digest that the head names.
[[nodiscard]] Result<Manifest> manifest_in(const Target& target, std::uint64_t generation,
                                           const Head& head) {
  auto manifest = target.manifest_at(generation);
  if (!manifest || generation != head.version.generation || digest_of(*manifest) == head.digest) {
    return manifest;
  }
  return failure(EBADMSG, fmt::format("the manifest of generation {} does not have the digest that "
                                      "its head names",
                                      generation));
}

[[nodiscard]] std::string utc_name(WallTime time) {
  const auto seconds = static_cast<std::time_t>(time / 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time / 1'000'000 % 1000);
}

/// Where this recovery keeps what it replaces: a new place, or that of the one that did not end.
[[nodiscard]] Result<std::string> backup_directory(const Mirror& mirror) {
  const std::string marker = own_directory(mirror) + "/recovering";
  auto name = read_file(marker, 256);
  if (!name && name.error().code.value() != ENOENT) return tl::make_unexpected(name.error());
  if (!name || name->empty() || name->find('/') != std::string::npos) {
    name = utc_name(wall_time());
    if (auto done = make_directories(own_directory(mirror)); !done) {
      return tl::make_unexpected(done.error());
    }
    if (auto done = write_file(marker, *name); !done) return tl::make_unexpected(done.error());
  }
  return own_directory(mirror) + "/backups/" + *name;
}

[[nodiscard]] Result<void> finish_backup(const Mirror& mirror, int keep) {
  const std::string directory = own_directory(mirror) + "/backups";
  const auto names = list_directory(directory);
  if (!names) return tl::make_unexpected(names.error());
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < names->size(); ++i) {
    if (auto done = remove_tree(join(directory, (*names)[i])); !done) return done;
  }
  return remove_file(own_directory(mirror) + "/recovering");
}

}  // namespace

Result<Session::Goal> Session::goal_of(const TargetView& view,
                                       std::optional<std::uint64_t> generation) const {
  const Head& head = *view.head;
  Goal goal{target_, generation.value_or(head.version.generation), {}, base_of(view), true};
  goal.is_head = goal.generation == head.version.generation;
  if (goal.generation > head.version.generation || goal.generation == 0 ||
      goal.generation + kGenerationsKept < head.version.generation) {
    const std::uint64_t oldest =
        head.version.generation > kGenerationsKept ? head.version.generation - kGenerationsKept : 1;
    return failure(0, fmt::format("generation {} is not kept; there are {} to {}", goal.generation,
                                  oldest, head.version.generation));
  }
  auto manifest = manifest_in(target_, goal.generation, head);
  if (!manifest) return tl::make_unexpected(manifest.error());
  goal.manifest = std::move(*manifest);
  return goal;
}

Result<Session::Goal> Session::goal_of_other(const TargetView& view, const Mirror& other) const {
  const Target from{other.target};
  const auto head = from.read_head();
  if (!head) return tl::make_unexpected(head.error());
  if (!*head) return failure(0, fmt::format("nothing was committed to {} yet", other.target));
  const std::uint64_t generation = (*head)->version.generation;
  auto manifest = manifest_in(from, generation, **head);
  if (!manifest) return tl::make_unexpected(manifest.error());
  return Goal{from, generation, std::move(*manifest), base_of(view), false};
}

Result<CopyProgress> Session::fetch(const Goal& goal, const std::vector<std::string>& paths,
                                    const std::string& incoming) {
  if (auto done = remove_tree(incoming); !done) return tl::make_unexpected(done.error());
  if (auto done = make_directories(incoming); !done) return tl::make_unexpected(done.error());
  CopyProgress total;
  for (const std::string& path : paths) {
    ++total.entries;
    total.size_bytes += goal.manifest.find(path)->second.size_bytes;
  }
  const auto places = goal.from.places(paths, goal.generation);
  if (!places) return tl::make_unexpected(places.error());
  for (const Target::Place& place : *places) {
    if (place.paths.empty()) continue;
    const auto copied = run_rsync(
        {{place.root, incoming, place.paths, std::nullopt}}, [](const CopiedLine&) {},
        [&](const CopyProgress& now) { tell("copy", now, total); });
    if (!copied) return tl::make_unexpected(copied.error());
  }
  for (const std::string& path : paths) {
    const Entry& wanted = goal.manifest.find(path)->second;
    const std::string fetched = join(incoming, path);
    auto found = look_closely(fetched);
    if (!found) return tl::make_unexpected(found.error());
    if (*found && (*found)->kind == Kind::kFile) {
      const auto digest = digest_of_file(fetched);
      if (!digest) return tl::make_unexpected(digest.error());
      (*found)->digest = *digest;
    }
    if (*found && (*found)->kind == Kind::kDirectory && wanted.kind == Kind::kDirectory) {
      if (auto done = set_attributes(fetched, wanted); !done) {
        return tl::make_unexpected(done.error());
      }
    } else if (!*found || !(*found)->same_as(wanted)) {
      return failure(EAGAIN, fmt::format("{} on the target is not what generation {} says", path,
                                         goal.generation));
    }
  }
  return total;
}

Result<Report> Session::make_equal(const Goal& goal, const Manifest& now,
                                   const std::string& aside) {
  const Delta delta = difference(now, goal.manifest);
  Report report;
  if (goal.base) report.version = goal.base->version;
  const std::string incoming = own_directory(mirror_) + "/new";
  auto fetched = fetch(goal, paths_to_copy(delta), incoming);
  for (int again = 0;
       !fetched && fetched.error().code.value() == EAGAIN && again < kFetchedAgainMax; ++again) {
    std::this_thread::sleep_for(kCachesLast);
    fetched = fetch(goal, paths_to_copy(delta), incoming);
  }
  if (!fetched) return tl::make_unexpected(fetched.error());
  report.copied = *fetched;
  const Stage stage{mirror_.source, incoming, aside};
  const std::vector<Move> moves = moves_for(delta);
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (i % kProgressEvery == 0) tell("publish", {i, 0}, {moves.size(), 0});
    if (auto done = carry_out(moves[i], stage); !done) return tl::make_unexpected(done.error());
  }
  for (const Difference& one : delta) report.removed += one.change == Change::kRemoved ? 1 : 0;
  if (auto done = remove_tree(incoming); !done) return tl::make_unexpected(done.error());
  // Before the records say that it is there: what a power cut loses must not look like a change.
  if (auto done = sync_file_system(mirror_.source); !done) {
    return tl::make_unexpected(done.error());
  }
  Manifest local = goal.manifest;
  for (auto& [path, entry] : local) {
    const auto before = now.find(path);
    if (before != now.end() && before->second.same_as(entry)) {
      entry.stamp = before->second.stamp;
      continue;
    }
    auto found = look_closely(join(mirror_.source, path));
    if (!found) return tl::make_unexpected(found.error());
    if (*found) entry.stamp = (*found)->stamp;
  }
  if (auto done = mark_source(mirror_); !done) {
    return tl::make_unexpected(done.error());
  }
  // Where the target has nothing yet, the copy is as good as new, and has no base.
  if (goal.base) {
    Manifest committed = goal.manifest;
    if (!goal.is_head) {
      auto head = target_.manifest_at(goal.base->version.generation);
      if (!head) return tl::make_unexpected(head.error());
      committed = std::move(*head);
    }
    if (auto done = state_.save_base(*goal.base, stamped(committed, local)); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  report.outcome = delta.empty() ? Outcome::kUnchanged : Outcome::kApplied;
  report.text = fmt::format("equal to generation {}", goal.generation);
  return report;
}

Report Session::broken_off(const Error& error) const {
  Report report = failed(error);
  report.outcome = Outcome::kFailed;
  return report;
}

Report Session::catch_up(const std::optional<std::vector<std::string>>& changed) {
  Error last;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto view = target_.observe();
    if (!view) return failed(view.error());
    if (!view->head) {
      Report report;
      report.outcome = Outcome::kUnchanged;
      report.text = "nothing was committed yet";
      return report;
    }
    const bool has_base = state_.view().base.has_value();
    if (has_base && state_.view().base->target_id != view->id) {
      return failed({{}, "the target is not the one this machine's copy belongs to"});
    }
    if (auto fits = check_source(has_base); !fits) return failed(fits.error());
    const auto now = scan(round == 0 ? changed : std::nullopt);
    if (!now) return failed(now.error());
    if (!has_base && !holds_nothing(now->manifest)) {
      return failed({{},
                     fmt::format("source {} holds files that did not come from the target: "
                                 "`recover` keeps a backup of them",
                                 mirror_.source)});
    }
    const auto goal = goal_of(*view, std::nullopt);
    if (!goal) return failed(goal.error());
    std::string kept_in;
    std::uint64_t conflicts = 0;
    if (has_base) {
      const auto kept =
          keep_tail(without_goal(now->manifest, state_.manifest(), goal->manifest), kept_in);
      if (!kept) return failed(kept.error());
      conflicts = *kept;
    }
    const std::string aside = own_directory(mirror_) + "/old";
    auto report = make_equal(*goal, now->manifest, aside);
    if (!report) {
      // The writer has gone on: what is there now is a later generation.
      last = report.error();
      if (last.code.value() != EAGAIN && last.code.value() != ENOENT) return broken_off(last);
      continue;
    }
    if (auto done = remove_tree(aside); !done) return failed(done.error());
    report->scanned = view->head->scanned;
    report->conflicts = conflicts;
    report->kept_in = kept_in;
    return *report;
  }
  return broken_off(last);
}

Result<TargetView> Session::take_target(const RecoverOptions& options) {
  auto view = target_.observe();
  if (!view) return view;
  if (options.content_of && view->id.empty()) {
    if (auto done = target_.initialise(mirror_.name(), random_token()); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  const auto claimed = claim(view->claim.epoch + 1, options.content_of ? "switch" : "recover");
  if (!claimed) return tl::make_unexpected(claimed.error());
  if (!*claimed) return failure(EBUSY, "another machine claimed the target at the same moment");
  view = target_.observe();
  if (!view) return view;
  for (const Version version : unfinished(*view)) {
    if (auto done = target_.roll_back(version); !done) return tl::make_unexpected(done.error());
  }
  return target_.observe();
}

/// What the source holds, with the digests of its files.
Result<Manifest> Session::look_inside() {
  if (auto done = make_directories(mirror_.source); !done) {
    return tl::make_unexpected(done.error());
  }
  auto now = scan_tree(mirror_.source, Exclusions{mirror_.exclude});
  if (!now) return tl::make_unexpected(now.error());
  std::size_t looked = 0;
  for (auto& [path, entry] : now->manifest) {
    if (++looked % kProgressEvery == 0) {
      tell("verify", {looked, 0}, {now->manifest.size(), 0});
    }
    if (entry.kind != Kind::kFile) continue;
    if (auto digest = digest_of_file(join(mirror_.source, path))) entry.digest = *digest;
  }
  return std::move(now->manifest);
}

Report Session::recover(const RecoverOptions& options) {
  auto view = target_.observe();
  if (!view) return failed(view.error());
  if (!view->head && !options.content_of) {
    return failed({{}, fmt::format("nothing was committed to {} yet", mirror_.target)});
  }
  if (options.dry_run) {
    Report report;
    report.outcome = Outcome::kUnchanged;
    if (view->head) report.version = view->head->version;
    report.text = options.content_of
                      ? fmt::format("would raise the epoch to {} and restore what {} has",
                                    view->claim.epoch + 1, options.content_of->name())
                      : fmt::format("would raise the epoch to {} and restore generation {} of {}",
                                    view->claim.epoch + 1,
                                    options.generation.value_or(view->head->version.generation),
                                    view->head->node);
    return report;
  }
  // Who else might be writing is fenced off before anything is read.
  view = take_target(options);
  if (!view) return failed(view.error());
  Error last;
  for (int round = 0; round < kRoundsMax; ++round) {
    const auto goal = options.content_of ? goal_of_other(*view, *options.content_of)
                                         : goal_of(*view, options.generation);
    if (!goal) return failed(goal.error());
    const auto now = look_inside();
    if (!now) return failed(now.error());
    const auto backup = backup_directory(mirror_);
    if (!backup) return failed(backup.error());
    auto report = make_equal(*goal, *now, *backup);
    if (!report) {
      // The other mirror is still written: what is there now is a later generation.
      last = report.error();
      const bool is_moving = last.code.value() == EAGAIN || last.code.value() == ENOENT;
      if (!options.content_of || !is_moving) return broken_off(last);
      continue;
    }
    if (auto done = finish_backup(mirror_, options.keep_backups); !done) {
      return failed(done.error());
    }
    if (auto done = state_.count_recovery(); !done) return failed(done.error());
    report->outcome = Outcome::kApplied;
    if (view->head) report->scanned = view->head->scanned;
    if (const auto kept = look_at(*backup); kept && *kept == Found::kDirectory) {
      report->kept_in = *backup;
    }
    report->text = fmt::format("restored generation {} of {}: {} files verified", goal->generation,
                               options.content_of ? options.content_of->name() : view->head->node,
                               totals_of(goal->manifest).files);
    return *report;
  }
  return broken_off(last);
}

}  // namespace ha::sync
