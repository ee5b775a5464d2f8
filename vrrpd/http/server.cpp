#include "vrrpd/http/server.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_static_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <set>
#include <utility>

namespace ha::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kClientsMax = 16;
constexpr std::size_t kHeaderMax = 8 * 1024;
constexpr std::size_t kDiscardedMax = 64 * 1024;
constexpr int kBacklog = 64;
constexpr std::chrono::seconds kRetry{5};

[[nodiscard]] std::string_view reason_of(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

/// What we say for ourselves.
[[nodiscard]] Response refusal(unsigned status) {
  return {status, "text/plain; charset=utf-8",
          std::make_shared<const std::string>(fmt::format("{} {}\n", status, reason_of(status)))};
}

/// A page from here may run its own script and ask this server, and nothing else; nobody keeps it.
[[nodiscard]] std::string head_of(const Response& response) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Connection: close\r\n"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "X-Frame-Options: DENY\r\n"
      "Referrer-Policy: no-referrer\r\n"
      "Content-Security-Policy: default-src 'none'; connect-src 'self'; img-src data:; "
      "script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
      "'none'\r\n"
      "{}\r\n",
      response.status, reason_of(response.status), response.type, response.body->size(),
      response.status == 405 ? "Allow: GET, HEAD\r\n" : "");
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Server::Impl> {
 public:
  Impl(asio::io_context& io, tcp::endpoint endpoint, Responder responder,
       std::function<void(const std::string&)> trouble, std::chrono::milliseconds patience)
      : acceptor_{io},
        retry_{io},
        endpoint_{std::move(endpoint)},
        responder_{std::move(responder)},
        trouble_{std::move(trouble)},
        patience_{patience} {}

  void listen();
  void stop();
  [[nodiscard]] std::uint16_t port() const {
    error_code error;
    const tcp::endpoint local = acceptor_.local_endpoint(error);
    return error ? std::uint16_t{0} : local.port();
  }

 private:
  /// Reads a request, writes its answer, and waits for the other side to hang up. Closed means
  /// dropped: what completes afterwards is ignored.
  struct Client {
    explicit Client(tcp::socket connected)
        : socket{std::move(connected)}, timer{socket.get_executor()} {
      parser.header_limit(kHeaderMax);
    }
    tcp::socket socket;
    asio::steady_timer timer;
    beast::flat_static_buffer<kHeaderMax> received;
    beast::http::request_parser<beast::http::empty_body> parser;
    std::string head;
    std::shared_ptr<const std::string> body;
    std::array<char, 1024> discarded{};
    std::size_t discarded_size = 0;
  };
  using ClientPtr = std::shared_ptr<Client>;

  [[nodiscard]] error_code try_to_listen();
  void accept();
  void accepted(error_code error, tcp::socket socket);
  void retry_in(std::chrono::seconds delay);
  void received(const ClientPtr& client, error_code error);
  [[nodiscard]] Response response_to(std::string_view target, bool readable);
  void reply(const ClientPtr& client, const Response& response, bool with_body);
  void wait_for_end(const ClientPtr& client);
  void limit_time(const ClientPtr& client);
  void drop(const ClientPtr& client);

  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  tcp::endpoint endpoint_;
  Responder responder_;
  std::function<void(const std::string&)> trouble_;
  std::chrono::milliseconds patience_;
  std::set<ClientPtr> clients_;
  bool accepting_ = false;
  bool stopped_ = false;
  bool complained_ = false;
};

error_code Server::Impl::try_to_listen() {
  error_code error;
  acceptor_.open(endpoint_.protocol(), error);
  if (error) return error;
  // Asio opens descriptors that children would inherit.
  fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
  acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor_.bind(endpoint_, error);
  if (!error) acceptor_.listen(kBacklog, error);
  if (error) {
    error_code ignored;
    acceptor_.close(ignored);
  }
  return error;
}

void Server::Impl::listen() {
  if (const error_code error = try_to_listen()) {
    if (!complained_) {
      complained_ = true;
      const bool is_v6 = endpoint_.address().is_v6();
      trouble_(fmt::format("http: cannot listen on {}{}{}:{}, trying again: {}", is_v6 ? "[" : "",
                           endpoint_.address().to_string(), is_v6 ? "]" : "", endpoint_.port(),
                           error.message()));
    }
    return retry_in(kRetry);
  }
  accept();
}

void Server::Impl::retry_in(std::chrono::seconds delay) {
  retry_.expires_after(delay);
  retry_.async_wait([self = shared_from_this()](error_code) {
    if (self->stopped_) return;
    if (self->acceptor_.is_open()) return self->accept();
    self->listen();
  });
}

void Server::Impl::accept() {
  if (accepting_ || clients_.size() >= kClientsMax || !acceptor_.is_open()) return;
  accepting_ = true;
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    self->accepted(error, std::move(socket));
  });
}

void Server::Impl::accepted(error_code error, tcp::socket socket) {
  accepting_ = false;
  if (stopped_) return;
  // Out of descriptors or memory, and the connection stays in the queue: trying at once would spin.
  if (error) return retry_in(std::chrono::seconds{1});
  fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
  const auto client = std::make_shared<Client>(std::move(socket));
  clients_.insert(client);
  limit_time(client);
  beast::http::async_read_header(
      client->socket, client->received, client->parser,
      [self = shared_from_this(), client](error_code failed, std::size_t) {
        self->received(client, failed);
      });
  accept();
}

void Server::Impl::received(const ClientPtr& client, error_code error) {
  using beast::http::verb;
  if (!client->socket.is_open()) return;
  if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
    return reply(client, refusal(431), true);
  }
  if (error == beast::http::error::end_of_stream || error == beast::http::error::partial_message) {
    return drop(client);
  }
  if (error) {
    const bool is_their_fault =
        error.category() == beast::http::make_error_code(beast::http::error::bad_method).category();
    return is_their_fault ? reply(client, refusal(400), true) : drop(client);
  }
  const auto& request = client->parser.get();
  const bool readable = request.method() == verb::get || request.method() == verb::head;
  const auto target = request.target();
  reply(client, response_to({target.data(), target.size()}, readable),
        request.method() != verb::head);
}

Response Server::Impl::response_to(std::string_view target, bool readable) {
  if (!readable) return refusal(405);
  if (target.empty() || target.front() != '/') return refusal(400);
  return responder_(target.substr(0, target.find('?')));
}

void Server::Impl::reply(const ClientPtr& client, const Response& response, bool with_body) {
  limit_time(client);
  client->head = head_of(response);
  client->body = response.body;
  const std::array<asio::const_buffer, 2> buffers{
      asio::buffer(client->head), with_body ? asio::buffer(*client->body) : asio::const_buffer{}};
  asio::async_write(client->socket, buffers,
                    [self = shared_from_this(), client](error_code error, std::size_t) {
                      if (!client->socket.is_open()) return;
                      if (error) return self->drop(client);
                      error_code ignored;
                      client->socket.shutdown(tcp::socket::shutdown_send, ignored);
                      self->limit_time(client);
                      self->wait_for_end(client);
                    });
}

/// Closing while something that was sent lies unread would make the kernel take back the answer.
void Server::Impl::wait_for_end(const ClientPtr& client) {
  client->socket.async_read_some(
      asio::buffer(client->discarded),
      [self = shared_from_this(), client](error_code error, std::size_t size) {
        if (!client->socket.is_open()) return;
        client->discarded_size += size;
        if (error || client->discarded_size > kDiscardedMax) return self->drop(client);
        self->wait_for_end(client);
      });
}

void Server::Impl::limit_time(const ClientPtr& client) {
  client->timer.expires_after(patience_);
  client->timer.async_wait([self = shared_from_this(), client](error_code error) {
    // A timer that was set again may have fired just before.
    if (!error && client->timer.expiry() <= std::chrono::steady_clock::now()) self->drop(client);
  });
}

void Server::Impl::drop(const ClientPtr& client) {
  error_code ignored;
  client->socket.close(ignored);
  client->timer.cancel();
  clients_.erase(client);
  accept();
}

void Server::Impl::stop() {
  stopped_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (const std::set<ClientPtr> all = clients_; const ClientPtr& client : all) drop(client);
}

Server::Server(asio::io_context& io, const tcp::endpoint& endpoint, Responder responder,
               std::function<void(const std::string&)> trouble, std::chrono::milliseconds patience)
    : impl_{std::make_shared<Impl>(io, endpoint, std::move(responder), std::move(trouble),
                                   patience)} {
  impl_->listen();
}

Server::~Server() { impl_->stop(); }

std::uint16_t Server::port() const { return impl_->port(); }

}  // namespace ha::http
