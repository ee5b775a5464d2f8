#include "haproxy_probe/evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace ha::probe {
namespace {

/// "30s", "500ms": in the largest unit that is exact.
std::string in_words(Duration duration) {
  using namespace std::chrono;
  if (duration % seconds{1} == Duration::zero()) {
    return fmt::format("{}s", duration_cast<seconds>(duration).count());
  }
  return fmt::format("{}ms", duration_cast<milliseconds>(duration).count());
}

std::string healthy_teams(int number) {
  return fmt::format("{} healthy team{}", number, number == 1 ? "" : "s");
}

std::string_view health_of(const TeamHealth& team) {
  if (team.servers == 0) return "UNKNOWN";
  return team.healthy() ? "UP" : "DOWN";
}

int percentage_of(int up, int servers) { return servers == 0 ? 0 : up * 100 / servers; }

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUnknown:
      return "unknown";
    case Verdict::kHealthy:
      return "healthy";
    case Verdict::kUnhealthy:
      return "unhealthy";
    case Verdict::kDown:
      break;
  }
  return "down";
}

std::string overall_line(const Report& report) {
  std::string line = fmt::format("Overall: {}/{} ({}%) | Teams:", report.servers_up, report.servers,
                                 report.percentage);
  for (const TeamHealth& team : report.teams) {
    line += fmt::format(" {}:{}({}/{})", team.name, health_of(team), team.up, team.servers);
  }
  return line;
}

Demotion demotion(const ProbeConfig& config, const Report& report) {
  int amount = 0;
  if (report.verdict == Verdict::kUnhealthy) amount = config.demote_unhealthy;
  if (report.verdict == Verdict::kDown) amount = config.demote_down;
  // Without numbers, or in spite of them, the decision line says why.
  if (report.servers == 0 || report.verdict == Verdict::kDown) {
    return {"haproxy", amount, report.reason.substr(report.reason.find(": ") + 2)};
  }
  const auto counted = std::count_if(report.teams.begin(), report.teams.end(),
                                     [](const TeamHealth& team) { return team.servers > 0; });
  return {"haproxy", amount,
          fmt::format("{}% up, {} of {} teams healthy", report.percentage, report.healthy_teams,
                      counted)};
}

Evaluator::Evaluator(ProbeConfig config, const Standing& before)
    : config_{std::move(config)},
      counter_{config_},
      verdict_{before.verdict},
      bad_since_{before.bad_since} {
  update_report();
}

void Evaluator::handle(const Event& event, TimePoint now) {
  if (!silent_since_) silent_since_ = now;
  std::visit([this, now](const auto& what) { on(what, now); }, event);
  advance(now);
  update_report();
}

void Evaluator::on(const StatsReceived& event, TimePoint now) {
  silent_since_ = now;
  count_ = counter_.count(event.servers);
  trouble_ = count_.complaint.value_or(event.remark);
  if (calm_since_ && now - *calm_since_ >= config_.recover) bad_since_.reset();
  if (count_.servers > 0 && is_bad()) {
    if (!bad_since_) bad_since_ = now;
    calm_since_.reset();
    good_since_.reset();
    news_ = News::kBad;
    return;
  }
  if (!calm_since_) calm_since_ = now;
  news_ = News::kUncounted;
  if (count_.servers == 0) return;
  if (!good_since_) good_since_ = now;
  news_ = News::kGood;
}

void Evaluator::on(const HaproxyGone& event, TimePoint) {
  news_ = News::kGone;
  trouble_ = event.reason;
  go_down();
}

void Evaluator::on(const AnswerUnusable& event, TimePoint) {
  news_ = News::kUnusable;
  trouble_ = event.reason;
}

void Evaluator::on(const LocalAddressesChanged& event, TimePoint) {
  counter_.set_local(event.local);
}

void Evaluator::on(const DeadlineReached&, TimePoint now) {
  if (!can_go_down() || now - stale_at() <= config_.timeout) return;
  silent_since_ = now + config_.interval + config_.timeout - config_.stale_after;
}

/// The edges of the verdict that time and the last news open.
void Evaluator::advance(TimePoint now) {
  if (can_go_down() && now >= stale_at()) {
    if (news_ != News::kUnusable) trouble_ = "nothing was heard of it";
    news_ = News::kUnusable;
    go_down();
  }
  switch (news_) {
    case News::kBad:
      if (verdict_ == Verdict::kUnknown) verdict_ = Verdict::kHealthy;
      if (verdict_ == Verdict::kDown || now - *bad_since_ >= config_.grace) {
        verdict_ = Verdict::kUnhealthy;
      }
      break;
    case News::kGood:
      if (!is_demoted() || now - *good_since_ >= config_.recover) verdict_ = Verdict::kHealthy;
      break;
    case News::kNone:
    case News::kUncounted:
    case News::kUnusable:
    case News::kGone:
      break;
  }
}

/// A dead HAProxy serves nobody: what its last answer counted as up is not.
void Evaluator::go_down() {
  verdict_ = Verdict::kDown;
  bad_since_.reset();
  calm_since_.reset();
  good_since_.reset();
  count_.servers_up = 0;
  count_.healthy_teams = 0;
  for (TeamHealth& team : count_.teams) team.up = 0;
}

std::optional<TimePoint> Evaluator::deadline() const {
  if (!silent_since_) return std::nullopt;
  std::optional<TimePoint> earliest;
  const auto consider = [&earliest](TimePoint at) {
    earliest = earliest ? std::min(*earliest, at) : at;
  };
  if (can_go_down()) consider(stale_at());
  if (news_ == News::kBad && verdict_ == Verdict::kHealthy) consider(*bad_since_ + config_.grace);
  if (news_ == News::kGood && is_demoted()) consider(*good_since_ + config_.recover);
  return earliest;
}

/// Down on its way up can fall back.
bool Evaluator::can_go_down() const { return verdict_ != Verdict::kDown || calm_since_; }

bool Evaluator::is_demoted() const {
  return verdict_ == Verdict::kUnhealthy || verdict_ == Verdict::kDown;
}

bool Evaluator::percentage_is_low() const {
  return count_.servers_up * 100 < config_.threshold * count_.servers;
}

bool Evaluator::quorum_is_missed() const { return count_.healthy_teams < quorum(); }

bool Evaluator::is_bad() const {
  return config_.combine == Combine::kAnd ? percentage_is_low() && quorum_is_missed()
                                          : percentage_is_low() || quorum_is_missed();
}

/// Never more than there are teams to be healthy.
int Evaluator::quorum() const { return std::min(config_.quorum, count_.counted_teams); }

TimePoint Evaluator::stale_at() const { return *silent_since_ + config_.stale_after; }

std::string Evaluator::reason() const {
  const std::string kept = fmt::format("HOLD: {} is kept", name_of(verdict_));
  switch (news_) {
    case News::kNone:
      if (verdict_ == Verdict::kUnknown) return "HOLD: no answer of HAProxy yet";
      return kept + ": no answer of HAProxy since the start";
    case News::kGood:
      if (!is_demoted()) return "NO FAILOVER: " + why_good();
      return fmt::format("{} until good for {}: {}", kept, in_words(config_.recover), why_good());
    case News::kBad:
      if (is_demoted()) return "FAILOVER: " + why_bad();
      return fmt::format("WAIT: {}; grace of {}", why_bad(), in_words(config_.grace));
    case News::kUncounted:
      return fmt::format("{}: {}", kept, trouble_);
    case News::kUnusable:
      if (verdict_ == Verdict::kDown) return "FAILOVER: no usable answer of HAProxy: " + trouble_;
      return fmt::format("{}: no usable answer of HAProxy: {}", kept, trouble_);
    case News::kGone:
      break;
  }
  return "FAILOVER: HAProxy is gone: " + trouble_;
}

std::string Evaluator::why_good() const {
  const std::string percentage =
      fmt::format("{}% is {}below {}%", percentage_of(count_.servers_up, count_.servers),
                  percentage_is_low() ? "" : "not ", config_.threshold);
  if (!percentage_is_low()) return percentage + "; " + healthy_teams(count_.healthy_teams);
  return fmt::format("{}, but {} reach the quorum of {}", percentage,
                     healthy_teams(count_.healthy_teams), quorum());
}

std::string Evaluator::why_bad() const {
  std::string why;
  if (percentage_is_low()) {
    why = fmt::format("{}% is below {}%", percentage_of(count_.servers_up, count_.servers),
                      config_.threshold);
  }
  if (quorum_is_missed()) {
    why += fmt::format("{}{} {} below the quorum of {}", why.empty() ? "" : " and ",
                       healthy_teams(count_.healthy_teams),
                       count_.healthy_teams == 1 ? "is" : "are", quorum());
  }
  return why;
}

void Evaluator::update_report() {
  report_.verdict = verdict_;
  report_.servers_up = count_.servers_up;
  report_.servers = count_.servers;
  report_.percentage = percentage_of(count_.servers_up, count_.servers);
  report_.healthy_teams = count_.healthy_teams;
  report_.teams = count_.teams;
  report_.grace_ends_at.reset();
  if (news_ == News::kBad && verdict_ == Verdict::kHealthy) {
    report_.grace_ends_at = *bad_since_ + config_.grace;
  }
  report_.reason = reason();
  report_.alarm.reset();
  if (!trouble_.empty()) report_.alarm = trouble_;
}

}  // namespace ha::probe
