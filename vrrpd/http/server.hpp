/// A small HTTP/1.1 server on an event loop that has more important things to do: documents that
/// are read, nothing that is written.
///
/// Everything a client can use up is bounded: at most 16 connections, the others wait in the
/// kernel's queue; 8 KiB of request line and headers; 5 s to send them and 5 s to take the answer.
/// One answer a connection.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ha::http {

struct Response {
  unsigned status = 200;  ///< 200, 404 or 503
  std::string_view type;  ///< of the content, with a life as long as the program's
  std::shared_ptr<const std::string> body;  ///< never null; shared, so that a document that many
                                            ///< read slowly is in memory once
};

/// The document at `path`, which begins with '/' and has no query; any other bytes may follow.
using Responder = std::function<Response(std::string_view path)>;

/// How long a client may take to send a request, and again to take the answer.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds{5};

class Server {
 public:
  /// Serves `endpoint` from `io`'s loop, which must outlive it. Where that cannot be listened on,
  /// `trouble` is told so once, and it is tried again every 5 s: the address may be a virtual one
  /// that is elsewhere. No handler is called after destruction.
  Server(boost::asio::io_context& io, const boost::asio::ip::tcp::endpoint& endpoint,
         Responder responder, std::function<void(const std::string&)> trouble,
         std::chrono::milliseconds patience = kPatience);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Where it listens; 0 while it cannot.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  ///< also held by its handlers under way, which outlive the server
                                ///< by a turn of the loop
};

}  // namespace ha::http
