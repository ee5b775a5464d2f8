#include "vrrpd/runtime/service_manager.hpp"

#include <systemd/sd-daemon.h>

#include <cstdlib>

namespace ha::vrrp {

ServiceManager::ServiceManager(boost::asio::io_context& io) : timer_{io} {
  // The variable names the guard, which is the unit's main process; the one to watch is this.
  ::unsetenv("WATCHDOG_PID");
  std::uint64_t watchdog_us = 0;
  if (::sd_watchdog_enabled(0, &watchdog_us) > 0) {
    watchdog_ = std::chrono::microseconds{watchdog_us};
  }
}

void ServiceManager::ready(const std::string& status) {
  ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
  if (watchdog_.count() > 0) feed_watchdog();
}

void ServiceManager::stopping() { ::sd_notify(0, "STOPPING=1"); }

void ServiceManager::feed_watchdog() {
  ::sd_notify(0, "WATCHDOG=1");
  timer_.expires_after(watchdog_ / 2);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed_watchdog();
  });
}

}  // namespace ha::vrrp
