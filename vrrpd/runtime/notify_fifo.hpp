/// The named pipe that notices are written to, and the program that reads it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string_view>

#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/descriptor.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/subprocess.hpp"

namespace ha::vrrp {

class NotifyPipe {
 public:
  /// A reader that ends is started again after so long.
  static constexpr Duration kPause = std::chrono::seconds{1};

  /// Makes the pipe, readable by the daemon's user, unless there is one, and starts the reader.
  /// What cannot be done is logged. All must outlive the object.
  NotifyPipe(boost::asio::io_context& io, Subprocesses& subprocesses, Log& log, NotifyFifo config);

  [[nodiscard]] const NotifyFifo& config() const { return config_; }
  /// Never waits for a reader: once the kernel's buffer is full, lines are lost and that is logged.
  void write(std::string_view line, TimePoint now);
  /// Closes the pipe, so that the reader comes to its end, and calls `read_to_end` when it has.
  void close(std::function<void()> read_to_end);
  [[nodiscard]] bool is_read() const { return reader_running_; }

 private:
  void open();
  void start_reader();
  void reader_ended(const Ended& ended);

  Subprocesses& subprocesses_;
  Log& log_;
  NotifyFifo config_;
  Descriptor pipe_;
  boost::asio::steady_timer restart_;
  bool reader_running_ = false;
  std::function<void()> read_to_end_;
  Throttle lost_;
  std::shared_ptr<void> alive_;
};

}  // namespace ha::vrrp
