#include "vrrpd/runtime/control.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/vrrpd/runtime/sample_daemon.hpp"

namespace ha::vrrp {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;
using ha::test::poll_until;
using ha::test::TemporaryDirectory;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

/// The other end, which never blocks.
class Peer {
 public:
  explicit Peer(const std::string& path)
      : fd_{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)} {
    const sockaddr_un address = address_of(path);
    REQUIRE(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~Peer() { leave(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void leave() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  /// How much of `text` went out.
  std::size_t say(std::string_view text) {
    const ssize_t sent = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  void finish_sending() { shutdown(fd_, SHUT_WR); }

  /// Takes in what is there; false once the connection has ended.
  bool listen() {
    std::array<char, 65536> chunk{};
    for (;;) {
      const ssize_t size = recv(fd_, chunk.data(), chunk.size(), 0);
      if (size <= 0) return size < 0 && errno == EAGAIN;
      heard_.append(chunk.data(), static_cast<std::size_t>(size));
    }
  }
  /// Complete lines so far.
  [[nodiscard]] std::vector<Json> lines() {
    listen();
    std::vector<Json> lines;
    std::size_t start = 0;
    for (std::size_t end = 0; (end = heard_.find('\n', start)) != std::string::npos;
         start = end + 1) {
      lines.push_back(Json::parse(heard_.substr(start, end - start)));
    }
    return lines;
  }
  /// Whether the other side has hung up, without reading anything.
  [[nodiscard]] bool hung_up() const {
    pollfd state{fd_, 0, 0};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
  }

 private:
  int fd_;
  std::string heard_;
};

struct Served {
  explicit Served(std::chrono::milliseconds patience = kControlPatience) {
    auto opened = ControlServer::open(io, path, "", daemon.handlers(), patience);
    REQUIRE(opened);
    server = std::move(*opened);
  }
  bool until(const std::function<bool()>& condition) { return poll_until(io, condition); }

  TemporaryDirectory directory;
  std::string path = directory / "run/control.sock";
  test::Daemon daemon;
  boost::asio::io_context io{1};
  std::unique_ptr<ControlServer> server;
};

constexpr const char* kStatus = "{\"command\": \"status\"}\n";

TEST_CASE("requests are answered in order, however they are cut into packets") {
  Served served;
  Peer peer{served.path};

  SECTION("two in one packet") {
    peer.say(R"({"command": "reload"})"
             "\n" +
             std::string{kStatus});
  }
  SECTION("one byte at a time") {
    for (const char c : R"({"command": "reload"})"
                        "\n" +
                            std::string{kStatus}) {
      peer.say({&c, 1});
      served.io.poll();
    }
  }
  SECTION("one after the other, then no more") {
    peer.say("{\"command\": \"reload\"}\n");
    REQUIRE(served.until([&] { return peer.lines().size() == 1; }));
    peer.say(kStatus);
    peer.finish_sending();
  }

  REQUIRE(served.until([&] { return peer.lines().size() == 2; }));
  CHECK(peer.lines()[0].contains("diagnostics"));
  CHECK(peer.lines()[1].contains("status"));
}

TEST_CASE("garbage is refused and the connection goes on") {
  Served served;
  Peer peer{served.path};
  peer.say("GET / HTTP/1.1\r\n\r\n" + std::string{kStatus});

  REQUIRE(served.until([&] { return peer.lines().size() == 3; }));
  CHECK(peer.lines()[0]["ok"] == false);
  CHECK(peer.lines()[1]["ok"] == false);
  CHECK(peer.lines()[2]["ok"] == true);
}

TEST_CASE("a request may have 64 KiB and no more") {
  Served served;
  Peer peer{served.path};
  const std::size_t size = GENERATE(std::size_t{64} * 1024, std::size_t{64} * 1024 + 1);
  std::string line = R"({"command": "status"})";
  line.resize(size, ' ');
  line += '\n';
  std::string_view rest = line;

  REQUIRE(served.until([&] {
    rest.remove_prefix(peer.say(rest));
    return peer.lines().size() == 1;
  }));

  const bool fits = size == std::size_t{64} * 1024;
  CHECK(peer.lines()[0]["ok"] == fits);
  CHECK(served.until([&] { return peer.listen() == fits; }));
  if (!fits) CHECK(peer.lines()[0]["error"] == "a request has at most 65536 bytes");
}

TEST_CASE("half a request is no request") {
  Served served;
  {
    Peer peer{served.path};
    peer.say(R"({"command": "reload"})");
    SECTION("when the client just leaves") { peer.leave(); }
    SECTION("when it waits for an answer") {
      peer.finish_sending();
      CHECK(served.until([&] { return !peer.listen(); }));
      CHECK(peer.lines().empty());
    }
  }
  Peer next{served.path};
  next.say(kStatus);
  CHECK(served.until([&] { return next.lines().size() == 1; }));
  CHECK(served.daemon.calls == 1);
}

TEST_CASE("a client that leaves before its answer does no harm") {
  Served served;
  Peer{served.path}.say(kStatus);
  Peer next{served.path};
  next.say(kStatus);
  CHECK(served.until([&] { return next.lines().size() == 1; }));
}

TEST_CASE("more clients than there is room for are served in turn") {
  Served served;
  std::vector<std::unique_ptr<Peer>> first;
  for (int i = 0; i < 16; ++i) {
    first.push_back(std::make_unique<Peer>(served.path));
    first.back()->say(kStatus);
  }
  std::vector<std::unique_ptr<Peer>> later;
  for (int i = 0; i < 16; ++i) {
    later.push_back(std::make_unique<Peer>(served.path));
    later.back()->say(kStatus);
  }
  const auto answered = [](const auto& peers) {
    return std::count_if(peers.begin(), peers.end(),
                         [](const auto& peer) { return !peer->lines().empty(); });
  };

  REQUIRE(served.until([&] { return answered(first) == 16; }));
  served.io.poll();
  CHECK(served.daemon.calls == 16);
  CHECK(answered(later) == 0);

  first.clear();
  CHECK(served.until([&] { return answered(later) == 16; }));
}

TEST_CASE("clients that say nothing, or too slowly, make room for others") {
  Served served{300ms};
  std::vector<std::unique_ptr<Peer>> idle;
  for (int i = 0; i < 16; ++i) idle.push_back(std::make_unique<Peer>(served.path));
  Peer next{served.path};
  next.say(kStatus);

  CHECK(served.until([&] {
    idle.front()->say(" ");
    return next.lines().size() == 1;
  }));
  CHECK(served.until([&] { return !idle.front()->listen() && !idle.back()->listen(); }));
}

TEST_CASE("a client that does not read its answer is dropped") {
  Served served{50ms};
  served.daemon.status.instances.assign(1020, test::sample_master());
  Peer deaf{served.path};
  deaf.say(kStatus);
  CHECK(served.until([&] { return deaf.hung_up(); }));
}

TEST_CASE("a client that reads its answer gets all of it, however long it is") {
  Served served;
  served.daemon.status.instances.assign(1020, test::sample_master());
  Peer reader{served.path};
  reader.say(kStatus);
  REQUIRE(served.until([&] { return reader.lines().size() == 1; }));
  CHECK(reader.lines()[0]["status"]["instances"].size() == 1020);
}

TEST_CASE("the end of the server ends its connections and removes its file") {
  Served served;
  Peer peer{served.path};
  REQUIRE(served.until([&] { return served.io.poll() == 0; }));

  served.server.reset();

  CHECK(peer.hung_up());
  CHECK_FALSE(std::filesystem::exists(served.path));
}

TEST_CASE("once the server has ended no handler is called, whatever was under way") {
  Served served;
  Peer peer{served.path};
  peer.say(std::string{kStatus} + kStatus + kStatus);
  for (int steps = GENERATE(range(0, 12)); steps > 0; --steps) {
    served.io.restart();
    served.io.run_one_for(5ms);
  }
  const int before = served.daemon.calls;

  served.server.reset();

  served.io.restart();
  served.io.run();
  CHECK(served.daemon.calls == before);
}

TEST_CASE("a server may be replaced by its own reload") {
  TemporaryDirectory directory;
  const std::string path = directory / "control.sock";
  boost::asio::io_context io{1};
  std::unique_ptr<ControlServer> server;
  bool reloaded = false;
  ControlHandlers handlers{[] { return Status{}; },
                           [&](std::optional<Duration>) {
                             server.reset();
                             reloaded = true;
                             return ReloadOutcome{true, {}, {}};
                           },
                           [] { return false; }};
  server = std::move(*ControlServer::open(io, path, "", handlers));
  Peer peer{path};
  peer.say("{\"command\": \"reload\"}\n");

  CHECK(poll_until(io, [&] { return reloaded && peer.hung_up(); }));
  io.restart();
  io.run();
}

// ---- the file ----

mode_t mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

gid_t group_of(const std::string& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_gid;
}

/// Opens a server that must not come to be, and returns why it did not.
std::string refusal(const std::string& path) {
  boost::asio::io_context io{1};
  test::Daemon daemon;
  const auto server = ControlServer::open(io, path, "", daemon.handlers());
  REQUIRE_FALSE(server);
  return server.error().message();
}

TEST_CASE("the socket has mode 0660 and its directory 0755, whatever the umask") {
  const mode_t before = umask(GENERATE(0U, 077U));
  const Served served;
  umask(before);

  CHECK(mode_of(served.path) == 0660);
  CHECK(mode_of(served.directory / "run") == 0755);
}

TEST_CASE("the socket belongs to the group if there is one") {
  TemporaryDirectory directory;
  boost::asio::io_context io{1};
  test::Daemon daemon;
  const auto open = [&](const std::string& path, const std::string& group) {
    auto server = ControlServer::open(io, path, group, daemon.handlers());
    REQUIRE(server);
    return std::move(*server);
  };
  const auto plain = open(directory / "a", "no-such-group");
  CHECK(group_of(directory / "a") == getegid());
  CHECK(plain->warning().empty());

  const group* const daemons = getgrnam("daemon");
  REQUIRE(daemons != nullptr);
  const gid_t gid = daemons->gr_gid;
  const auto given = open(directory / "b", "daemon");
  if (geteuid() == 0) {
    CHECK(group_of(directory / "b") == gid);
    CHECK(given->warning().empty());
  } else {
    CHECK(given->warning().find("to group daemon: Operation not permitted") != std::string::npos);
  }
}

TEST_CASE("a socket file that nobody serves any more is replaced") {
  Served served;
  const std::string path = served.directory / "stale.sock";
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(close(fd) == 0);
  REQUIRE(std::filesystem::exists(path));

  const auto server = ControlServer::open(served.io, path, "", served.daemon.handlers());

  REQUIRE(server);
  Peer peer{path};
  peer.say(kStatus);
  CHECK(served.until([&] { return peer.lines().size() == 1; }));
}

TEST_CASE("a socket that is served is left alone, even while its queue is full") {
  Served served;
  CHECK(refusal(served.path).find(served.path + ".lock, which process ") != std::string::npos);
  SECTION("and while nobody holds the lock any more") {
    REQUIRE(std::filesystem::remove(served.path + ".lock"));
    CHECK(refusal(served.path) ==
          "listen on " + served.path + ", which another process serves: Address already in use");
  }

  const std::string path = served.directory / "busy.sock";
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  const sockaddr_un address = address_of(path);
  REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(listen(fd, 0) == 0);
  Peer waiting{path};
  CHECK(refusal(path).find("another process serves") != std::string::npos);
  close(fd);

  Peer peer{served.path};
  peer.say(kStatus);
  CHECK(served.until([&] { return peer.lines().size() == 1; }));
}

TEST_CASE("what is not a socket is not removed") {
  TemporaryDirectory directory;
  const std::string path = directory / "precious";
  std::ofstream{path} << "data";

  CHECK(refusal(path) == "listen on " + path + ", which is not a socket: File exists");
  CHECK(std::filesystem::file_size(path) == 4);
}

TEST_CASE("a file that took the socket's place is not removed") {
  Served served;
  REQUIRE(unlink(served.path.c_str()) == 0);
  std::ofstream{served.path} << "data";

  served.server.reset();

  CHECK(std::filesystem::exists(served.path));
}

TEST_CASE("a path that cannot be a socket is refused with the reason") {
  TemporaryDirectory directory;
  CHECK(refusal(directory / std::string(120, 'x')).find("File name too long") != std::string::npos);
  CHECK(refusal(directory / "a/b/control.sock").find("create ") == 0);
  CHECK(refusal("").find("No such file") != std::string::npos);
}

TEST_CASE("children do not inherit the sockets") {
  Served served;
  Peer peer{served.path};
  peer.say(kStatus);
  REQUIRE(served.until([&] { return peer.lines().size() == 1; }));

  int sockets = 0;
  for (int fd = 3; fd < 64; ++fd) {
    struct stat found {};
    if (fstat(fd, &found) != 0 || !S_ISSOCK(found.st_mode)) continue;
    ++sockets;
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(sockets == 3);
}

}  // namespace
}  // namespace ha::vrrp
