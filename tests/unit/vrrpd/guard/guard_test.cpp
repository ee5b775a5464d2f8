#include "vrrpd/guard/guard.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <new>

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

/// What the processes of one test tell each other.
struct Tally {
  std::atomic<int> engines{0};
  std::atomic<int> deaths{0};
  std::atomic<int> wills{0};
};

class SharedTally {
 public:
  SharedTally()
      : tally_{::new (::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Tally{}} {}
  SharedTally(const SharedTally&) = delete;
  SharedTally& operator=(const SharedTally&) = delete;
  ~SharedTally() { ::munmap(tally_, sizeof(Tally)); }
  Tally* operator->() const { return tally_; }

 private:
  Tally* tally_;
};

/// The exit status of a guard whose n-th engine does `engine(n)`, counted from 1. In a process of
/// its own, since the guard changes what its process does with signals.
template <class Engine>
int guarded(const SharedTally& tally, Engine engine) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    Log log;
    log.configure({LogLevel::kError, LogFormat::kText});
    ::close(STDERR_FILENO);
    std::_Exit(guard(log, {[&] {
                             accept_signals();
                             return engine(++tally->engines);
                           },
                           [&] { ++tally->deaths; }, [&] { ++tally->wills; }}));
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("an engine that died is started again, unless it died a moment ago") {
  const TimePoint now{1000s};
  CHECK(may_restart(std::nullopt, now));
  CHECK_FALSE(may_restart(now, now));
  CHECK_FALSE(may_restart(now - 10s + 1ns, now));
  CHECK(may_restart(now - 10s, now));
}

TEST_CASE("the guard ends as its engine ends") {
  const SharedTally tally;
  const int status = GENERATE(0, 1, 7);
  CHECK(guarded(tally, [status](int) { return status; }) == status);
  CHECK(tally->engines == 1);
  CHECK(tally->deaths == 0);
  CHECK(tally->wills == 0);
}

TEST_CASE("an engine that is killed has a successor") {
  const SharedTally tally;
  const int signal = GENERATE(SIGKILL, SIGSEGV, SIGABRT);
  CHECK(guarded(tally, [signal](int number) {
          // Catch and the sanitizers have handlers of their own, which an engine has not.
          ::signal(signal, SIG_DFL);
          if (number == 1) ::raise(signal);
          return 0;
        }) == 0);
  CHECK(tally->engines == 2);
  CHECK(tally->deaths == 1);
  CHECK(tally->wills == 0);
}

TEST_CASE("when the successor dies at once, the guard lets go") {
  const SharedTally tally;
  CHECK(guarded(tally, [](int) { return ::raise(SIGKILL); }) == 1);
  CHECK(tally->engines == 2);
  CHECK(tally->deaths == 2);
  CHECK(tally->wills == 1);
}

TEST_CASE("when the successor cannot take over, the guard lets go") {
  const SharedTally tally;
  CHECK(guarded(tally, [](int number) {
          if (number == 1) ::raise(SIGKILL);
          return 3;
        }) == 3);
  CHECK(tally->wills == 1);
}

TEST_CASE("the guard's signals reach the engine, even one that has no handler yet") {
  const SharedTally tally;
  const int status = guarded(tally, [](int) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGHUP);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::kill(::getppid(), SIGHUP);
    int received = 0;
    ::sigwait(&signals, &received);
    return received;
  });
  CHECK(status == SIGHUP);
}

}  // namespace ha::vrrp
