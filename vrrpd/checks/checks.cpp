#include "vrrpd/checks/checks.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace ha::checks {

/// One check at work.
class Checks::Watch {
 public:
  Watch(const ProbeServices& services, CheckConfig check, const Standing& previous,
        Duration first_after, const OnHealth& on_health)
      : check_{std::move(check)},
        on_health_{on_health},
        counting_{begin(check_, previous, now())},
        timer_{services.io},
        alive_{std::make_shared<char>()},
        prober_{make_prober(
            services, check_,
            {[this](const Outcome& outcome) { take(outcome); }, [this] { look_again(); }})} {
    start_at(now() + first_after);
  }

  const CheckConfig& check() const { return check_; }
  const Health& health() const { return counting_.health; }

  /// A probe soon, rather than when its time comes.
  void look_again() {
    wanted_early_ = true;
    if (!probing_) start_at(std::max(now(), started_at_ + kRest));
  }

 private:
  static TimePoint now() { return std::chrono::steady_clock::now(); }

  void start_at(TimePoint at) {
    timer_.expires_at(at);
    timer_.async_wait(
        [this, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
          if (!error && !alive.expired()) start();
        });
  }

  void start() {
    if (std::exchange(probing_, true)) return;
    wanted_early_ = false;
    started_at_ = now();
    prober_->start();
  }

  void take(const Outcome& outcome) {
    const Health before = counting_.health;
    counting_ = count(check_, counting_, outcome, now());
    probing_ = false;
    start_at(wanted_early_ ? std::max(now(), started_at_ + kRest)
                           : std::max(now(), started_at_ + check_.interval));
    const bool changed = counting_.health.verdict != before.verdict;
    if (counting_.health != before) on_health_(check_, counting_.health, changed);
  }

  CheckConfig check_;
  const OnHealth& on_health_;
  Counting counting_;
  boost::asio::steady_timer timer_;
  TimePoint started_at_{};
  bool probing_ = false;
  bool wanted_early_ = false;
  /// A completion of the timer may lie in the loop's queue when the object goes.
  std::shared_ptr<void> alive_;
  std::unique_ptr<Prober> prober_;  ///< last, so that it is gone before what it reports to
};

Checks::Checks(ProbeServices services, OnHealth on_health)
    : services_{std::move(services)}, on_health_{std::move(on_health)} {}

Checks::~Checks() = default;

void Checks::apply(const std::vector<CheckConfig>& checks,
                   const std::map<std::string, Standing>& previous) {
  auto before = std::exchange(watches_, {});
  Duration first_after{};
  for (const CheckConfig& check : checks) {
    auto known = before.extract(check.name);
    if (!known.empty() && known.mapped()->check() == check) {
      watches_.insert(std::move(known));
      continue;
    }
    Standing standing;
    if (!known.empty()) {
      standing = {known.mapped()->health().verdict, known.mapped()->health().number};
    } else if (const auto left = previous.find(check.name); left != previous.end()) {
      standing = left->second;
    }
    watches_.emplace(check.name,
                     std::make_unique<Watch>(services_, check, standing, first_after, on_health_));
    first_after += kStagger;
  }
}

const Health* Checks::health(const std::string& name) const {
  const auto found = watches_.find(name);
  return found == watches_.end() ? nullptr : &found->second->health();
}

void Checks::links_changed() {
  for (const auto& [name, watch] : watches_) {
    if (std::holds_alternative<InterfaceProbe>(watch->check().probe)) watch->look_again();
  }
}

}  // namespace ha::checks
