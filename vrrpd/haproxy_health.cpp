#include "vrrpd/haproxy_health.hpp"

#include <algorithm>
#include <utility>

namespace ha::vrrp {

HaproxyHealth::HaproxyHealth(boost::asio::io_context& io, Log& log, Events& events,
                             probe::ProbeConfig config, OnDemotion on_demotion,
                             OnStanding on_standing, const probe::Standing& before)
    : log_{log},
      events_{events},
      config_{std::move(config)},
      on_demotion_{std::move(on_demotion)},
      on_standing_{std::move(on_standing)},
      evaluator_{config_, before},
      timer_{io},
      client_{io, config_, [this](const probe::Event& event) { handle(event); }} {}

void HaproxyHealth::set_local_addresses(const LocalAddresses& local) {
  handle(probe::LocalAddressesChanged{local});
}

void HaproxyHealth::handle(const probe::Event& event) {
  evaluator_.handle(event, std::chrono::steady_clock::now());
  const probe::Report& report = evaluator_.report();
  if (report.verdict != probe::Verdict::kUnknown) {
    Demotion demotion = probe::demotion(config_, report);
    if (demotion != demotion_) {
      const bool demoted_before = demotion_ && demotion_->amount > 0;
      if (demotion.amount > 0 && !demoted_before) ++failovers_triggered_;
      demotion_ = demotion;
      on_demotion_(demotion);  // before the log lines: packets leave first
    }
  }
  on_standing_(evaluator_.standing());
  log_changes(report);
  arm();
}

void HaproxyHealth::log_changes(const probe::Report& report) {
  const bool changed = report.teams != teams_ || report.reason != reason_;
  if (changed && !report.reason.empty()) {
    teams_ = report.teams;
    reason_ = report.reason;
    const std::string overall = probe::overall_line(report);
    log_.info("{}", overall);
    log_.info("{}", reason_);
    events_.note("haproxy", fmt::format("{}. {}", overall, reason_));
  }
  if (report.alarm == alarm_) return;
  alarm_ = report.alarm;
  if (alarm_) {
    log_.warning("haproxy: {}", *alarm_);
    events_.note("alarm", fmt::format("haproxy: {}", *alarm_));
  } else {
    log_.info("haproxy: answers are usable again");
    events_.note("haproxy", "answers are usable again");
  }
}

void HaproxyHealth::arm() {
  const auto deadline = evaluator_.deadline();
  if (!deadline) {
    timer_.cancel();
    return;
  }
  if (timer_.expiry() == *deadline) return;
  timer_.expires_at(*deadline);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) handle(probe::DeadlineReached{});
  });
}

HaproxyStatus HaproxyHealth::status() const {
  const probe::Report& report = evaluator_.report();
  HaproxyStatus status;
  status.verdict = probe::name_of(report.verdict);
  status.servers_up = report.servers_up;
  status.servers = report.servers;
  status.percentage = report.percentage;
  status.healthy_teams = report.healthy_teams;
  for (const probe::TeamHealth& team : report.teams) {
    status.teams.push_back({team.name, team.up, team.servers, team.healthy()});
  }
  if (report.grace_ends_at) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        *report.grace_ends_at - std::chrono::steady_clock::now());
    status.grace_remaining = std::max(left, std::chrono::milliseconds{0});
  }
  status.reason = report.reason;
  status.alarm = report.alarm.value_or("");
  status.failovers_triggered = failovers_triggered_;
  return status;
}

}  // namespace ha::vrrp
