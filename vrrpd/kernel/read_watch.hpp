/// Waits in the event loop until a descriptor has something to read. The only place of this folder
/// that arms Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "ha/result.hpp"

namespace ha::vrrp {

/// Calls a handler whenever a descriptor has something to read, again and again until destroyed.
/// The handler need not read everything: what is left calls it in the next turn of the loop, so
/// that timers get theirs in between.
class ReadWatch {
 public:
  /// `io` must outlive the object. `on_readable` may not destroy it.
  ReadWatch(boost::asio::io_context& io, std::function<void()> on_readable);
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

  /// Starts watching. The descriptor stays the caller's and must stay open for as long as this
  /// object lives.
  Result<void> start(int descriptor);

 private:
  void wait();

  boost::asio::posix::stream_descriptor descriptor_;
  std::function<void()> on_readable_;
  /// A completion may lie in the loop's queue when the object goes; the handler sees by this that
  /// it is gone.
  std::shared_ptr<void> alive_;
};

}  // namespace ha::vrrp
