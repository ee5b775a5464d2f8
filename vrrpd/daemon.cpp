#include "vrrpd/daemon.hpp"

#include <malloc.h>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <exception>
#include <memory>
#include <utility>

#include "ha/check.hpp"
#include "vrrpd/guard/estate.hpp"
#include "vrrpd/guard/guard.hpp"
#include "vrrpd/guard/last_will.hpp"
#include "vrrpd/haproxy_health.hpp"
#include "vrrpd/kernel/netlink.hpp"
#include "vrrpd/runtime/capabilities.hpp"
#include "vrrpd/runtime/control.hpp"
#include "vrrpd/runtime/service_manager.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"
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

class Daemon {
 public:
  Daemon(boost::asio::io_context& io, Log& log, std::filesystem::path path, Config config,
         Estate& estate, Kernel& kernel, FrameSocket& frames)
      : io_{io},
        log_{log},
        path_{std::move(path)},
        config_{std::move(config)},
        estate_{estate},
        routers_{io, kernel, frames, log},
        service_manager_{io},
        signals_{io, SIGTERM, SIGINT, SIGHUP} {}

  /// Takes the control socket first: it shows whether another daemon is at work. `records` are what
  /// a predecessor that died has left.
  Result<void> start(std::span<RouterRecord> records) {
    auto control = ControlServer::open(io_, config_.control.socket, config_.control.group,
                                       {[this] { return status(); }, [this] { return reload(); }});
    if (!control) return tl::unexpected{control.error()};
    control_ = std::move(*control);
    if (!control_->warning().empty()) log_.warning("{}", control_->warning());
    wait_for_signal();
    accept_signals();
    routers_.on_local_addresses([this] { tell_local_addresses(); });
    // Health first, so that a successor does not begin with a priority that it does not have.
    apply_haproxy();
    static_cast<void>(routers_.apply(config_.instances, records, OnRefusal::kGoOn));
    service_manager_.ready(fmt::format("{} virtual routers", config_.instances.size()));
    log_.info("vrrpd {} runs {} virtual routers as {}", kProgramVersion, config_.instances.size(),
              config_.node);
    return {};
  }

  void stop() {
    service_manager_.stopping();
    routers_.shut_down();
    io_.stop();
  }

 private:
  void wait_for_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        for (const std::string& line : reload().diagnostics) log_.warning("{}", line);
        wait_for_signal();
        return;
      }
      log_.info("stopping: signal {}", signal);
      stop();
    });
  }

  ReloadOutcome reload() {
    Loaded loaded = load_file(path_);
    ReloadOutcome outcome;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      outcome.diagnostics.push_back(to_string(diagnostic));
    }
    if (!loaded.config) {
      log_.warning("reload refused: {} has errors; the old configuration goes on", path_.string());
      return outcome;
    }
    if (loaded.config->control != config_.control) {
      outcome.diagnostics.push_back(fmt::format(
          "{}: warning: a changed `control` section takes effect after a restart", path_.string()));
      loaded.config->control = config_.control;
    }
    if (auto adopted = adopt(std::move(*loaded.config)); !adopted) {
      outcome.diagnostics.push_back(adopted.error().message());
      log_.error("reload failed: {}; the old configuration goes on", adopted.error().message());
      return outcome;
    }
    log_.info("reloaded {}", path_.string());
    outcome.done = true;
    return outcome;
  }

  /// Makes `config` the one that runs, here and in a successor.
  Result<void> adopt(Config config) {
    const auto records = estate_.prepare(print(config), config.instances.size());
    if (!records) return tl::unexpected{records.error()};
    config_ = std::move(config);
    log_.configure(config_.log);
    static_cast<void>(routers_.apply(config_.instances, *records, OnRefusal::kGoOn));
    estate_.commit();
    apply_haproxy();
    return {};
  }

  void apply_haproxy() {
    if (!config_.haproxy) {
      if (health_) routers_.set_haproxy({"haproxy", 0, "not tracked any more"});
      health_.reset();
      note(estate_.haproxy(), {});
      return;
    }
    if (health_ && health_->config() == *config_.haproxy) return;
    // Neither a changed threshold nor a new engine lifts a demotion; the answers do.
    health_.emplace(
        io_, log_, *config_.haproxy,
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

  Status status() const {
    Status status;
    status.node = config_.node;
    status.version = kProgramVersion;
    status.instances = routers_.status();
    status.errors = routers_.errors();
    if (health_) status.haproxy = health_->status();
    return status;
  }

  boost::asio::io_context& io_;
  Log& log_;
  std::filesystem::path path_;
  Config config_;
  Estate& estate_;
  VirtualRouters routers_;
  std::optional<HaproxyHealth> health_;
  std::optional<LocalAddresses> told_;
  std::unique_ptr<ControlServer> control_;
  ServiceManager service_manager_;
  boost::asio::signal_set signals_;
};

/// Gives back what reading a large configuration took, which malloc() would keep for this process.
void return_memory() { ::malloc_trim(0); }

Config committed(Estate::Contents& contents) {
  Loaded loaded = load(contents.configuration, "the running configuration", "");
  HA_CHECK(loaded.config.has_value());  // printed by us
  Config config = std::move(*loaded.config);
  loaded = {};
  contents.configuration = std::string{};
  return_memory();
  return config;
}

/// The engine process: goes on with what was committed to `estate`, by the guard or by an engine
/// that died.
int run_engine(const std::filesystem::path& path, Estate& estate) {
  Log log;
  auto contents = estate.open();
  if (!contents) {
    log.error("{}", contents.error().message());
    return 1;
  }
  Config config = committed(*contents);
  log.configure(config.log);
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
  Daemon daemon{io, log, path, std::move(config), estate, **kernel, *frames};
  if (auto started = daemon.start(contents->records); !started) {
    log.error("{}", started.error().message());
    return 1;
  }
  try {
    io.run();
  } catch (const std::exception& error) {
    log.error("giving up: {}", error.what());
    daemon.stop();
    return 1;
  }
  return 0;
}

Result<Estate> create_estate(const Config& config) {
  auto estate = Estate::create();
  if (!estate) return estate;
  if (auto prepared = estate->prepare(print(config), config.instances.size()); !prepared) {
    return tl::unexpected{prepared.error()};
  }
  estate->commit();
  return estate;
}

}  // namespace

int run_daemon(const std::filesystem::path& path, Config config) {
  Log log;
  log.configure(config.log);
  if (const auto missing = missing_capabilities(); !missing.empty()) {
    for (const std::string& capability : missing) {
      log.error("vrrpd needs {}: run it as root, or with this capability", capability);
    }
    return 1;
  }
  auto estate = create_estate(config);
  if (!estate) {
    log.error("{}", estate.error().message());
    return 1;
  }
  config = {};
  return_memory();
  return guard(log, {[&] { return run_engine(path, *estate); }, [&] { ++estate->deaths(); },
                     [&] { execute_last_will(*estate, log); }});
}

}  // namespace ha::vrrp
