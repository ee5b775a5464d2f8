/// Runs the HAProxy evaluator inside the daemon: its answers in, the price of its verdict out.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "haproxy_probe/client.hpp"
#include "haproxy_probe/evaluator.hpp"
#include "vrrpd/runtime/events.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

class HaproxyHealth {
 public:
  using OnDemotion = std::function<void(const Demotion&)>;
  using OnStanding = std::function<void(const probe::Standing&)>;

  /// Starts at once, from the verdict `before`, and calls `on_demotion` whenever the demotion or
  /// its reason changes, though not as long as the verdict is unknown, and `on_standing` with what
  /// the one that follows this one needs as `before`.
  HaproxyHealth(boost::asio::io_context& io, Log& log, Events& events, probe::ProbeConfig config,
                OnDemotion on_demotion, OnStanding on_standing, const probe::Standing& before);

  void set_local_addresses(const LocalAddresses& local);
  [[nodiscard]] const probe::ProbeConfig& config() const { return config_; }
  [[nodiscard]] HaproxyStatus status() const;

 private:
  void handle(const probe::Event& event);
  void log_changes(const probe::Report& report);
  void arm();

  Log& log_;
  Events& events_;
  probe::ProbeConfig config_;
  OnDemotion on_demotion_;
  OnStanding on_standing_;
  probe::Evaluator evaluator_;
  boost::asio::steady_timer timer_;
  std::vector<probe::TeamHealth> teams_;
  std::string reason_;
  std::optional<std::string> alarm_;
  std::optional<Demotion> demotion_;
  std::uint64_t failovers_triggered_ = 0;
  probe::Client client_;  ///< last, so that it is gone before what its events change
};

}  // namespace ha::vrrp
