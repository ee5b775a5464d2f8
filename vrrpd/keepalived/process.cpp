#include "vrrpd/keepalived/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "vrrpd/kernel/descriptor.hpp"

namespace ha::keepalived {
namespace {

using vrrp::Descriptor;

constexpr mode_t kPidFileMode = 0644;
constexpr std::size_t kShortFileSizeMax = 64;

/// The beginning of a file; empty if it cannot be read.
[[nodiscard]] std::string beginning_of(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  std::array<char, kShortFileSizeMax> bytes{};
  const ssize_t got = file.get() < 0 ? -1 : ::read(file.get(), bytes.data(), bytes.size());
  return got > 0 ? std::string{bytes.data(), static_cast<std::size_t>(got)} : std::string{};
}

/// 0 if it holds no number.
[[nodiscard]] pid_t pid_in(const std::string& path) {
  const long number = std::strtol(beginning_of(path).c_str(), nullptr, 10);
  return number > 0 && number <= INT32_MAX ? static_cast<pid_t>(number) : 0;
}

[[nodiscard]] Result<void> write_all(int descriptor, std::string_view content,
                                     const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno, path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void forget_terminal() {
  const Descriptor null{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    ::dup2(null.get(), standard);
  }
}

/// The parent's way out: nothing of it is to be cleaned up, since the child goes on with it.
[[nodiscard]] Result<void> fork_away() {
  const pid_t child = ::fork();
  if (child < 0) return failure(errno, "fork");
  if (child > 0) ::_exit(0);
  return {};
}

}  // namespace

Result<void> daemonise() {
  if (auto forked = fork_away(); !forked) return forked;
  ::setsid();
  // Who leads no session gets no terminal by opening one.
  if (auto forked = fork_away(); !forked) return forked;
  if (::chdir("/") != 0) return failure(errno, "/");
  forget_terminal();
  return {};
}

Result<void> write_pid_file(const std::string& path) {
  const Descriptor file{::open(path.c_str(),
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                               kPidFileMode)};
  if (file.get() < 0) return failure(errno, path);
  return write_all(file.get(), fmt::format("{}\n", ::getpid()), path);
}

pid_t running_process(const std::string& path) {
  const pid_t pid = pid_in(path);
  if (pid == 0 || pid == ::getpid() || (::kill(pid, 0) != 0 && errno == ESRCH)) return 0;
  const std::string name = beginning_of(fmt::format("/proc/{}/comm", pid));
  const bool is_one =
      name.find("keepalived") != std::string::npos || name.find("vrrpd") != std::string::npos;
  return is_one ? pid : 0;
}

void remove_pid_file(const std::string& path) {
  if (pid_in(path) == ::getpid()) ::unlink(path.c_str());
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file{::mkostemp(temporary.data(), O_CLOEXEC)};  // mode 0600
  if (file.get() < 0) return failure(errno, temporary);
  auto done = write_all(file.get(), content, temporary);
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = failure(errno, path);
  if (!done) ::unlink(temporary.c_str());
  return done;
}

Result<void> replace_file_aside(const std::string& path, std::string_view content) {
  const pid_t child = ::fork();
  if (child < 0) return failure(errno, "fork");
  if (child == 0) {
    // A child of its own, for which nobody has to wait.
    if (::fork() == 0) static_cast<void>(replace_file(path, content));
    ::_exit(0);
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return {};
}

Result<void> enter_network_namespace(const std::string& name) {
  const std::string path = "/run/netns/" + name;
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0 || ::setns(file.get(), CLONE_NEWNET) != 0) return failure(errno, path);
  return {};
}

}  // namespace ha::keepalived
