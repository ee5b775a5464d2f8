#include "vrrpd/http/server.hpp"

#include <array>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/poll_until.hpp"

namespace ha::http {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using test::poll_until;
using namespace std::chrono_literals;

const tcp::endpoint kAnyPort{boost::asio::ip::address_v4::loopback(), 0};

/// A client in the same loop: what it says leaves at once, what it hears is kept.
class Peer {
 public:
  Peer(boost::asio::io_context& io, std::uint16_t port) : socket_{io} {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
  }
  void say(const std::string& text) {
    error_code ignored;
    boost::asio::write(socket_, boost::asio::buffer(text), ignored);
  }
  void listen() {
    socket_.async_read_some(boost::asio::buffer(chunk_), [this](error_code error, std::size_t n) {
      heard_.append(chunk_.data(), n);
      if (error) {
        ended_ = true;
      } else {
        listen();
      }
    });
  }
  [[nodiscard]] const std::string& heard() const { return heard_; }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  tcp::socket socket_;
  std::array<char, 4096> chunk_{};
  std::string heard_;
  bool ended_ = false;
};

struct Site {
  explicit Site(std::chrono::milliseconds patience = kPatience, std::size_t size = 0)
      : server{io, kAnyPort,
               [this, size](std::string_view path) {
                 paths.emplace_back(path);
                 return Response{200, "text/plain", std::make_shared<const std::string>(size, 'x')};
               },
               [this](const std::string& trouble) { troubles.push_back(trouble); }, patience} {}

  /// Everything that is answered to `request`.
  std::string answer(const std::string& request) {
    Peer peer{io, server.port()};
    peer.listen();
    peer.say(request);
    REQUIRE(poll_until(io, [&] { return peer.ended(); }));
    return peer.heard();
  }

  boost::asio::io_context io{1};
  std::vector<std::string> paths;
  std::vector<std::string> troubles;
  Server server;
};

bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

TEST_CASE("a document is sent whole, and then the connection ends", "[http]") {
  Site site{kPatience, 300'000};
  const std::string answer = site.answer("GET /page?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(starts_with(answer,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 300000\r\n"));
  CHECK(ends_with(answer, "\r\n\r\n" + std::string(300'000, 'x')));
  CHECK(site.paths == std::vector<std::string>{"/page"});
}

TEST_CASE("HEAD gets the length without the document", "[http]") {
  Site site{kPatience, 5};
  const std::string answer = site.answer("HEAD / HTTP/1.0\r\n\r\n");
  CHECK(answer.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(ends_with(answer, "\r\n\r\n"));
}

TEST_CASE("what is no request for a document is refused without being looked at", "[http]") {
  Site site;
  CHECK(starts_with(site.answer("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nsome body"),
                    "HTTP/1.1 405 "));
  CHECK(starts_with(site.answer("\x16\x03\x01\x02 TLS\r\n\r\n"), "HTTP/1.1 400 "));
  CHECK(starts_with(site.answer("GET http://a/ HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 "));
  CHECK(starts_with(site.answer("GET / HTTP/1.1\r\nA: " + std::string(9000, 'a') + "\r\n\r\n"),
                    "HTTP/1.1 431 "));
  CHECK(starts_with(site.answer("GET /" + std::string(70'000, 'a') + " HTTP/1.1\r\n\r\n"),
                    "HTTP/1.1 431 "));
  CHECK(site.paths.empty());
}

TEST_CASE("who does not finish the request in time is dropped", "[http]") {
  Site site{50ms};
  CHECK(site.answer("GET / HTTP/1.1\r\n").empty());
  CHECK(site.paths.empty());
}

TEST_CASE("who does not take the answer in time is dropped", "[http]") {
  Site site{300ms, 50'000'000};
  auto lazy = std::make_unique<Peer>(site.io, site.server.port());
  lazy->say("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(poll_until(site.io, [&] { return !site.paths.empty(); }));
  // Dropped, its connection is reset or ends early: the document is not whole.
  std::vector<std::unique_ptr<Peer>> others;
  for (int i = 0; i < 15; ++i) {
    others.push_back(std::make_unique<Peer>(site.io, site.server.port()));
  }
  Peer last{site.io, site.server.port()};  // waits for one of the 16 to be dropped
  last.say("GET /last HTTP/1.1\r\n\r\n");
  CHECK(poll_until(site.io, [&] { return site.paths.back() == "/last"; }));
  lazy->listen();
  REQUIRE(poll_until(site.io, [&] { return lazy->ended(); }));
  CHECK(lazy->heard().size() < 50'000'000);
}

TEST_CASE("sixteen who are silent keep the next one waiting no longer than the patience lasts",
          "[http]") {
  Site site{300ms};
  std::vector<std::unique_ptr<Peer>> silent;
  for (int i = 0; i < 16; ++i) {
    silent.push_back(std::make_unique<Peer>(site.io, site.server.port()));
    silent.back()->listen();
  }
  Peer next{site.io, site.server.port()};
  next.listen();
  next.say("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(poll_until(site.io, [&] { return next.ended(); }));
  CHECK(starts_with(next.heard(), "HTTP/1.1 200 "));
  for (const auto& peer : silent) CHECK(poll_until(site.io, [&] { return peer->ended(); }));
}

TEST_CASE("a port that is taken is told once", "[http]") {
  Site site;
  boost::asio::io_context io{1};
  std::vector<std::string> troubles;
  const Server second{io,
                      {boost::asio::ip::address_v4::loopback(), site.server.port()},
                      [](std::string_view) { return Response{}; },
                      [&](const std::string& trouble) { troubles.push_back(trouble); }};
  CHECK(second.port() == 0);
  REQUIRE(troubles.size() == 1);
  CHECK(starts_with(troubles[0], "http: cannot listen on 127.0.0.1:"));
}

TEST_CASE("a server that is destroyed calls nobody any more", "[http]") {
  boost::asio::io_context io{1};
  int calls = 0;
  std::optional<Server> server;
  server.emplace(
      io, kAnyPort,
      [&](std::string_view) {
        ++calls;
        return Response{};
      },
      [](const std::string&) {});
  Peer peer{io, server->port()};
  peer.listen();
  io.run_one_for(100ms);  // accepted
  peer.say("GET / HTTP/1.1\r\n\r\n");
  server.reset();
  CHECK(poll_until(io, [&] { return peer.ended(); }));
  CHECK(calls == 0);
}

}  // namespace ha::http
