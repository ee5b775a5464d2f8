#include "sync/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sync/job.hpp"
#include "sync/progress.hpp"
#include "sync/role.hpp"
#include "sync/tool.hpp"
#include "vrrpd/ctl/connection.hpp"

namespace ha::sync {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kVrrpdPatience{2000};
/// For a job of the daemon that is at work.
constexpr Duration kLockPatience = 60s;
/// For a command at work: the changes that a job is about are not urgent then.
constexpr Duration kJobPatience = 10min;
constexpr double kMegabyte = 1e6;

/// Why the writer rule forbids it here and now; empty: it does not.
[[nodiscard]] std::string why_not_writer(const Config& config, const Mirror& mirror) {
  if (mirror.writer != WriterRule::kInstance) return {};
  const auto answer = ctl::ask(config.vrrpd, R"({"command": "status"})", kVrrpdPatience);
  if (!answer) return answer.error().message();
  std::string why;
  switch (role_in(*answer, mirror.instance, why)) {
    case Role::kMaster:
      return {};
    case Role::kNotMaster:
      return fmt::format("{} is not master on this machine", mirror.instance);
    case Role::kUnknown:
      break;
  }
  return why;
}

/// Shows on a terminal how far a pass is, once in a while.
class ProgressLine {
 public:
  explicit ProgressLine(std::string name)
      : name_{std::move(name)}, wanted_{isatty(STDERR_FILENO) == 1} {}
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress) {
    const auto now = Clock::now();
    if (progress.phase != phase_) {
      phase_ = progress.phase;
      began_ = now;
    }
    if (!wanted_ || now - last_ < 500ms) return;
    last_ = now;
    shown_ = true;
    const std::string line = name_ + ": " + describe(progress, now - began_);
    std::fputs(("\r\033[K" + line).c_str(), stderr);
  }

 private:
  std::string name_;
  bool wanted_;
  bool shown_ = false;
  std::string phase_;
  Clock::time_point began_{};
  Clock::time_point last_{};
};

void print(const Setting& setting, const Mirror& mirror, const Report& report, double seconds) {
  if (setting.json) {
    const nlohmann::ordered_json json{{"team", mirror.team},
                                      {"env", mirror.env},
                                      {"outcome", name_of(report.outcome)},
                                      {"text", report.text},
                                      {"generation", report.version.generation},
                                      {"epoch", report.version.epoch},
                                      {"files-copied", report.copied.entries},
                                      {"bytes-copied", report.copied.size_bytes},
                                      {"removed", report.removed},
                                      {"conflicts", report.conflicts},
                                      {"kept-in", report.kept_in},
                                      {"seconds", seconds}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::string line = fmt::format("{}: {}: {}", mirror.name(), name_of(report.outcome), report.text);
  if (report.copied.entries + report.removed > 0) {
    line += fmt::format("; {} copied ({:.1f} MB), {} removed", report.copied.entries,
                        static_cast<double>(report.copied.size_bytes) / kMegabyte, report.removed);
  }
  if (!report.kept_in.empty() && report.conflicts == 0) {
    line += "; what was here before is in " + report.kept_in;
  }
  const bool good = report.outcome == Outcome::kCommitted || report.outcome == Outcome::kApplied ||
                    report.outcome == Outcome::kUnchanged;
  if (good) line += fmt::format(" ({:.2f} s)", seconds);
  std::fprintf(good ? stdout : stderr, "%s\n", line.c_str());
}

[[nodiscard]] bool is_good(const Report& report) {
  return report.outcome == Outcome::kCommitted || report.outcome == Outcome::kApplied ||
         report.outcome == Outcome::kUnchanged;
}

[[nodiscard]] Report refusal(std::string why) {
  Report report;
  report.outcome = Outcome::kRefused;
  report.text = std::move(why);
  return report;
}

/// The mirrors of a team, or the one named; nothing after a message that names those there are.
[[nodiscard]] std::vector<const Mirror*> chosen(const Config& config, const std::string& team,
                                                const std::string& env) {
  std::vector<const Mirror*> mirrors;
  std::string known;
  for (const Mirror& mirror : config.mirrors) {
    if (mirror.team == team && (env.empty() || mirror.env == env)) mirrors.push_back(&mirror);
    known += (known.empty() ? "" : ", ") + mirror.name();
  }
  if (mirrors.empty()) {
    std::fprintf(stderr, "gluster-sync: unknown %s: %s%s%s; there is %s\n",
                 env.empty() ? "team" : "team or environment", team.c_str(), env.empty() ? "" : "/",
                 env.c_str(), known.c_str());
  }
  return mirrors;
}

/// Opens a session and lets `work` report.
template <class Work>
[[nodiscard]] bool at_work(const Setting& setting, const Mirror& mirror, Work work) {
  const auto began = Clock::now();
  Report report;
  {
    ProgressLine line{mirror.name()};
    Workplace workplace = setting.workplace;
    workplace.on_progress = [&line](const Progress& progress) { line.show(progress); };
    workplace.patience = kLockPatience;
    auto session = Session::open(mirror, std::move(workplace));
    report = session ? work(*session) : refusal(session.error().message());
  }
  print(setting, mirror, report, std::chrono::duration<double>{Clock::now() - began}.count());
  return is_good(report);
}

}  // namespace

int run_now(const Setting& setting, const std::string& team, const std::string& env) {
  const auto mirrors = chosen(setting.config, team, env);
  bool good = !mirrors.empty();
  for (const Mirror* const mirror : mirrors) {
    const std::string why = why_not_writer(setting.config, *mirror);
    const bool done = at_work(setting, *mirror, [&](Session& session) {
      return why.empty() ? session.commit(MayClaim::kYes, std::nullopt) : refusal(why);
    });
    good = done && good;
  }
  return good ? 0 : 1;
}

namespace {

/// The reason, on standard error.
[[nodiscard]] int fail(const std::string& why) {
  std::fprintf(stderr, "gluster-sync: %s\n", why.c_str());
  return 1;
}

/// Does `work` between two hooks; of a dry run it says that they would run.
template <class Work>
[[nodiscard]] int between_hooks(const Mirror& mirror, Mode mode,
                                const std::vector<std::string>& before,
                                const std::vector<std::string>& after, Work work) {
  const auto hook = [&](std::string_view name, const std::vector<std::string>& words) -> bool {
    if (mode == Mode::kDryRun) {
      if (!words.empty()) {
        std::printf("%s: would run %s\n", mirror.name().c_str(), words.front().c_str());
      }
      return true;
    }
    const auto ran = run_hook(name, words, mirror);
    return ran || fail(ran.error().message()) == 0;
  };
  return hook("before", before) && work() && hook("after", after) ? 0 : 1;
}

/// The mirror that `switch` takes the content from; null after a message.
[[nodiscard]] const Mirror* other_environment(const Config& config, const Mirror& mirror,
                                              const std::string& from) {
  std::vector<const Mirror*> others;
  for (const Mirror& one : config.mirrors) {
    const bool fits = one.team == mirror.team && one.env != mirror.env;
    if (fits && (from.empty() || one.env == from)) others.push_back(&one);
  }
  if (others.size() == 1) return others.front();
  std::fprintf(stderr, "gluster-sync: team %s has %s: name one with --from\n", mirror.team.c_str(),
               others.empty() ? "no such other environment" : "more than one other environment");
  return nullptr;
}

}  // namespace

int run_recover(const Setting& setting, const std::string& team, const std::string& env,
                std::optional<std::uint64_t> generation, Mode mode) {
  const auto mirrors = chosen(setting.config, team, env);
  if (mirrors.empty()) return 1;
  const Mirror& mirror = *mirrors.front();
  RecoverOptions options;
  options.generation = generation;
  options.keep_backups = setting.config.keep_backups;
  options.dry_run = mode == Mode::kDryRun;
  return between_hooks(mirror, mode, mirror.hooks.before_recover, mirror.hooks.after_recover, [&] {
    return at_work(setting, mirror, [&](Session& session) { return session.recover(options); });
  });
}

int run_switch(const Setting& setting, const std::string& team, const std::string& env,
               const std::string& from, Mode mode) {
  const auto mirrors = chosen(setting.config, team, env);
  if (mirrors.empty()) return 1;
  const Mirror& to = *mirrors.front();
  const Mirror* const other = other_environment(setting.config, to, from);
  if (other == nullptr) return 1;
  const std::string why = why_not_writer(setting.config, to);
  if (!why.empty()) return fail(to.name() + ": " + why);
  RecoverOptions options;
  options.content_of = *other;
  options.keep_backups = setting.config.keep_backups;
  options.dry_run = mode == Mode::kDryRun;
  const auto commit = [&](const Mirror& mirror) {
    if (mode == Mode::kDryRun) {
      std::printf("%s: would commit what has changed\n", mirror.name().c_str());
      return true;
    }
    return at_work(setting, mirror,
                   [](Session& session) { return session.commit(MayClaim::kYes, std::nullopt); });
  };
  return between_hooks(to, mode, to.hooks.before_switch, to.hooks.after_switch, [&] {
    return commit(*other) &&
           at_work(setting, to, [&](Session& session) { return session.recover(options); }) &&
           commit(to);
  });
}

namespace {

/// Commits as the new writer, and recovers first if the copy lacks something.
[[nodiscard]] Report take_over(const Setting& setting, const Mirror& mirror, Job job,
                               Session& session) {
  bool with_hooks = job == Job::kTakeOver;
  const auto before = [&] { return run_hook("before", mirror.hooks.before_recover, mirror); };
  if (with_hooks) {
    if (const auto ran = before(); !ran) return refusal(ran.error().message());
  }
  Report report = session.commit(MayClaim::kYes, std::nullopt);
  if (report.outcome == Outcome::kBehind) {
    if (!with_hooks) {
      if (const auto ran = before(); !ran) return refusal(ran.error().message());
    }
    with_hooks = true;
    RecoverOptions options;
    options.keep_backups = setting.config.keep_backups;
    report = session.recover(options);
  }
  if (!is_good(report) || !with_hooks) return report;
  const auto after = run_hook("after", mirror.hooks.after_recover, mirror);
  if (after) return report;
  report.outcome = Outcome::kFailed;
  report.text += "; " + after.error().message();
  return report;
}

}  // namespace

int run_job(const Setting& setting, const std::string& team, const std::string& env) {
  const auto mirrors = chosen(setting.config, team, env);
  if (mirrors.empty()) return 1;
  const Mirror& mirror = *mirrors.front();
  const std::string text{std::istreambuf_iterator<char>{std::cin}, {}};
  const auto order = parse_order(text);
  if (!order) return fail("the order " + order.error());
  auto last = Clock::now() - 1s;
  Workplace workplace = setting.workplace;
  workplace.patience = kJobPatience;
  workplace.on_progress = [&last](const Progress& progress) {
    const auto now = Clock::now();
    if (now - last < 500ms) return;
    last = now;
    std::printf("%s\n", to_json(progress).c_str());
    std::fflush(stdout);
  };
  auto session = Session::open(mirror, std::move(workplace));
  Report report;
  if (!session) {
    report = refusal(session.error().message());
  } else if (order->job == Job::kCommit) {
    report = session->commit(order->may_claim, order->changed);
  } else if (order->job == Job::kCatchUp) {
    report = session->catch_up(order->changed);
  } else {
    report = take_over(setting, mirror, order->job, *session);
  }
  std::printf("%s\n", to_json(report).c_str());
  return 0;
}

}  // namespace ha::sync
