/// Waiting for the real world without sleeping: runs an event loop until a condition holds.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace ha::test {

/// Runs `io` until `condition()` is true; false if it is not within half a minute, far more than
/// anything here takes on a machine that is not busy with something else.
template <class Condition>
[[nodiscard]] bool poll_until(boost::asio::io_context& io, Condition condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    io.restart();
    io.run_one_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace ha::test
