/// Answers questions about the status: over HTTP, and on a Unix socket one line each.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ha/result.hpp"
#include "sync/config.hpp"

namespace ha::sync {

/// What is answered with; both are asked anew for each request.
struct Pages {
  std::function<std::string()> metrics;
  std::function<std::string()> status;  ///< JSON without a line end
};

/// The whole answer to an HTTP request's head. Total: any bytes get one.
[[nodiscard]] std::string http_answer(std::string_view head, const Pages& pages);

/// The answer to a line, both without their ends.
using LineAnswer = std::function<std::string(std::string_view line)>;

/// At most 16 clients at a time, 8 KiB a request, 5 s for each.
class Server {
 public:
  /// `io` must outlive the object.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open_http(boost::asio::io_context& io,
                                                                 const ListenConfig& listen,
                                                                 Pages pages);
  /// Answers one line with one line. A socket that nobody serves any more is replaced.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open_socket(boost::asio::io_context& io,
                                                                   const std::string& path,
                                                                   LineAnswer answer);
  virtual ~Server() = default;
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 protected:
  Server() = default;
};

}  // namespace ha::sync
