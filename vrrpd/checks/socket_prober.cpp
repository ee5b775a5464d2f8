/// Probes over TCP: a connection, and for HTTP a request and the first line of its answer.
#include <fmt/format.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "vrrpd/checks/answers.hpp"
#include "vrrpd/checks/prober.hpp"
#include "vrrpd/runtime/stall.hpp"

namespace ha::checks {
namespace {

using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

/// One connection, from its opening to its outcome.
class Attempt {
  /// Calls nobody once the attempt is gone.
  template <class Handler>
  auto guarded(Handler handler) {
    return [alive = std::weak_ptr<void>{alive_}, handler](const ErrorCode& error,
                                                          const auto&... size) {
      if (!alive.expired()) handler(error, size...);
    };
  }

 public:
  /// `http` is null for a mere connection. `done` may destroy the attempt.
  Attempt(boost::asio::io_context& io, const tcp::endpoint& endpoint, const HttpProbe* http,
          Duration timeout, std::function<void(Outcome)> done)
      : endpoint_{endpoint},
        http_{http},
        done_{std::move(done)},
        timeout_{timeout},
        socket_{io},
        timer_{io},
        alive_{std::make_shared<char>()} {
    limit_time();
    socket_.async_connect(endpoint_, guarded([this](const ErrorCode& error) { connected(error); }));
  }

 private:
  void limit_time() {
    timer_.expires_after(timeout_);
    timer_.async_wait(guarded([this](const ErrorCode& error) {
      if (error) return;
      if (vrrp::stood_still(timer_.expiry(), std::chrono::steady_clock::now())) {
        return limit_time();
      }
      finish({false, "took too long", 0});
    }));
  }

  /// The last thing that is done here: whoever is told may destroy the attempt.
  void finish(const Outcome& outcome) {
    const auto done = std::move(done_);
    done(outcome);
  }

  void connected(const ErrorCode& error) {
    if (error) return finish({false, "connect: " + error.message(), 0});
    // A port of this machine's range for clients where nobody listens can connect to itself.
    ErrorCode ignored;
    if (socket_.local_endpoint(ignored) == endpoint_) {
      return finish({false, "connect: nobody listens", 0});
    }
    if (http_ == nullptr) return finish({true, "accepts connections", 0});
    request_ = fmt::format(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: vrrpd\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n",
        http_->path, http_->host.empty() ? host() : http_->host);
    boost::asio::async_write(socket_, boost::asio::buffer(request_),
                             guarded([this](const ErrorCode& failed, std::size_t) {
                               if (failed) return finish({false, "ask: " + failed.message(), 0});
                               read_on();
                             }));
  }

  /// The endpoint as a Host header has it (RFC 9110 section 7.2).
  std::string host() const {
    const std::string address = endpoint_.address().is_v6()
                                    ? "[" + endpoint_.address().to_string() + "]"
                                    : endpoint_.address().to_string();
    return endpoint_.port() == 80 ? address : fmt::format("{}:{}", address, endpoint_.port());
  }

  void read_on() {
    socket_.async_read_some(
        boost::asio::buffer(answer_.data() + answered_, answer_.size() - answered_),
        guarded([this](const ErrorCode& error, std::size_t size) { received(error, size); }));
  }

  void received(const ErrorCode& error, std::size_t size) {
    answered_ += size;
    const std::string_view answer{answer_.data(), answered_};
    const bool complete = answer.find('\n') != std::string_view::npos;
    if (!complete && !error && answered_ < answer_.size()) return read_on();
    const auto code = complete ? parse_status_code(answer) : std::nullopt;
    if (!code) return finish({false, "the answer is no HTTP response", 0});
    const bool good = *code >= http_->expect_min && *code <= http_->expect_max;
    finish({good, fmt::format("answered with {}", *code), 0});
  }

  tcp::endpoint endpoint_;
  const HttpProbe* http_;
  std::function<void(Outcome)> done_;
  Duration timeout_;
  tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::string request_;
  std::array<char, kStatusLineSizeBytesMax> answer_{};
  std::size_t answered_ = 0;
  std::shared_ptr<void> alive_;
};

class SocketProber : public Prober {
 public:
  SocketProber(boost::asio::io_context& io, const tcp::endpoint& endpoint,
               std::optional<HttpProbe> http, Duration timeout, Listener listener)
      : io_{io},
        endpoint_{endpoint},
        http_{std::move(http)},
        timeout_{timeout},
        listener_{std::move(listener)} {}

  void start() override {
    attempt_.emplace(io_, endpoint_, http_ ? &*http_ : nullptr, timeout_,
                     [this](const Outcome& outcome) {
                       attempt_.reset();
                       listener_.outcome(outcome);
                     });
  }

 private:
  boost::asio::io_context& io_;
  tcp::endpoint endpoint_;
  std::optional<HttpProbe> http_;
  Duration timeout_;
  Listener listener_;
  std::optional<Attempt> attempt_;
};

}  // namespace

std::unique_ptr<Prober> make_socket_prober(const ProbeServices& services, const CheckConfig& check,
                                           Listener listener) {
  tcp::endpoint endpoint;
  std::optional<HttpProbe> http;
  if (const auto* probe = std::get_if<HttpProbe>(&check.probe)) {
    http = *probe;
    endpoint = {probe->address, probe->port};
  } else if (const auto* connection = std::get_if<TcpProbe>(&check.probe)) {
    endpoint = {connection->address, connection->port};
  }
  return std::make_unique<SocketProber>(services.io, endpoint, std::move(http), check.timeout,
                                        std::move(listener));
}

}  // namespace ha::checks
