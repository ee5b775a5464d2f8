#include "sync/daemon.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "sync/cluster_watch.hpp"
#include "sync/log.hpp"
#include "sync/mirror_runner.hpp"
#include "sync/mount_keeper.hpp"
#include "sync/server.hpp"
#include "sync/service.hpp"
#include "sync/status.hpp"
#include "sync/vrrpd_link.hpp"
#include "sync/watcher.hpp"
#include "vrrpd/version.hpp"

namespace ha::sync {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr Duration kTick = 1s;
/// In ticks.
constexpr std::uint64_t kReportEvery = 2;
constexpr std::uint64_t kLookForRootsEvery = 10;
/// On one mount; more would only wait for each other.
constexpr int kJobsMax = 4;

[[nodiscard]] TimePoint steady_now() { return std::chrono::steady_clock::now(); }

class Daemon {
 public:
  Daemon(const Setting& setting, const std::vector<std::string>& words);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] Result<void> open();
  void run();

 private:
  void add_places(const std::vector<std::string>& words);
  void add_runners(const std::vector<std::string>& words);
  void follow_vrrpd();
  void watch_sources();
  void tick();
  void tell_lags();
  void wake_soon();
  void wake();
  [[nodiscard]] MountKeeper& place_of_runner(const MirrorRunner& runner);
  [[nodiscard]] Status status() const;

  const Setting& setting_;
  const Config& config_;
  asio::io_context io_{1};
  Children children_{io_};
  asio::signal_set signals_{io_, SIGTERM, SIGINT};
  asio::steady_timer ticker_{io_};
  asio::steady_timer waker_{io_};
  bool waking_ = false;
  std::uint64_t ticks_ = 0;
  TimePoint started_ = steady_now();

  std::vector<std::unique_ptr<MountKeeper>> places_;
  std::vector<std::unique_ptr<MirrorRunner>> runners_;
  std::size_t first_ = 0;  ///< of the runners, which take turns in being asked first
  std::map<std::string, ClusterView> clusters_;
  std::map<std::string, std::string> wrong_;  ///< with a volume, as it was told
  std::map<std::string, bool> late_;          ///< teams whose state was told
  std::string vrrpd_problem_;

  std::unique_ptr<ClusterWatch> cluster_watch_;
  std::unique_ptr<VrrpdLink> vrrpd_;
  std::unique_ptr<Watcher> watcher_;
  std::vector<std::unique_ptr<Server>> servers_;
};

Daemon::Daemon(const Setting& setting, const std::vector<std::string>& words)
    : setting_{setting}, config_{setting.config} {
  signals_.async_wait([this](const boost::system::error_code& error, int) {
    if (!error) io_.stop();
  });
  add_places(words);
  add_runners(words);
}

void Daemon::add_places(const std::vector<std::string>& words) {
  for (const std::string& place : places_of(config_)) {
    const auto volume = std::find_if(config_.volumes.begin(), config_.volumes.end(),
                                     [&](const VolumeConfig& one) { return one.mount == place; });
    places_.push_back(std::make_unique<MountKeeper>(
        children_, words, place, volume == config_.volumes.end() ? nullptr : &*volume,
        [this](const Glance& glance) {
          for (const TargetGlance& target : glance.targets) {
            for (const auto& runner : runners_) {
              if (runner->mirror().name() == target.mirror) {
                runner->target_seen(target, steady_now());
              }
            }
          }
          wake_soon();
        },
        steady_now()));
  }
  std::vector<std::string> volumes;
  for (const VolumeConfig& volume : config_.volumes) volumes.push_back(volume.name);
  cluster_watch_ = std::make_unique<ClusterWatch>(
      io_, children_, std::move(volumes), [this](const std::string& name, const ClusterView& view) {
        clusters_[name] = view;
        std::string wrong = what_is_wrong(view);
        std::string& told = wrong_[name];
        if (wrong == told) return;
        if (wrong.empty()) {
          log_line(Severity::kInfo, "volume {} is well again", name);
        } else {
          log_line(Severity::kError, "ALARM: volume {}: {}", name, wrong);
        }
        told = std::move(wrong);
      });
}

void Daemon::add_runners(const std::vector<std::string>& words) {
  for (const Mirror& mirror : config_.mirrors) {
    runners_.push_back(std::make_unique<MirrorRunner>(
        children_, setting_, words, mirror, [this] { wake_soon(); }, steady_now()));
  }
}

Result<void> Daemon::open() {
  const Pages pages{[this] { return to_metrics(status()); }, [this] { return to_json(status()); }};
  auto socket = Server::open_socket(io_, setting_.socket, [this](std::string_view line) {
    return line == kTextRequest ? to_json_text(status()) : to_json(status());
  });
  if (!socket) return tl::make_unexpected(socket.error());
  servers_.push_back(std::move(*socket));
  if (config_.http) {
    auto http = Server::open_http(io_, *config_.http, pages);
    if (!http) return tl::make_unexpected(http.error());
    servers_.push_back(std::move(*http));
  }
  follow_vrrpd();
  if (config_.watch) watch_sources();
  return {};
}

void Daemon::follow_vrrpd() {
  const bool is_followed = std::any_of(runners_.begin(), runners_.end(), [](const auto& runner) {
    return runner->mirror().writer == WriterRule::kInstance;
  });
  VrrpdLink::Listener listener;
  listener.status = [this](std::string_view answer) {
    if (!std::exchange(vrrpd_problem_, {}).empty()) {
      log_line(Severity::kInfo, "vrrpd answers again");
    }
    for (const auto& runner : runners_) {
      if (runner->mirror().writer != WriterRule::kInstance) continue;
      runner->role_answered(answer, steady_now());
    }
    wake_soon();
  };
  listener.lost = [this, is_followed](const std::string& why) {
    if (is_followed && vrrpd_problem_.empty()) {
      log_line(Severity::kError, "ALARM: {}: nothing is written until it answers", why);
    }
    vrrpd_problem_ = why;
    for (const auto& runner : runners_) {
      if (runner->mirror().writer == WriterRule::kInstance) {
        runner->role_unknown(why, steady_now());
      }
    }
  };
  vrrpd_ = std::make_unique<VrrpdLink>(io_, config_.vrrpd, std::move(listener));
}

void Daemon::watch_sources() {
  std::vector<Watcher::Root> roots;
  for (const auto& runner : runners_) {
    roots.push_back({runner->mirror().source, Exclusions{runner->mirror().exclude}});
  }
  Watcher::Listener listener;
  listener.changed = [this](std::size_t root, std::string_view path) {
    runners_[root]->planner().changed(path, steady_now());
    wake_soon();
  };
  listener.lost = [this](std::size_t root) {
    runners_[root]->planner().changes_lost(steady_now());
    wake_soon();
  };
  listener.refused = [this](std::size_t root, const std::string& why) {
    log_line(Severity::kWarning, "{}: {}: changes are found every {} s by a scan instead",
             runners_[root]->mirror().name(), why,
             std::chrono::floor<std::chrono::seconds>(config_.interval).count());
    runners_[root]->planner().watch_refused();
  };
  auto watcher = Watcher::open(io_, std::move(roots), std::move(listener));
  if (watcher) {
    watcher_ = std::move(*watcher);
    watcher_->look_for_roots();
    return;
  }
  log_line(Severity::kWarning, "{}: changes are found by scans instead", watcher.error().message());
  for (const auto& runner : runners_) runner->planner().watch_refused();
}

void Daemon::tick() {
  const TimePoint now = steady_now();
  tell_service_manager("WATCHDOG=1");
  for (const auto& place : places_) place->tick(now);
  for (const auto& runner : runners_) runner->tick(now);
  if (watcher_ && ticks_ % kLookForRootsEvery == 0) watcher_->look_for_roots();
  if (ticks_ % kReportEvery == 0) tell_lags();
  ++ticks_;
  wake();
  ticker_.expires_after(kTick);
  ticker_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

/// To vrrpd always, to the log when a team is late or is so no longer.
void Daemon::tell_lags() {
  const std::int64_t alert_after_ms =
      std::chrono::floor<std::chrono::milliseconds>(config_.alert_after).count();
  const bool is_new = steady_now() - started_ < config_.alert_after;
  for (const TeamLag& lag : team_lags(status())) {
    if (lag.lag_ms) vrrpd_->report(lag.team, *lag.lag_ms);
    if (!lag.lag_ms && is_new) continue;
    const bool is_late = lag.lag_ms.value_or(alert_after_ms + 1) > alert_after_ms;
    const auto told = late_.find(lag.team);
    if (told != late_.end() && told->second == is_late) continue;
    late_[lag.team] = is_late;
    write_log(is_late ? Severity::kError : Severity::kInfo, lag_line(lag, alert_after_ms));
  }
}

MountKeeper& Daemon::place_of_runner(const MirrorRunner& runner) {
  const std::string place = place_of(config_, runner.mirror());
  return **std::find_if(places_.begin(), places_.end(),
                        [&](const auto& one) { return one->place() == place; });
}

/// Once, however much happens in one turn of the loop.
void Daemon::wake_soon() {
  if (std::exchange(waking_, true)) return;
  asio::post(io_, [this] { wake(); });
}

void Daemon::wake() {
  waking_ = false;
  const TimePoint now = steady_now();
  std::map<const MountKeeper*, int> jobs;
  for (const auto& runner : runners_) {
    MountKeeper& place = place_of_runner(*runner);
    runner->planner().mount_seen(place.is_usable(now), now);
    jobs[&place] += runner->is_running() ? 1 : 0;
  }
  std::optional<TimePoint> next;
  for (std::size_t i = 0; i < runners_.size(); ++i) {
    MirrorRunner& runner = *runners_[(first_ + i) % runners_.size()];
    int& running = jobs[&place_of_runner(runner)];
    // What waits for others to end is asked again with their end.
    if (runner.is_running() || running >= kJobsMax) continue;
    runner.start_if_due(now);
    running += runner.is_running() ? 1 : 0;
    const auto deadline = runner.planner().deadline();
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  first_ = (first_ + 1) % runners_.size();
  if (!next) {
    waker_.cancel();
    return;
  }
  waker_.expires_at(std::max(*next, now + 10ms));
  waker_.async_wait([this](const boost::system::error_code& error) {
    if (!error) wake();
  });
}

Status Daemon::status() const {
  const TimePoint now = steady_now();
  Status status;
  status.node = setting_.workplace.node;
  status.version = vrrp::kProgramVersion;
  status.alert_after_ms =
      std::chrono::floor<std::chrono::milliseconds>(config_.alert_after).count();
  for (const auto& runner : runners_) status.mirrors.push_back(runner->status(now));
  for (const auto& place : places_) {
    if (place->volume() == nullptr) continue;
    const Glance glance = place->state(now);
    VolumeStatus volume;
    volume.name = place->volume()->name;
    volume.mount = place->place();
    volume.state = glance.state;
    volume.text = glance.text;
    volume.bricks = glance.bricks;
    volume.remounts = place->remounts();
    if (const auto found = clusters_.find(volume.name); found != clusters_.end()) {
      volume.cluster = found->second;
    }
    status.volumes.push_back(std::move(volume));
  }
  return status;
}

void Daemon::run() {
  tell_service_manager("READY=1");
  log_line(Severity::kInfo, "gluster-sync {} keeps {} mirrors on {}", vrrp::kProgramVersion,
           runners_.size(), setting_.workplace.node);
  tick();
  io_.run();
  tell_service_manager("STOPPING=1");
  log_line(Severity::kInfo, "gluster-sync ends");
}

}  // namespace

int run_daemon(const Setting& setting, const std::vector<std::string>& words) {
  signal(SIGPIPE, SIG_IGN);
  Daemon daemon{setting, words};
  if (auto opened = daemon.open(); !opened) {
    std::fprintf(stderr, "gluster-sync: %s\n", opened.error().message().c_str());
    return 1;
  }
  daemon.run();
  return 0;
}

}  // namespace ha::sync
