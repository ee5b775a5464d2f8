/// How one probe of each kind is made. Nothing here decides what its outcome means.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "vrrpd/checks/config.hpp"
#include "vrrpd/checks/counting.hpp"
#include "vrrpd/checks/systemd.hpp"
#include "vrrpd/runtime/subprocess.hpp"

namespace ha::checks {

/// What probes need around them; all of it must outlive them.
struct ProbeServices {
  boost::asio::io_context& io;
  vrrp::Subprocesses& subprocesses;
  Systemd& systemd;
  /// Whether there is an interface of this name that is up and has a carrier.
  std::function<bool(const std::string& interface)> link_is_up;
};

/// Makes probes of one check, one at a time. Destroying it ends the one under way.
class Prober {
 public:
  virtual ~Prober() = default;
  Prober() = default;
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// Starts a probe. Its outcome is reported once, at the latest a second after the check's time
  /// limit, and possibly before this returns.
  virtual void start() = 0;
};

/// Whom a prober tells: of the outcome of what start() began, and that something has changed, so
/// that a probe now would be worth while.
struct Listener {
  std::function<void(const Outcome&)> outcome;
  std::function<void()> changed;
};

[[nodiscard]] std::unique_ptr<Prober> make_prober(const ProbeServices& services,
                                                  const CheckConfig& check, Listener listener);

/// Of TcpProbe and HttpProbe.
[[nodiscard]] std::unique_ptr<Prober> make_socket_prober(const ProbeServices& services,
                                                         const CheckConfig& check,
                                                         Listener listener);
/// Of ScriptProbe and FileProbe, which a child makes.
[[nodiscard]] std::unique_ptr<Prober> make_child_prober(const ProbeServices& services,
                                                        const CheckConfig& check,
                                                        Listener listener);
/// Of UnitProbe.
[[nodiscard]] std::unique_ptr<Prober> make_unit_prober(const ProbeServices& services,
                                                       const CheckConfig& check, Listener listener);
/// Of ProcessProbe.
[[nodiscard]] std::unique_ptr<Prober> make_process_prober(const ProbeServices& services,
                                                          const CheckConfig& check,
                                                          Listener listener);

}  // namespace ha::checks
