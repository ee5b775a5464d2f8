#include "sync/children.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <utility>

#include "sync/files.hpp"

namespace ha::sync {
namespace {

namespace asio = boost::asio;
using Stream = asio::posix::stream_descriptor;

/// For a killed process to end.
constexpr Duration kPatienceWithTheDead = std::chrono::seconds{2};

[[nodiscard]] Result<File> input_of(const std::string& text) {
  File file{memfd_create("input", MFD_CLOEXEC)};
  if (file.get() < 0) return failure(errno, "create the input of a child");
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(file.get(), rest.data(), rest.size());
    if (written < 0) return failure(errno, "write the input of a child");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return failure(errno, "rewind the input of a child");
  return file;
}

[[nodiscard]] Result<pid_t> spawn(const std::vector<std::string>& words, int input, int output) {
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t signals{};
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> argv;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): posix_spawnp() does not change them
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, words.front().c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return failure(error, "start " + words.front());
  return pid;
}

}  // namespace

struct Children::Child {
  Child(asio::io_context& io, pid_t process, int pidfd, int output, Launch what)
      : pid{process}, ended{io, pidfd}, words{io, output}, timer{io}, launch{std::move(what)} {}

  pid_t pid;
  Stream ended;
  Stream words;
  asio::steady_timer timer;
  Launch launch;
  bool killed = false;
  bool given_up = false;
  std::string unread;
  std::array<char, 16384> chunk{};

  void take(std::size_t size) {
    unread.append(chunk.data(), size);
    std::size_t start = 0;
    for (std::size_t end = unread.find('\n'); end != std::string::npos;
         end = unread.find('\n', start)) {
      if (launch.on_line) launch.on_line(std::string_view{unread}.substr(start, end - start));
      start = end + 1;
    }
    unread.erase(0, start);
    if (unread.size() > kLineSizeBytesMax) unread.clear();
  }
};

Children::Children(asio::io_context& io) : io_{io} {}

Children::~Children() {
  for (const auto& [id, child] : children_) ::kill(child->pid, SIGKILL);
}

Result<Children::Id> Children::start(Launch launch) {
  const auto input = input_of(launch.input);
  if (!input) return tl::make_unexpected(input.error());
  std::array<int, 2> pipe{};
  if (pipe2(pipe.data(), O_CLOEXEC) != 0) return failure(errno, "create a pipe for a child");
  const File write_end{pipe[1]};
  const auto pid = spawn(launch.words, input->get(), write_end.get());
  if (!pid) {
    close(pipe[0]);
    return tl::make_unexpected(pid.error());
  }
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, *pid, 0));
  if (pidfd < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    waitpid(*pid, nullptr, 0);
    close(pipe[0]);
    return failure(error, "watch a child");
  }
  const Id id = ++last_;
  children_[id] = std::make_unique<Child>(io_, *pid, pidfd, pipe[0], std::move(launch));
  read(id);
  wait(id);
  if (const auto patience = children_[id]->launch.patience) arm(id, *patience);
  return id;
}

void Children::read(Id id) {
  Child& child = *children_.find(id)->second;
  child.words.async_read_some(asio::buffer(child.chunk),
                              [this, id](const boost::system::error_code& error, std::size_t size) {
                                if (error == asio::error::operation_aborted) return;
                                const auto found = children_.find(id);
                                if (found == children_.end() || error) return;
                                found->second->take(size);
                                read(id);
                              });
}

void Children::wait(Id id) {
  children_.find(id)->second->ended.async_wait(Stream::wait_read,
                                               [this, id](const boost::system::error_code& error) {
                                                 if (!error && children_.count(id) != 0) end(id);
                                               });
}

void Children::arm(Id id, Duration after) {
  Child& child = *children_.find(id)->second;
  child.timer.expires_after(after);
  child.timer.async_wait([this, id](const boost::system::error_code& error) {
    const auto found = children_.find(id);
    if (error || found == children_.end()) return;
    if (!found->second->killed) {
      kill(id);
      return;
    }
    found->second->given_up = true;
    found->second->launch.on_line = {};
    if (const auto tell = std::exchange(found->second->launch.on_end, {})) tell(std::nullopt);
  });
}

void Children::kill(Id id) {
  const auto found = children_.find(id);
  if (found == children_.end() || found->second->killed) return;
  found->second->killed = true;
  ::kill(found->second->pid, SIGKILL);
  arm(id, kPatienceWithTheDead);
}

void Children::end(Id id) {
  const std::unique_ptr<Child> child = std::move(children_.find(id)->second);
  children_.erase(id);
  int status = 0;
  waitpid(child->pid, &status, 0);  // it has ended: this does not wait
  // What it said last may still be in the pipe, which a process of its own may keep open.
  boost::system::error_code error;
  child->words.non_blocking(true, error);
  while (!error) {
    const std::size_t size = child->words.read_some(asio::buffer(child->chunk), error);
    if (!error) child->take(size);
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (child->launch.on_end) child->launch.on_end(code);
}

}  // namespace ha::sync
