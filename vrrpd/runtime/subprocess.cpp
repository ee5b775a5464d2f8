#include "vrrpd/runtime/subprocess.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "vrrpd/kernel/descriptor.hpp"
#include "vrrpd/runtime/child.hpp"
#include "vrrpd/runtime/stall.hpp"

#include <fcntl.h>

namespace ha::vrrp {
namespace {

/// What the child has left in its pipe.
std::string read_report(int descriptor) {
  std::string text(Subprocesses::kAnswerSizeBytesMax, '\0');
  const ssize_t size = ::read(descriptor, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

/// fork() with all signals blocked in the child. A signal that came for the child while it still
/// has the daemon's handlers would reach the daemon, through the pipe in which those handlers note
/// it.
pid_t fork_quietly() {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int reason = errno;
  if (pid != 0) ::sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = reason;
  return pid;
}

Ended ended_as(const siginfo_t& info, bool is_work, std::string report) {
  if (!is_work && !report.empty()) return {Ended::Kind::kNotStarted, 0, std::move(report)};
  const bool exited = info.si_code == CLD_EXITED;
  return {exited ? Ended::Kind::kExited : Ended::Kind::kSignalled, info.si_status,
          std::move(report)};
}

}  // namespace

struct Subprocesses::Child {
  enum class Phase : std::uint8_t { kRunning, kAskedToEnd, kKilled };

  Child(boost::asio::io_context& io, pid_t process, int process_descriptor)
      : pid{process}, end{io, process_descriptor}, timer{io} {}

  pid_t pid;
  boost::asio::posix::stream_descriptor end;  ///< readable when it has ended
  boost::asio::steady_timer timer;
  Duration timeout{};
  Descriptor report;
  OnEnd on_end;  ///< empty: nobody wants to know any more
  bool is_work = false;
  bool dies_with_us = false;
  Phase phase = Phase::kRunning;
};

std::string to_string(const Ended& ended) {
  switch (ended.kind) {
    case Ended::Kind::kExited:
      return fmt::format("exited with status {}", ended.value);
    case Ended::Kind::kSignalled:
      return fmt::format("ended by signal {}", ended.value);
    case Ended::Kind::kTimedOut:
      return "took too long";
    case Ended::Kind::kNotStarted:
      return ended.text;
  }
  return {};
}

Subprocesses::Subprocesses(boost::asio::io_context& io)
    : io_{io}, alive_{std::make_shared<char>()} {}

Subprocesses::~Subprocesses() {
  for (const auto& [id, child] : children_) {
    if (child->dies_with_us) ::kill(-child->pid, SIGKILL);
  }
}

Subprocesses::Id Subprocesses::start(Launch launch, OnEnd on_end) {
  const Duration timeout = launch.command.timeout;
  const bool dies_with_us = launch.dies_with_us;
  return fork_child([&launch](int report) { execute(launch, report); }, timeout, dies_with_us,
                    false, std::move(on_end));
}

Subprocesses::Id Subprocesses::start(Work work, Duration timeout, OnEnd on_end) {
  return fork_child([&work](int report) { answer(work, report); }, timeout, true, true,
                    std::move(on_end));
}

Subprocesses::Id Subprocesses::fork_child(const std::function<void(int report)>& in_child,
                                          Duration timeout, bool dies_with_us, bool is_work,
                                          OnEnd on_end) {
  const Id id = ++last_id_;
  if (children_.size() >= kChildrenMax) {
    refuse(fmt::format("{} commands are running already", kChildrenMax), std::move(on_end));
    return id;
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    refuse(fmt::format("make a pipe: {}", std::strerror(errno)), std::move(on_end));
    return id;
  }
  Descriptor report{ends[0]};
  const Descriptor child_report{ends[1]};
  const pid_t parent = ::getpid();
  const pid_t pid = fork_quietly();
  if (pid == 0) {
    prepare_child(dies_with_us, parent);
    in_child(child_report.get());
    ::_exit(kExitNotStarted);
  }
  if (pid < 0) {
    refuse(fmt::format("start a process: {}", std::strerror(errno)), std::move(on_end));
    return id;
  }
  // Both do it, so that it is done before either goes on.
  ::setpgid(pid, pid);
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) {
    const int reason = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    refuse(fmt::format("watch a process: {}", std::strerror(reason)), std::move(on_end));
    return id;
  }
  auto child = std::make_unique<Child>(io_, pid, process);
  child->report = std::move(report);
  child->on_end = std::move(on_end);
  child->is_work = is_work;
  child->dies_with_us = dies_with_us;
  child->timeout = timeout;
  Child& started = *child;
  children_.emplace(id, std::move(child));
  if (timeout > Duration::zero()) arm(id, started, timeout);
  wait(id);
  return id;
}

void Subprocesses::refuse(std::string reason, OnEnd on_end) {
  boost::asio::post(io_, [alive = std::weak_ptr<void>{alive_}, reason = std::move(reason),
                          on_end = std::move(on_end)] {
    if (!alive.expired()) on_end({Ended::Kind::kNotStarted, 0, reason});
  });
}

void Subprocesses::wait(Id id) {
  children_.at(id)->end.async_wait(
      boost::asio::posix::stream_descriptor::wait_read,
      [this, id, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
        if (!error && !alive.expired()) reap(id);
      });
}

void Subprocesses::reap(Id id) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  // What is left of a group that had its time. Its number is its own until its leader is reaped.
  if (child.phase != Child::Phase::kRunning) ::kill(-child.pid, SIGKILL);
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG) == 0 &&
      info.si_pid == 0) {
    return wait(id);
  }
  const Ended ended = child.phase == Child::Phase::kRunning
                          ? ended_as(info, child.is_work, read_report(child.report.get()))
                          : Ended{Ended::Kind::kTimedOut, 0, {}};
  const OnEnd on_end = std::move(child.on_end);
  children_.erase(found);
  if (on_end) on_end(ended);
}

void Subprocesses::arm(Id id, Child& child, Duration after) {
  child.timer.expires_after(after);
  child.timer.async_wait(
      [this, id, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
        if (!error && !alive.expired()) time_is_up(id);
      });
}

void Subprocesses::time_is_up(Id id) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  const bool unfair = stood_still(child.timer.expiry(), std::chrono::steady_clock::now());
  if (child.phase == Child::Phase::kRunning && unfair) return arm(id, child, child.timeout);
  lose_patience(id);
}

void Subprocesses::lose_patience(Id id) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  Child& child = *found->second;
  switch (child.phase) {
    case Child::Phase::kRunning:
      child.phase = Child::Phase::kAskedToEnd;
      ::kill(-child.pid, SIGTERM);
      ::kill(-child.pid, SIGCONT);  // a stopped one would not hear it
      return arm(id, child, kPatience);
    case Child::Phase::kAskedToEnd:
      child.phase = Child::Phase::kKilled;
      ::kill(-child.pid, SIGKILL);
      return arm(id, child, kPatience);
    case Child::Phase::kKilled:
      // It hangs in the kernel. It goes on counting as a child until it is gone.
      if (const OnEnd on_end = std::exchange(child.on_end, {})) {
        on_end({Ended::Kind::kTimedOut, 0, {}});
      }
      return;
  }
}

void Subprocesses::abandon(Id id) {
  const auto found = children_.find(id);
  if (found == children_.end()) return;
  found->second->on_end = {};
  if (found->second->phase == Child::Phase::kRunning) lose_patience(id);
}

}  // namespace ha::vrrp
