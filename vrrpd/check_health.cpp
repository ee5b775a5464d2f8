#include "vrrpd/check_health.hpp"

#include <algorithm>

namespace ha::vrrp {

using checks::CheckConfig;

CheckHealth::CheckHealth(boost::asio::io_context& io, Log& log, VirtualRouters& routers)
    : log_{log},
      routers_{routers},
      subprocesses_{io},
      systemd_{io},
      checks_{{io, subprocesses_, systemd_,
               [&routers](const std::string& interface) { return routers.link_is_up(interface); }},
              [this](const CheckConfig& check, const Health& health, bool verdict_changed) {
                tell(check, health, verdict_changed);
              }} {}

void CheckHealth::begin(const std::vector<CheckConfig>& checks, Notes notes) {
  std::map<std::string, checks::Standing> previous;
  for (std::size_t i = 0; i < std::min(checks.size(), notes.size()); ++i) {
    previous[checks[i].name] = checks::decode(notes[i].load());
  }
  checks_.apply(checks, previous);
  note_in(checks, notes);
  for (const CheckConfig& check : checks) {
    routers_.set_check(check.name, *checks_.health(check.name));
  }
}

void CheckHealth::apply(const std::vector<CheckConfig>& checks, Notes notes) {
  checks_.apply(checks);
  note_in(checks, notes);
  // Some may not have been tracked before.
  for (const CheckConfig& check : checks) {
    const Health& health = *checks_.health(check.name);
    if (health.verdict != Health::Verdict::kUnknown) routers_.set_check(check.name, health);
  }
}

void CheckHealth::note_in(const std::vector<CheckConfig>& checks, Notes notes) {
  notes_.clear();
  for (std::size_t i = 0; i < std::min(checks.size(), notes.size()); ++i) {
    const Health& health = *checks_.health(checks[i].name);
    notes[i].store(checks::encode({health.verdict, health.number}));
    notes_[checks[i].name] = &notes[i];
  }
}

void CheckHealth::tell(const CheckConfig& check, const Health& health, bool verdict_changed) {
  routers_.set_check(check.name, health);  // before the log line: packets leave first
  if (const auto note = notes_.find(check.name); note != notes_.end()) {
    note->second->store(checks::encode({health.verdict, health.number}));
  }
  if (!verdict_changed) return;
  if (std::holds_alternative<checks::ScriptProbe>(check.probe)) log_script(check.name, health);
  if (health.verdict == Health::Verdict::kHealthy) {
    log_.info("check {} is healthy: {}", check.name, health.reason);
  } else {
    log_.warning("check {} is unhealthy: {}", check.name, health.reason);
  }
}

void CheckHealth::log_script(const std::string& name, const Health& health) {
  if (health.verdict == Health::Verdict::kHealthy) {
    log_.info("VRRP_Script({}) succeeded", name);
  } else if (health.reason == to_string(Ended{Ended::Kind::kTimedOut, 0, {}})) {
    log_.warning("VRRP_Script({}) timed_out", name);
  } else {
    log_.warning("VRRP_Script({}) failed ({})", name, health.reason);
  }
}

}  // namespace ha::vrrp
