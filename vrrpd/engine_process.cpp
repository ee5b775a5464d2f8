#include "vrrpd/engine_process.hpp"

#include <malloc.h>

#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <exception>
#include <memory>
#include <utility>

#include "ha/check.hpp"
#include "vrrpd/check_health.hpp"
#include "vrrpd/guard/estate.hpp"
#include "vrrpd/guard/guard.hpp"
#include "vrrpd/guard/shared_memory.hpp"
#include "vrrpd/haproxy_health.hpp"
#include "vrrpd/kernel/netlink.hpp"
#include "vrrpd/kernel/packet_filter.hpp"
#include "vrrpd/runtime/accept_mode.hpp"
#include "vrrpd/runtime/control.hpp"
#include "vrrpd/runtime/drain_file.hpp"
#include "vrrpd/runtime/events.hpp"
#include "vrrpd/runtime/notifier.hpp"
#include "vrrpd/runtime/recorder.hpp"
#include "vrrpd/runtime/reloader.hpp"
#include "vrrpd/runtime/service_manager.hpp"
#include "vrrpd/runtime/static_part.hpp"
#include "vrrpd/runtime/tracks.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"
#include "vrrpd/runtime/web.hpp"
#include "vrrpd/sync_health.hpp"
#include "vrrpd/version.hpp"

namespace ha::vrrp {
namespace {

void note(Estate::Standing& note, const probe::Standing& standing) {
  note.verdict = static_cast<std::uint8_t>(standing.verdict);
  note.bad_since = standing.bad_since ? standing.bad_since->time_since_epoch().count() : 0;
}

probe::Standing noted(const Estate::Standing& note) {
  probe::Standing standing{static_cast<probe::Verdict>(note.verdict.load()), std::nullopt};
  if (note.bad_since != 0) standing.bad_since = TimePoint{Duration{note.bad_since}};
  return standing;
}

std::optional<Estate::Trial> noted(const std::optional<Reloader::Trial>& trial) {
  if (!trial) return {};
  return Estate::Trial{print(trial->confirmed), trial->ends_at.time_since_epoch().count()};
}

/// Of the diary. Some 5,000 packets: more than an hour of one virtual router at an interval of a
/// second. The rest is for some thousand events.
constexpr std::size_t kRecorderSizeBytes = std::size_t{512} * 1024;
/// Whatever the configured priority, the lowest one is left.
constexpr int kDrainAmount = 254;

/// Numbers of records begin here, so that they go on rising when the daemon starts again.
std::uint64_t first_number() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(
      1, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
}

/// How long after large work, with the answer about it sent, its memory is given back.
constexpr Duration kMemoryReturnsAfter = std::chrono::seconds{1};

/// The configuration that print() has made `text` of.
Config parsed(std::string_view text) {
  Loaded loaded = load(text, "the running configuration", "");
  HA_CHECK(loaded.config.has_value());
  return std::move(*loaded.config);
}

class EngineProcess {
 public:
  EngineProcess(boost::asio::io_context& io, Log& log, const DaemonOptions& options,
                std::optional<Reloader::Trial> trial, Estate& estate, Recorder& recorder,
                Events& events, Kernel& kernel, FrameSocket& frames, PacketFilter& filter)
      : io_{io},
        log_{log},
        options_{options},
        estate_{estate},
        recorder_{recorder},
        events_{events},
        accept_mode_{filter, estate.deaths() != 0, log},
        notifier_{io, log},
        static_part_{kernel, log},
        routers_{io, kernel, frames, events, recorder, notifier_, log},
        checks_{io, log, routers_},
        syncs_{io, routers_},
        reloader_{log,
                  options.path.string(),
                  std::move(trial),
                  {options.load,
                   [this](const Config& next, const std::optional<Reloader::Trial>& next_trial,
                          OnRefusal on_refusal) { return adopt(next, next_trial, on_refusal); },
                   [this] { return running(); }, [this] { return routers_.waiting(); }}},
        trial_timer_{io},
        memory_timer_{io},
        drain_file_{io, DrainFile::default_path()},
        web_{io, log, [this] { return status(); }, [this] { return events_.json(0).json; }},
        service_manager_{io},
        signals_{io, SIGTERM, SIGINT, SIGHUP} {
    for (const int signal : dump_signals()) signals_.add(signal);
  }

  /// Takes the control socket first: it shows whether another daemon is at work. `records` are what
  /// a predecessor that died has left.
  Result<void> start(const Config& config, std::span<RouterRecord> records) {
    node_ = config.node;
    auto control =
        ControlServer::open(io_, config.control.socket, config.control.group,
                            {[this] { return status(); },
                             [this](std::optional<Duration> trial) { return reload(trial); },
                             [this] { return confirm(); }, [this](bool wanted) { drain(wanted); },
                             [this](std::uint64_t after) { return events_.json(after); },
                             [this](std::uint64_t after) { return recorder_.json(after); },
                             [this](const std::string& team, std::chrono::milliseconds lag) {
                               return syncs_.report(team, lag);
                             }});
    if (!control) return tl::unexpected{control.error()};
    control_ = std::move(*control);
    if (!control_->warning().empty()) log_.warning("{}", control_->warning());
    wait_for_signal();
    accept_signals();
    routers_.on_surroundings([this] {
      if (!stopping_) static_part_.look_again();
      tell_local_addresses();
      checks_.links_changed();
    });
    notifier_.set_fifo(config.notify_fifo);
    notifier_.set_mail(config.mail);
    static_part_.apply(config.fixed);
    if (!options_.is_alone) routers_.share_machine();
    delay_start(config.startup_delay);
    events_.note("start", estate_.deaths() == 0
                              ? fmt::format("vrrpd {} starts", kProgramVersion)
                              : std::string{"an engine process has died; another one goes on"});
    if (const auto since = estate_.drained_since()) {
      log_.warning("drained: no address is wanted here until `vrrpctl undrain`");
      drain_since(*since);
    }
    // Health first, so that a successor does not begin with a priority that it does not have.
    checks_.begin(config.checks, estate_.checks());
    apply_haproxy(config.haproxy);
    static_cast<void>(accept_mode_.apply(config.instances, OnRefusal::kGoOn));
    static_cast<void>(apply_instances(config, records, OnRefusal::kGoOn));
    arm_trial();
    web_.listen(config.http);
    return_memory_soon();
    service_manager_.ready(fmt::format("{} virtual routers", config.instances.size()));
    log_.info("vrrpd {} runs {} virtual routers as {}", kProgramVersion, config.instances.size(),
              config.node);
    return {};
  }

  /// Hands over at once; the loop ends when those have been notified who want to know.
  void stop() {
    stopping_ = true;
    service_manager_.stopping();
    reloader_.stop();
    if (options_.keeps_addresses) routers_.keep_addresses();
    routers_.shut_down();
    static_part_.remove();
    notifier_.finish([this] { io_.stop(); });
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal != SIGTERM && signal != SIGINT) {
        serve(signal);
        wait_for_signal();
        return;
      }
      if (stopping_) return io_.stop();  // notify commands are not waited for any longer
      log_.info("Stopping");
      log_.debug("stopping: signal {}", signal);
      stop();
      wait_for_signal();
    });
  }

  void serve(int signal) {
    if (signal != SIGHUP) {
      if (options_.dump) options_.dump(signal, running(), status(), log_);
      return;
    }
    log_.info("Reloading ...");
    if (reload({}).done) log_.info("Reload complete");  // it logs itself what is wrong
  }

  ReloadOutcome reload(std::optional<Duration> trial) {
    ReloadOutcome outcome;
    if (stopping_) {
      outcome.error = "vrrpd is stopping";
      return outcome;
    }
    outcome = reloader_.reload(trial, std::chrono::steady_clock::now());
    events_.note("reload", !outcome.done ? fmt::format("refused: {}", outcome.error)
                           : trial       ? std::string{"done, and waits for confirmation"}
                                         : std::string{"done"});
    arm_trial();
    return outcome;
  }

  bool confirm() {
    const bool done = reloader_.confirm();
    if (done) {
      estate_.confirm();
      events_.note("reload", "confirmed");
    }
    arm_trial();
    return done;
  }

  void arm_trial() {
    const auto deadline = reloader_.deadline();
    if (!deadline) {
      trial_timer_.cancel();
      return;
    }
    trial_timer_.expires_at(*deadline);
    trial_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;  // confirmed, or another trial
      reloader_.wake(std::chrono::steady_clock::now());
      if (!reloader_.deadline()) events_.note("reload", "taken back, since nobody confirmed it");
      arm_trial();
    });
  }

  void drain(bool wanted) {
    if (wanted == drained_.has_value()) return;
    if (wanted) {
      log_.warning("drained: no address is wanted here until `vrrpctl undrain`");
      events_.note("drain", "no address is wanted here any more");
      return drain_since(std::chrono::system_clock::now());
    }
    log_.info("not drained any more");
    events_.note("drain", "addresses are welcome here again");
    drained_.reset();
    estate_.note_drain(std::nullopt);
    drain_file_.save(std::nullopt, [this](const std::string& trouble) {
      if (!trouble.empty()) log_.warning("a restart will drain this machine again: {}", trouble);
    });
    routers_.set_drain(std::nullopt);
  }

  /// Packets first, then the disk.
  void drain_since(WallClock since) {
    drained_ = Drained{since, false, {}};
    estate_.note_drain(since);
    routers_.set_drain(Demotion{std::string{kDrainSource}, kDrainAmount,
                                fmt::format("by the operator since {}", to_utc(since))});
    drain_file_.save(since, [this](const std::string& trouble) {
      if (!drained_) return;
      drained_->saved = trouble.empty();
      drained_->trouble = trouble;
      if (!trouble.empty()) log_.warning("the drain will not survive a restart: {}", trouble);
    });
  }

  /// Makes `config` the one that runs, here and in a successor: with a reload, and when one is
  /// taken back. Returns what is in the way; then nothing has changed.
  std::vector<std::string> adopt(const Config& config, const std::optional<Reloader::Trial>& trial,
                                 OnRefusal on_refusal) {
    const auto records = estate_.prepare(print(config), config.instances.size(), noted(trial));
    if (!records) return {records.error().message()};
    std::vector<std::string> obstacles = accept_mode_.apply(config.instances, on_refusal);
    if (!obstacles.empty()) return obstacles;
    obstacles = apply_instances(config, *records, on_refusal);
    if (!obstacles.empty()) {
      static_cast<void>(accept_mode_.apply(running().instances, OnRefusal::kGoOn));
      return obstacles;
    }
    node_ = config.node;
    static_part_.apply(config.fixed);
    notifier_.set_fifo(config.notify_fifo);
    notifier_.set_mail(config.mail);
    routers_.repeat_states();
    checks_.apply(config.checks, estate_.checks());
    estate_.commit();
    log_.configure(config.log);
    apply_haproxy(config.haproxy);
    web_.listen(config.http);
    return_memory_soon();
    return {};
  }

  /// Of a thousand instances it is larger than all else, and it is wanted with a reload only: the
  /// guard's memory has it.
  [[nodiscard]] Config running() const {
    const auto text = estate_.configuration();
    HA_CHECK(text.has_value());
    return parsed(*text);
  }

  /// Reading a configuration and telling the status take many small pieces of memory, which
  /// malloc() would keep for this process.
  void return_memory_soon() {
    memory_timer_.expires_after(kMemoryReturnsAfter);
    memory_timer_.async_wait([](const boost::system::error_code& error) {
      if (!error) ::malloc_trim(0);
    });
  }

  /// Returns what is in the way, as VirtualRouters::apply() does.
  std::vector<std::string> apply_instances(const Config& config, std::span<RouterRecord> records,
                                           OnRefusal on_refusal) {
    const int haproxy_maximum =
        config.haproxy ? std::max(config.haproxy->demote_unhealthy, config.haproxy->demote_down)
                       : 0;
    routers_.prepare(config.groups, haproxy_maximum);
    return routers_.apply(share_tracks(config.instances, config.groups), records, on_refusal);
  }

  /// A successor goes on where its predecessor was.
  void delay_start(Duration delay) {
    if (delay == Duration::zero() || estate_.deaths() != 0) return;
    log_.info("Delaying startup for {:g} seconds", std::chrono::duration<double>{delay}.count());
    routers_.hold_until(std::chrono::steady_clock::now() + delay);
  }

  void apply_haproxy(const std::optional<probe::ProbeConfig>& config) {
    if (!config) {
      if (health_) routers_.set_haproxy({"haproxy", 0, "not tracked any more"});
      health_.reset();
      note(estate_.haproxy(), {});
      return;
    }
    if (health_ && health_->config() == *config) return;
    // Neither a changed threshold nor a new engine lifts a demotion; the answers do.
    health_.emplace(
        io_, log_, events_, *config,
        [this](const Demotion& demotion) { routers_.set_haproxy(demotion); },
        [this](const probe::Standing& standing) { note(estate_.haproxy(), standing); },
        noted(estate_.haproxy()));
    told_.reset();
    tell_local_addresses();
  }

  void tell_local_addresses() {
    LocalAddresses local = routers_.local_addresses();
    if (!health_ || told_ == local) return;
    told_ = local;
    health_->set_local_addresses(local);
  }

  Status status() {
    return_memory_soon();
    Status status;
    status.node = node_;
    status.version = kProgramVersion;
    status.instances = routers_.status();
    status.errors = routers_.errors();
    status.loop_lag = routers_.loop_lag();
    if (health_) status.haproxy = health_->status();
    status.last_event = events_.last();
    status.drained = drained_;
    if (const auto deadline = reloader_.deadline()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      status.confirm_within = std::max(left, std::chrono::milliseconds{0});
    }
    return status;
  }

  boost::asio::io_context& io_;
  Log& log_;
  const DaemonOptions& options_;
  Estate& estate_;
  Recorder& recorder_;
  Events& events_;
  AcceptMode accept_mode_;
  Notifier notifier_;
  StaticPart static_part_;
  VirtualRouters routers_;
  CheckHealth checks_;
  SyncHealth syncs_;
  Reloader reloader_;
  std::optional<HaproxyHealth> health_;
  std::optional<LocalAddresses> told_;
  std::unique_ptr<ControlServer> control_;
  boost::asio::steady_timer trial_timer_;
  boost::asio::steady_timer memory_timer_;
  std::optional<Drained> drained_;
  DrainFile drain_file_;
  Web web_;
  ServiceManager service_manager_;
  boost::asio::signal_set signals_;
  std::string node_;
  bool stopping_ = false;
};

/// What an engine process begins with.
struct Inheritance {
  Config config;
  std::optional<Reloader::Trial> trial;
  std::span<RouterRecord> records;
};

Result<Inheritance> inherit(Estate& estate) {
  const auto contents = estate.open();
  if (!contents) return tl::unexpected{contents.error()};
  Inheritance inheritance{parsed(contents->configuration), {}, contents->records};
  if (const auto& trial = contents->trial) {
    inheritance.trial = {parsed(trial->confirmed), TimePoint{Duration{trial->ends_at}}};
  }
  return inheritance;
}

}  // namespace

int run_engine(const DaemonOptions& options, Estate& estate, const SharedMemory& diary,
               PacketFilter& filter) {
  Log log;
  log.direct(options.engine_log);
  Recorder recorder{Ring{diary.bytes().first(kRecorderSizeBytes), first_number()}};
  Events events{Ring{diary.bytes().subspan(kRecorderSizeBytes), first_number()}, recorder};
  auto inheritance = inherit(estate);
  if (!inheritance) {
    log.error("{}", inheritance.error().message());
    return 1;
  }
  log.configure(inheritance->config.log);
  boost::asio::io_context io{1};
  auto kernel = Netlink::open(io);
  if (!kernel) {
    log.error("{}", kernel.error().message());
    return 1;
  }
  auto frames = FrameSocket::open();
  if (!frames) {
    log.error("{}", frames.error().message());
    return 1;
  }
  EngineProcess engine{io,      log,      options, std::move(inheritance->trial),
                       estate,  recorder, events,  **kernel,
                       *frames, filter};
  if (auto started = engine.start(inheritance->config, inheritance->records); !started) {
    log.error("{}", started.error().message());
    return 1;
  }
  inheritance->config = {};
  if (options.in_engine) options.in_engine(log);
  try {
    io.run();
  } catch (const std::exception& error) {
    log.error("giving up: {}", error.what());
    engine.stop();
    return 1;
  }
  if (options.engine_ends) options.engine_ends();
  return 0;
}

}  // namespace ha::vrrp
