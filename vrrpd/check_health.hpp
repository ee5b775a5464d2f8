/// Runs the checks inside the daemon: their health goes to the virtual routers, to the log when it
/// changes, and into memory that outlives the process.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "vrrpd/checks/checks.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/subprocess.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {

class CheckHealth {
 public:
  /// One for each check, in the order of the configuration.
  using Notes = std::span<std::atomic<std::int32_t>>;

  /// All must outlive the object.
  CheckHealth(boost::asio::io_context& io, Log& log, VirtualRouters& routers);

  /// The checks of a daemon that starts. They go on from what a predecessor has left in `notes`,
  /// which must outlive the object or the next apply(). One without a result counts as unhealthy,
  /// so that nobody becomes master on the strength of hope.
  void begin(const std::vector<checks::CheckConfig>& checks, Notes notes);
  /// Those of a reload. A new one counts for nothing until it has a result: the daemon goes on with
  /// what it was.
  void apply(const std::vector<checks::CheckConfig>& checks, Notes notes);

  void links_changed() { checks_.links_changed(); }

 private:
  void tell(const checks::CheckConfig& check, const Health& health, bool verdict_changed);
  /// In keepalived's words, which people search for.
  void log_script(const std::string& name, const Health& health);
  void note_in(const std::vector<checks::CheckConfig>& checks, Notes notes);

  Log& log_;
  VirtualRouters& routers_;
  std::map<std::string, std::atomic<std::int32_t>*> notes_;
  Subprocesses subprocesses_;
  checks::Systemd systemd_;
  checks::Checks checks_;
};

}  // namespace ha::vrrp
