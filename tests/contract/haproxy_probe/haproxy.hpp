/// A real HAProxy with four teams, in a private directory, and ways to harm it.
#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.hpp"

namespace ha::probe::test {

/// A process, with its children in a group of its own, that does not outlive this object.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
      posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_WRONLY, 0);
    }
    const int error = posix_spawnp(&pid_, argv[0], &files, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) throw std::runtime_error{fmt::format("cannot start {}", argv[0])};
  }
  ~Process() {
    if (!has_ended()) {
      kill(-pid_, SIGKILL);
      kill(-pid_, SIGCONT);
      waitpid(pid_, nullptr, 0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { kill(pid_, number); }
  [[nodiscard]] bool has_ended() {
    if (!ended_) ended_ = waitpid(pid_, nullptr, WNOHANG) == pid_;
    return ended_;
  }

 private:
  pid_t pid_ = 0;
  bool ended_ = false;
};

/// The answer to `command`, as much of it as comes without a pause of two seconds, or nothing if
/// nobody listens.
inline std::optional<std::string> ask(const std::string& path, const std::string& command) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{2, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::optional<std::string> answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      write(fd, command.data(), command.size()) == static_cast<ssize_t>(command.size())) {
    answer.emplace();
    std::array<char, 4096> buffer{};
    for (ssize_t length = 0; (length = read(fd, buffer.data(), buffer.size())) > 0;) {
      answer->append(buffer.data(), static_cast<std::size_t>(length));
    }
  }
  close(fd);
  return answer;
}

/// A port of the loopback address that nobody listens on.
inline int free_port(boost::asio::io_context& io) {
  using boost::asio::ip::tcp;
  const tcp::acceptor acceptor{io, {boost::asio::ip::address_v4::loopback(), 0}};
  return acceptor.local_endpoint().port();
}

/// Four teams with one server each, in this process: as long as it listens HAProxy's checks
/// succeed.
class Teams {
 public:
  explicit Teams(boost::asio::io_context& io) {
    using boost::asio::ip::tcp;
    for (std::optional<tcp::acceptor>& server : servers_) {
      server.emplace(io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0});
      // Inherited by HAProxy, the server would go on listening there.
      fcntl(server->native_handle(), F_SETFD, FD_CLOEXEC);
      ports_.push_back(server->local_endpoint().port());
    }
  }
  void stop(std::size_t team) { servers_.at(team).reset(); }

  /// HAProxy's configuration.
  [[nodiscard]] std::string configuration(const ha::test::TemporaryDirectory& directory) const {
    std::string text = fmt::format(
        "global\n"
        "  stats socket {} mode 600 level operator\n"
        "  stats socket {} mode 600 level user\n"
        "  stats socket {} mode 600 level admin\n"
        "  log ring@events local0\n"
        "ring events\n"
        "  size 65536\n"
        "defaults\n"
        "  mode http\n"
        "  log global\n"
        "  timeout connect 1s\n"
        "  timeout client 5s\n"
        "  timeout server 5s\n"
        "  timeout check 5s\n"
        "  default-server check inter 20ms fall 1 rise 1\n",
        directory / "operator.sock", directory / "user.sock", directory / "admin.sock");
    constexpr std::array kNames = {"devops", "ma", "ba", "tw"};
    for (std::size_t team = 0; team < kNames.size(); ++team) {
      text += fmt::format("backend jenkins_backend_{}\n  server vm1 127.0.0.1:{}\n",
                          kNames.at(team), ports_.at(team));
    }
    return text;
  }

 private:
  std::array<std::optional<boost::asio::ip::tcp::acceptor>, 4> servers_;
  std::vector<int> ports_;
};

}  // namespace ha::probe::test
