#include "vrrpd/ctl/connection.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ha::ctl {
namespace {

using namespace std::chrono_literals;

/// A socket that is listened on, in a directory of its own.
class Listener {
 public:
  Listener() {
    fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd_, 8) == 0);
  }
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void stop() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void unlink_file() const { unlink(path_.c_str()); }

  /// Accepts one connection in another thread, reads a line from it, sends `parts` and closes.
  /// Returns the line.
  [[nodiscard]] std::string serve(const std::vector<std::string>& parts,
                                  const std::function<void()>& meanwhile) const {
    std::string line;
    std::thread server{[&] {
      const int client = accept(fd_, nullptr, nullptr);
      for (char c = 0; recv(client, &c, 1, 0) == 1 && c != '\n';) line += c;
      for (const std::string& part : parts) send(client, part.data(), part.size(), MSG_NOSIGNAL);
      close(client);
    }};
    meanwhile();
    server.join();
    return line;
  }

 private:
  test::TemporaryDirectory directory_;
  std::string path_ = directory_ / "control.sock";
  int fd_ = -1;
};

TEST_CASE("a request is sent as a line and its answer comes back without the line end") {
  Listener listener;
  const std::string big(3'000'000, 'x');
  Result<std::string> answer;

  const std::string request = listener.serve({"{\"ok\":", "true}", big, "\nmore"}, [&] {
    answer = ask(listener.path(), "{\"command\":\"status\"}", 10s);
  });

  CHECK(request == "{\"command\":\"status\"}");
  REQUIRE(answer);
  CHECK(*answer == "{\"ok\":true}" + big);
}

TEST_CASE("an answer that breaks off is an error") {
  Listener listener;
  Result<std::string> answer;
  (void)listener.serve({"{\"ok\":tr"}, [&] { answer = ask(listener.path(), "x", 10s); });

  REQUIRE_FALSE(answer);
  CHECK(answer.error().message() ==
        listener.path() + ": the connection ended before the answer was complete");
}

TEST_CASE("a daemon that accepts and does not answer costs no more than the patience") {
  Listener listener;
  const auto start = std::chrono::steady_clock::now();

  const Result<std::string> answer = ask(listener.path(), "{}", 100ms);

  const auto took = std::chrono::steady_clock::now() - start;
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message() == "vrrpd does not answer on " + listener.path() +
                                        " within 0.1 s; it hangs, or too many others ask");
  CHECK(took >= 100ms);
  CHECK(took < 5s);
}

TEST_CASE("a daemon whose queue is full costs no more than the patience") {
  Listener listener;
  std::vector<int> waiting;
  for (int i = 0; i < 9; ++i) {
    waiting.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    listener.path().copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(connect(waiting.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
  }

  const Result<std::string> answer = ask(listener.path(), "{}", 100ms);

  REQUIRE_FALSE(answer);
  CHECK(answer.error().message().find("does not answer") != std::string::npos);
  for (const int fd : waiting) close(fd);
}

TEST_CASE("without a daemon the error says what to look at") {
  Listener listener;
  listener.stop();
  CHECK(ask(listener.path(), "{}", 10s).error().message() ==
        "no daemon: nobody serves " + listener.path() + " any more; vrrpd is not running");

  listener.unlink_file();
  CHECK(ask(listener.path(), "{}", 10s).error().message() ==
        "no daemon: " + listener.path() +
            " does not exist; is vrrpd running, or is its socket elsewhere (--socket)?");

  CHECK(ask(std::string(200, 'x'), "{}", 10s).error().message().find("File name too long") !=
        std::string::npos);
}

}  // namespace
}  // namespace ha::ctl
