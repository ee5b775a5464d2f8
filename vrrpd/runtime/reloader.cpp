#include "vrrpd/runtime/reloader.hpp"

#include <algorithm>
#include <utility>

#include "vrrpd/settings/scalars.hpp"

namespace ha::vrrp {
namespace {

constexpr Duration kRetryAfter = std::chrono::seconds{1};

}  // namespace

Reloader::Reloader(Log& log, std::string file, std::optional<Trial> trial, Steps steps)
    : log_{log}, file_{std::move(file)}, steps_{std::move(steps)}, trial_{std::move(trial)} {}

ReloadOutcome Reloader::refused(std::vector<std::string> diagnostics, std::string_view why) const {
  for (const std::string& line : diagnostics) log_.warning("{}", line);
  log_.warning("reload refused: {}", why);
  return {false, std::string{why}, std::move(diagnostics)};
}

ReloadOutcome Reloader::reload(std::optional<Duration> trial, TimePoint now) {
  if (trial_ && !trial) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(trial_->ends_at - now);
    return refused({},
                   fmt::format("a reload waits for `vrrpctl confirm` for {} s more: confirm it, "
                               "let it run out, or reload with --confirm again",
                               std::max(left, std::chrono::seconds{0}).count()));
  }
  Loaded loaded = steps_.load();
  std::vector<std::string> diagnostics;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    diagnostics.push_back(to_string(diagnostic));
  }
  const auto add = [&](Severity severity, std::string text) {
    diagnostics.push_back(to_string(Diagnostic{file_, 0, 0, severity, std::move(text)}));
  };
  if (!loaded.config)
    return refused(std::move(diagnostics),
                   fmt::format("{} has errors; the configuration that was running goes on", file_));

  Config running = steps_.running();
  if (loaded.config->control != running.control) {
    add(Severity::kWarning, "a changed `control` section takes effect after a restart");
    loaded.config->control = running.control;
  }
  std::optional<Trial> next;
  // A second trial does not confirm the first one.
  if (trial) next = Trial{trial_ ? trial_->confirmed : std::move(running), now + *trial};
  std::vector<std::string> obstacles = steps_.run(*loaded.config, next, OnRefusal::kUndo);
  for (std::string& obstacle : obstacles) add(Severity::kError, std::move(obstacle));
  if (!obstacles.empty()) {
    return refused(
        std::move(diagnostics),
        fmt::format("{} cannot be run here; the configuration that was running goes on", file_));
  }
  for (std::string& trouble : steps_.troubles()) add(Severity::kWarning, std::move(trouble));

  trial_ = std::move(next);
  for (const std::string& line : diagnostics) log_.warning("{}", line);
  log_.info("reloaded {}", file_);
  if (trial) {
    log_.warning("{} is taken back unless `vrrpctl confirm` comes within {}", file_,
                 config::to_text(*trial));
  }
  return {true, {}, std::move(diagnostics)};
}

bool Reloader::confirm() {
  if (!trial_) return false;
  trial_.reset();
  log_.info("the reload of {} is confirmed", file_);
  return true;
}

void Reloader::wake(TimePoint now) {
  if (!trial_ || now < trial_->ends_at) return;
  const std::vector<std::string> obstacles = steps_.run(trial_->confirmed, {}, OnRefusal::kGoOn);
  if (!obstacles.empty()) {  // only for want of memory
    for (const std::string& obstacle : obstacles) log_.error("cannot roll back yet: {}", obstacle);
    trial_->ends_at = now + kRetryAfter;
    return;
  }
  trial_.reset();
  log_.warning(
      "rolled back: nobody confirmed the reload; the configuration before it runs again, and {} "
      "still holds the one that was taken back",
      file_);
}

void Reloader::stop() {
  if (!trial_) return;
  log_.warning("stopping while a reload waits for confirmation: the next start reads {} as it is",
               file_);
}

std::optional<TimePoint> Reloader::deadline() const {
  if (!trial_) return std::nullopt;
  return trial_->ends_at;
}

}  // namespace ha::vrrp
