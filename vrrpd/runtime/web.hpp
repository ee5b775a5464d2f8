/// What the daemon shows over HTTP: /metrics, /status, /events, /healthz, and a page for people
/// at /.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ha/types.hpp"
#include "vrrpd/config/config.hpp"
#include "vrrpd/http/server.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

class Web {
 public:
  /// `io` and `log` must outlive the object.
  Web(boost::asio::io_context& io, Log& log, std::function<Status()> status,
      std::function<std::string()> events)
      : io_{io}, log_{log}, status_{std::move(status)}, events_{std::move(events)} {}

  /// Serves `config`, or nobody, instead of what was served before; if it is the same, nobody
  /// notices. That it cannot listen is logged and tried again: no address fails for that.
  void listen(const std::optional<HttpConfig>& config);

  /// The document at `path`. What is asked for again within 250 ms is the same text: a flood of
  /// requests must not cost what so many looks at 1,000 virtual routers would.
  [[nodiscard]] http::Response get(std::string_view path, TimePoint now);

 private:
  struct Document {
    http::Response response;
    TimePoint until;
  };
  template <class Make>
  [[nodiscard]] const http::Response& fresh(Document& document, TimePoint now, Make make);

  boost::asio::io_context& io_;
  Log& log_;
  std::function<Status()> status_;
  std::function<std::string()> events_;  ///< all of them, as a JSON list
  std::optional<HttpConfig> served_;
  Document metrics_;
  Document state_;
  Document health_;
  Document happened_;
  std::unique_ptr<http::Server> server_;  ///< last, since it asks for documents
};

}  // namespace ha::vrrp
