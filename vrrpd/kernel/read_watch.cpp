#include "vrrpd/kernel/read_watch.hpp"

#include <utility>

namespace ha::vrrp {

ReadWatch::ReadWatch(boost::asio::io_context& io, std::function<void()> on_readable)
    : descriptor_{io}, on_readable_{std::move(on_readable)}, alive_{std::make_shared<char>()} {}

ReadWatch::~ReadWatch() {
  // Asio would close the descriptor, which is not its own.
  if (descriptor_.is_open()) descriptor_.release();
}

Result<void> ReadWatch::start(int descriptor) {
  boost::system::error_code error;
  descriptor_.assign(descriptor, error);
  if (error) return failure(error.value(), "watch a socket");
  wait();
  return {};
}

void ReadWatch::wait() {
  descriptor_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
        // The only error of a wait on a socket is that it was called off.
        if (error || alive.expired()) return;
        on_readable_();
        wait();
      });
}

}  // namespace ha::vrrp
