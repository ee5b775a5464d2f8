#include "haproxy_probe/cli/replay.hpp"

#include <fmt/format.h>

#include <utility>

namespace ha::probe::cli {
namespace {

/// The recording's teams are its backends, and all of its servers count.
ProbeConfig as_recorded(ProbeConfig config) {
  config.teams = TeamPattern{"(.+)"};
  config.scope = ServerScope::kAll;
  return config;
}

TimePoint moment(WallTime time) { return TimePoint{time.time_since_epoch()}; }

WallTime wall_time(TimePoint time) {
  return WallTime{std::chrono::ceil<std::chrono::milliseconds>(time.time_since_epoch())};
}

bool is_demoted(Verdict verdict) {
  return verdict == Verdict::kUnhealthy || verdict == Verdict::kDown;
}

}  // namespace

std::string to_text(const Change& change) {
  return fmt::format("{} {} -> {} (demoted by {}): {} | {}", to_text(change.time),
                     name_of(change.before), name_of(change.report.verdict), change.demotion,
                     overall_line(change.report), change.report.reason);
}

Replay::Replay(ProbeConfig config) : config_{as_recorded(std::move(config))}, evaluator_{config_} {}

tl::expected<std::vector<Change>, std::string> Replay::take(std::string_view line) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  auto recorded = parse_line(line);
  if (!recorded) return tl::make_unexpected(std::move(recorded.error()));
  if (first_ && recorded->time < last_) {
    return tl::make_unexpected(
        fmt::format("the time goes back, from {} to {}", to_text(last_), to_text(recorded->time)));
  }
  if (!first_) {
    first_ = recorded->time;
    last_ = recorded->time;
    verdict_since_ = recorded->time;
  }
  std::vector<Change> changes;
  pass_to(recorded->time, changes);
  handle(recorded->event, recorded->time, changes);
  last_ = recorded->time;
  ++lines_;
  return changes;
}

/// Meets the deadlines on the way, unless nothing was recorded for so long that nobody watched:
/// then they are met late, which the evaluator knows how to take.
void Replay::pass_to(WallTime time, std::vector<Change>& changes) {
  if (time - last_ > config_.stale_after) {
    handle(DeadlineReached{}, time, changes);
    return;
  }
  while (evaluator_.deadline() && *evaluator_.deadline() < moment(time)) {
    handle(DeadlineReached{}, wall_time(*evaluator_.deadline()), changes);
  }
}

void Replay::handle(const Event& event, WallTime time, std::vector<Change>& changes) {
  evaluator_.handle(event, moment(time));
  const Report& report = evaluator_.report();
  if (report.verdict == verdict_) return;
  spent_[verdict_] += time - verdict_since_;
  changes.push_back({time, verdict_, report, demotion(config_, report).amount});
  if (is_demoted(report.verdict) && !is_demoted(verdict_)) ++demotions_;
  verdict_ = report.verdict;
  verdict_since_ = time;
}

std::string Replay::summary() const {
  auto spent = spent_;
  spent[verdict_] += last_ - verdict_since_;
  std::string times;
  for (const auto& [verdict, time] : spent) {
    if (time.count() == 0) continue;
    times +=
        fmt::format("; {} {}.{:03} s", name_of(verdict), time.count() / 1000, time.count() % 1000);
  }
  return fmt::format("{} lines, demoted {} time{}{}", lines_, demotions_,
                     demotions_ == 1 ? "" : "s", times);
}

}  // namespace ha::probe::cli
