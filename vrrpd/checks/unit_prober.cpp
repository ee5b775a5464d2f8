/// The state of a systemd unit, asked for at the check's pace and whenever systemd tells of a
/// change.
#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "vrrpd/checks/prober.hpp"
#include "vrrpd/checks/systemd.hpp"
#include "vrrpd/runtime/stall.hpp"

namespace ha::checks {
namespace {

Outcome outcome_of(const std::string& unit, const UnitState& state) {
  if (state.load == "not-found") return {false, "there is no unit " + unit, 0};
  // What systemctl(1) takes for active.
  const bool good = state.active == "active" || state.active == "reloading";
  return {good, fmt::format("{} is {}", unit, state.active), 0};
}

class UnitProber : public Prober {
 public:
  UnitProber(const ProbeServices& services, UnitProbe probe, Duration timeout, Listener listener)
      : systemd_{services.systemd},
        probe_{std::move(probe)},
        timeout_{timeout},
        listener_{std::move(listener)},
        timer_{services.io},
        alive_{std::make_shared<char>()},
        id_{systemd_.watch(probe_.unit, {[this](const UnitState& state) { told(state); },
                                         [this] { listener_.changed(); }})} {}
  ~UnitProber() override { systemd_.unwatch(id_); }

  void start() override {
    if (!Systemd::runs_here()) return listener_.outcome({false, "systemd does not run here", 0});
    asked_ = true;
    limit_time();
    systemd_.ask(id_);
  }

 private:
  void told(const UnitState& state) {
    if (std::exchange(asked_, false)) finish(outcome_of(probe_.unit, state));
  }

  void limit_time() {
    timer_.expires_after(timeout_);
    timer_.async_wait(
        [this, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
          if (!error && !alive.expired() && asked_) timed_out();
        });
  }

  void timed_out() {
    const TimePoint now = std::chrono::steady_clock::now();
    if (now < timer_.expiry()) return;  // that of a question before this one
    if (vrrp::stood_still(timer_.expiry(), now)) return limit_time();
    asked_ = false;
    const std::string& trouble = systemd_.trouble();
    finish({false, "systemd does not answer" + (trouble.empty() ? "" : ": " + trouble), 0});
  }

  void finish(const Outcome& outcome) {
    timer_.cancel();
    listener_.outcome(outcome);
  }

  Systemd& systemd_;
  UnitProbe probe_;
  Duration timeout_;
  Listener listener_;
  boost::asio::steady_timer timer_;
  bool asked_ = false;
  std::shared_ptr<void> alive_;
  Systemd::Id id_;
};

}  // namespace

std::unique_ptr<Prober> make_unit_prober(const ProbeServices& services, const CheckConfig& check,
                                         Listener listener) {
  return std::make_unique<UnitProber>(services, std::get<UnitProbe>(check.probe), check.timeout,
                                      std::move(listener));
}

}  // namespace ha::checks
