#include "sync/mirror_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

#include "sync/files.hpp"
#include "sync/job.hpp"
#include "sync/log.hpp"
#include "sync/passage.hpp"
#include "sync/progress.hpp"

namespace ha::sync {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTellProgressEvery = 30s;
constexpr std::size_t kRecordSizeBytesMax = 64 * 1024;

[[nodiscard]] TimePoint steady_now() { return std::chrono::steady_clock::now(); }

[[nodiscard]] double seconds_of(Duration duration) {
  return std::chrono::duration<double>{duration}.count();
}

/// The moment on this machine's steady clock; nothing if it lies in the future, since then the two
/// clocks differ.
[[nodiscard]] std::optional<TimePoint> moment_of(WallTime time, TimePoint now) {
  const Duration age{wall_time() - time};
  if (time <= 0 || age < Duration{0}) return std::nullopt;
  return now - age;
}

}  // namespace

MirrorRunner::MirrorRunner(Children& children, const Setting& setting,
                           std::vector<std::string> words, const Mirror& mirror,
                           std::function<void()> ended, TimePoint now)
    : children_{children},
      setting_{setting},
      words_{std::move(words)},
      mirror_{mirror},
      on_end_{std::move(ended)},
      planner_{mirror, setting.config, now} {}

std::string MirrorRunner::own_file(std::string_view name) const {
  return join(records_of(mirror_, setting_.workplace), name);
}

void MirrorRunner::role_answered(std::string_view answer, TimePoint now) {
  const Role before = planner_.role();
  const Role role = role_in(answer, mirror_.instance, role_problem_);
  planner_.role_seen(role, now);
  if (role == before || role == Role::kUnknown) return;
  log_line(Severity::kInfo, "{}: {} is {} here: this machine {}", mirror_.name(), mirror_.instance,
           role == Role::kMaster ? "master" : "not master",
           role == Role::kMaster               ? "is the writer"
           : mirror_.standby == Standby::kWarm ? "follows the writer"
                                               : "waits");
}

void MirrorRunner::role_unknown(const std::string& why, TimePoint now) {
  role_problem_ = why;
  planner_.role_seen(Role::kUnknown, now);
}

void MirrorRunner::target_seen(const TargetGlance& glance, TimePoint now) {
  if (target_ && *target_ == glance) return;
  const bool is_first = !target_;
  const bool has_pulse = glance.pulse_scanned != 0;
  target_ = glance;
  Seen seen{glance.version, std::nullopt};
  if (is_first) {
    // Nobody saw when it came: only the clocks can tell how old it is.
    seen.as_of = moment_of(has_pulse ? glance.pulse_scanned : glance.scanned, now);
  } else {
    // It came after the last look.
    const std::chrono::milliseconds took{has_pulse ? glance.pulse_took_ms : glance.took_ms};
    seen.as_of = now - kGlancePeriod - std::min<Duration>(took, std::chrono::hours{24 * 365});
  }
  planner_.target_seen(seen);
}

void MirrorRunner::start_if_due(TimePoint now) {
  const auto order = planner_.next(now);
  if (!order) return;
  progress_.reset();
  report_.reset();
  last_words_.clear();
  began_ = progress_told_ = now;
  std::vector<std::string> words = words_;
  words.insert(words.end(), {"job", mirror_.team, mirror_.env});
  const Job job = order->job;
  const auto started =
      children_.start({std::move(words), to_json(*order), std::nullopt,
                       [this](std::string_view line) { heard(line); },
                       [this, job](std::optional<int> code) { ended(job, code); }});
  if (job == Job::kTakeOver) {
    log_line(Severity::kInfo, "{}: taking over: {}", mirror_.name(), order->reason);
  }
  if (started) return;
  Report report;
  report.text = started.error().message();
  take(job, report, now);
}

void MirrorRunner::heard(std::string_view line) {
  auto word = parse_job_word(line);
  if (!word) {
    last_words_ = line;
    log_line(Severity::kInfo, "{}: {}", mirror_.name(), line);
    return;
  }
  if (auto* const report = std::get_if<Report>(&*word)) {
    report_ = std::move(*report);
    return;
  }
  const TimePoint now = steady_now();
  auto& progress = std::get<Progress>(*word);
  if (!progress_ || progress_->phase != progress.phase) phase_began_ = now;
  progress_ = std::move(progress);
  if (now - progress_told_ < kTellProgressEvery) return;
  progress_told_ = now;
  log_line(Severity::kInfo, "{}: {}", mirror_.name(), describe(*progress_, now - phase_began_));
}

void MirrorRunner::ended(Job job, std::optional<int> code) {
  Report report;
  if (report_) {
    report = std::move(*report_);
  } else {
    report.text = code ? fmt::format("the job ended with {}: {}", *code, last_words_)
                       : std::string{"the job hangs"};
  }
  report_.reset();
  take(job, report, steady_now());
  on_end_();
}

void MirrorRunner::take(Job job, const Report& report, TimePoint now) {
  const bool is_good = report.outcome == Outcome::kCommitted ||
                       report.outcome == Outcome::kApplied || report.outcome == Outcome::kUnchanged;
  tell(job, report, seconds_of(now - began_));
  ++(is_good ? successes_ : failures_);
  alarm_ = is_good ? std::string{} : report.text;
  JobEnd end{report.outcome, report.version, std::nullopt};
  // What another machine committed has a time of its clock.
  const bool is_own = job != Job::kCatchUp && report.outcome != Outcome::kApplied;
  if (is_good && is_own) end.as_of = moment_of(report.scanned, now);
  planner_.ended(end, now);
  if (planner_.is_fenced()) {
    claim_ = read_file(own_file("claim"), kRecordSizeBytesMax).value_or(std::string{});
  }
}

void MirrorRunner::tell(Job job, const Report& report, double seconds) const {
  constexpr double kMegabyte = 1e6;
  switch (report.outcome) {
    case Outcome::kUnchanged:
      if (job != Job::kTakeOver) return;
      [[fallthrough]];
    case Outcome::kCommitted:
    case Outcome::kApplied:
      log_line(Severity::kInfo, "{}: {}: {}; {} copied ({:.1f} MB), {} removed, in {:.2f} s",
               mirror_.name(), name_of(report.outcome), report.text, report.copied.entries,
               static_cast<double>(report.copied.size_bytes) / kMegabyte, report.removed, seconds);
      return;
    case Outcome::kRefused:
    case Outcome::kFenced:
    case Outcome::kBehind:
    case Outcome::kFailed:
      // The same every minute would only be noise.
      if (report.text == alarm_) return;
      log_line(Severity::kError, "ALARM: {}: {} {}: {}", mirror_.name(), name_of(job),
               name_of(report.outcome), report.text);
      return;
  }
}

void MirrorRunner::tick(TimePoint now) {
  if (!planner_.is_fenced()) return;
  auto claim = read_file(own_file("claim"), kRecordSizeBytesMax);
  if (!claim || *claim == claim_) return;
  claim_ = std::move(*claim);
  log_line(Severity::kInfo, "{}: claimed anew on this machine", mirror_.name());
  planner_.claimed_here(now);
}

std::string MirrorRunner::role() const {
  if (planner_.is_fenced()) return "fenced";
  if (mirror_.writer == WriterRule::kManual) return "manual";
  if (planner_.is_writer()) return "writer";
  return planner_.role() == Role::kUnknown ? "unknown" : "standby";
}

MirrorStatus MirrorRunner::status(TimePoint now) const {
  const auto ms = [](Duration duration) {
    return std::chrono::floor<std::chrono::milliseconds>(duration).count();
  };
  MirrorStatus status;
  status.team = mirror_.team;
  status.env = mirror_.env;
  status.role = role();
  if (const auto lag = planner_.lag(now)) status.lag_ms = ms(*lag);
  if (target_) status.target = target_->version;
  status.applied = planner_.applied();
  const Changes& changes = planner_.pending();
  if (planner_.is_writer()) {
    if (!changes.all) status.pending = changes.paths.size();
    if (changes.first) status.pending_since_ms = ms(now - *changes.first);
  }
  if (const auto job = planner_.running()) {
    status.running = name_of(*job);
    if (progress_) status.running += ": " + describe(*progress_, now - phase_began_);
  }
  status.alarm = alarm_;
  if (status.role == "unknown" && alarm_.empty()) status.alarm = role_problem_;
  status.successes = successes_;
  status.failures = failures_;
  status.recoveries = State::recoveries(records_of(mirror_, setting_.workplace));
  return status;
}

}  // namespace ha::sync
