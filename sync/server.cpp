#include "sync/server.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace ha::sync {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kClientsMax = 16;
constexpr std::size_t kRequestSizeBytesMax = 8192;
constexpr std::chrono::seconds kPatience{5};

[[nodiscard]] std::string page(std::string_view status, std::string_view type,
                               std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

template <class Protocol>
class ServerOf final : public Server {
 public:
  using Acceptor = typename Protocol::acceptor;
  using Socket = typename Protocol::socket;
  using Answer = std::function<std::string(std::string_view)>;

  ServerOf(Acceptor acceptor, std::string delimiter, std::string file, Answer answer)
      : acceptor_{std::move(acceptor)},
        delimiter_{std::move(delimiter)},
        file_{std::move(file)},
        answer_{std::move(answer)} {}
  ~ServerOf() override {
    if (!file_.empty()) unlink(file_.c_str());
    *alive_ = false;
  }
  ServerOf(const ServerOf&) = delete;
  ServerOf& operator=(const ServerOf&) = delete;

  void accept() {
    if (accepting_ || clients_ >= kClientsMax) return;
    accepting_ = true;
    acceptor_.async_accept(
        [this, alive = alive_](const boost::system::error_code& error, Socket socket) {
          if (!*alive || error == asio::error::operation_aborted) return;
          accepting_ = false;
          if (!error) read(std::make_shared<Client>(std::move(socket), *this));
          accept();
        });
  }

 private:
  /// Owned by the handler under way.
  struct Client {
    Client(Socket from, ServerOf& server)
        : socket{std::move(from)},
          timer{socket.get_executor()},
          owner{server},
          alive{server.alive_} {
      ++owner.clients_;
    }
    ~Client() {
      if (!*alive) return;
      --owner.clients_;
      owner.accept();
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Socket socket;
    asio::steady_timer timer;
    ServerOf& owner;
    std::shared_ptr<bool> alive;
    std::string request;
    std::string answer;
  };

  void read(const std::shared_ptr<Client>& client) {
    client->timer.expires_after(kPatience);
    client->timer.async_wait(
        [weak = std::weak_ptr<Client>{client}](const boost::system::error_code& error) {
          const auto late = weak.lock();
          if (error || !late) return;
          boost::system::error_code ignored;
          late->socket.close(ignored);
        });
    asio::async_read_until(
        client->socket, asio::dynamic_buffer(client->request, kRequestSizeBytesMax), delimiter_,
        [this, client](const boost::system::error_code& error, std::size_t size) {
          if (error || !*client->alive) return;
          client->answer = answer_(std::string_view{client->request}.substr(0, size));
          asio::async_write(client->socket, asio::buffer(client->answer),
                            [client](const boost::system::error_code&, std::size_t) {
                              boost::system::error_code ignored;
                              client->socket.shutdown(Socket::shutdown_both, ignored);
                              client->timer.cancel();
                            });
        });
  }

  Acceptor acceptor_;
  std::string delimiter_;
  std::string file_;
  Answer answer_;
  std::size_t clients_ = 0;
  bool accepting_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

template <class Protocol>
[[nodiscard]] Result<typename Protocol::acceptor> listening(
    asio::io_context& io, const typename Protocol::endpoint& endpoint, const std::string& name) {
  typename Protocol::acceptor acceptor{io};
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kClientsMax, error);
  if (error) return failure(error.value(), "listen on " + name);
  return acceptor;
}

/// Removes a socket file that nobody serves.
void remove_stale(asio::io_context& io, const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  asio::local::stream_protocol::socket probe{io};
  boost::system::error_code error;
  probe.connect(path, error);
  if (error == asio::error::connection_refused) unlink(path.c_str());
}

}  // namespace

std::string http_answer(std::string_view head, const Pages& pages) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || line.substr(second + 1, 5) != "HTTP/") {
    return page("400 Bad Request", "text/plain", "This is not an HTTP request.\n");
  }
  if (line.substr(0, first) != "GET") {
    return page("405 Method Not Allowed", "text/plain", "There is only GET.\n");
  }
  std::string_view path = line.substr(first + 1, second - first - 1);
  path = path.substr(0, path.find('?'));
  if (path == "/metrics") {
    return page("200 OK", "text/plain; version=0.0.4", pages.metrics());
  }
  if (path == "/status") return page("200 OK", "application/json", pages.status() + "\n");
  return page("404 Not Found", "text/plain", "There is /metrics and /status.\n");
}

Result<std::unique_ptr<Server>> Server::open_http(asio::io_context& io, const ListenConfig& listen,
                                                  Pages pages) {
  using Tcp = asio::ip::tcp;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(listen.address, error);
  if (error) return failure(error.value(), "listen on " + listen.address);
  auto acceptor = listening<Tcp>(io, Tcp::endpoint{address, listen.port},
                                 fmt::format("{}:{}", listen.address, listen.port));
  if (!acceptor) return tl::make_unexpected(acceptor.error());
  auto server = std::make_unique<ServerOf<Tcp>>(
      std::move(*acceptor), "\r\n\r\n", "",
      [pages = std::move(pages)](std::string_view head) { return http_answer(head, pages); });
  server->accept();
  return std::unique_ptr<Server>{std::move(server)};
}

Result<std::unique_ptr<Server>> Server::open_socket(asio::io_context& io, const std::string& path,
                                                    LineAnswer answer) {
  using Local = asio::local::stream_protocol;
  if (path.size() > 100) return failure(ENAMETOOLONG, "listen on " + path);
  remove_stale(io, path);
  auto acceptor = listening<Local>(io, Local::endpoint{path}, path);
  if (!acceptor) return tl::make_unexpected(acceptor.error());
  auto server = std::make_unique<ServerOf<Local>>(
      std::move(*acceptor), "\n", path, [answer = std::move(answer)](std::string_view line) {
        return answer(line.substr(0, line.size() - 1)) + "\n";
      });
  server->accept();
  return std::unique_ptr<Server>{std::move(server)};
}

}  // namespace ha::sync
