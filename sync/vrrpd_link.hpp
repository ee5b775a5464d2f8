/// vrrpd's control socket, without waiting for it: its status every second, and our lag now and
/// then.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "ha/types.hpp"

namespace ha::sync {

/// {"command": "sync", "team": …, "lag-ms": …}
[[nodiscard]] std::string lag_request(const std::string& team, std::int64_t lag_ms);

class VrrpdLink {
 public:
  static constexpr Duration kPeriod = std::chrono::seconds{1};
  /// For one answer.
  static constexpr Duration kPatience = std::chrono::seconds{3};

  struct Listener {
    std::function<void(std::string_view answer)> status;
    /// It cannot be asked; told each time.
    std::function<void(const std::string& why)> lost;
  };

  /// Begins at once. `io` must outlive the object, whose handlers run only inside its loop.
  VrrpdLink(boost::asio::io_context& io, std::string path, Listener listener);
  VrrpdLink(const VrrpdLink&) = delete;
  VrrpdLink& operator=(const VrrpdLink&) = delete;

  /// Told with the next request; a newer number replaces one that waits.
  void report(const std::string& team, std::int64_t lag_ms) { lags_[team] = lag_ms; }

 private:
  using Protocol = boost::asio::local::stream_protocol;
  using Code = boost::system::error_code;

  void begin();
  void next();
  void ask(std::string request);
  void read();
  void answered(std::size_t size);
  void give_up(const std::string& why);
  void again_later();

  std::string path_;
  Listener listener_;
  Protocol::socket socket_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer pause_;
  std::string request_;
  std::string answer_;
  std::map<std::string, std::int64_t> lags_;
  bool asked_status_ = false;  ///< in this round
  bool waiting_for_status_ = false;
};

}  // namespace ha::sync
