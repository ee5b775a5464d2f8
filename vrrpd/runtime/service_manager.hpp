/// What the daemon tells systemd, if that started it: sd_notify(3). Without it, nothing happens.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

namespace ha::vrrp {

class ServiceManager {
 public:
  /// `io` must outlive the object.
  explicit ServiceManager(boost::asio::io_context& io);

  /// The daemon works. From now on the watchdog, if the unit asks for one, is fed from `io`'s loop,
  /// twice in its time: a loop that hangs stops feeding it.
  void ready(const std::string& status);
  void stopping();

 private:
  void feed_watchdog();

  boost::asio::steady_timer timer_;
  std::chrono::microseconds watchdog_{};
};

}  // namespace ha::vrrp
