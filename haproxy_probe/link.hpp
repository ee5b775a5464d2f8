/// One connection to HAProxy, over a Unix socket or TCP: it connects, says one text, hands on what
/// comes, and tells when it is over. Nothing in it waits.
#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ha/result.hpp"

namespace ha::probe {

/// Where to connect.
struct Target {
  sockaddr_storage address{};
  socklen_t size = 0;
  std::string name;  ///< "/run/haproxy/admin.sock", "http://127.0.0.1:8404/stats"
};

/// Of the path of a socket, or the URL of a page; refuses a path that is too long and what
/// parse_url() refuses.
[[nodiscard]] Result<Target> target_of(const std::string& stats);

class Link : public std::enable_shared_from_this<Link> {
 public:
  enum class End : std::uint8_t {
    kNobodyListens,
    kFailed,
    kClosed,  ///< by the other side, in order
  };
  using OnText = std::function<void(std::string_view)>;
  using OnEnd = std::function<void(End, const std::string& reason)>;

  /// Connects at once; both callbacks come from `io`'s loop, never from within open(), and `on_end`
  /// once and last. Whoever drops the returned pointer closes the connection, and hears nothing
  /// more; both callbacks may do so. `text` has to fit into an empty send buffer.
  [[nodiscard]] static std::shared_ptr<Link> open(boost::asio::io_context& io,
                                                  const Result<Target>& target, std::string text,
                                                  OnText on_text, OnEnd on_end);

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;

  Link(boost::asio::io_context& io, std::string text, OnText on_text, OnEnd on_end)
      : socket_{io},
        text_{std::move(text)},
        on_text_{std::move(on_text)},
        on_end_{std::move(on_end)} {}

  [[nodiscard]] Result<void> connect(const Target& target);
  void wait_until_connected();
  [[nodiscard]] Result<void> speak();
  void read();
  void end_later(const Error& error);
  void end(const Error& error);

  Socket socket_;
  std::string name_;
  std::string text_;
  OnText on_text_;
  OnEnd on_end_;
  std::array<char, 16 * 1024> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
};

}  // namespace ha::probe
