#include "vrrpd/guard/guard.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace ha::vrrp {
namespace {

sigset_t awaited_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  for (const int signal : dump_signals()) ::sigaddset(&signals, signal);
  return signals;
}

[[noreturn]] void run_engine(const Ward& ward, pid_t guard) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != guard) std::_Exit(1);  // it died before we asked
  std::exit(ward.engine());
}

/// Waits until the engine is gone, passing signals on. Returns its status as waitpid() gives it.
int attend(pid_t engine) {
  const sigset_t signals = awaited_signals();
  for (;;) {
    int signal = 0;
    ::sigwait(&signals, &signal);  // fails only for a set without a valid signal
    if (signal != SIGCHLD) {
      ::kill(engine, signal);
      continue;
    }
    int status = 0;
    // Stopped and continued ones are not reported.
    if (::waitpid(engine, &status, WNOHANG) == engine) return status;
  }
}

}  // namespace

int guard(Log& log, const Ward& ward) {
  const sigset_t signals = awaited_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  const pid_t self = ::getpid();
  bool is_successor = false;
  for (std::optional<TimePoint> last_death;;) {
    const pid_t engine = ::fork();
    if (engine == 0) run_engine(ward, self);
    if (engine < 0) {
      log.error("cannot start the engine: {}", std::strerror(errno));
      if (is_successor) ward.last_will();
      return 1;
    }
    if (ward.started) ward.started(engine);
    const int status = attend(engine);
    if (WIFEXITED(status)) {
      // It has let go by itself, unless it could not even take over.
      if (is_successor && WEXITSTATUS(status) != 0) ward.last_will();
      return WEXITSTATUS(status);
    }
    const TimePoint now = std::chrono::steady_clock::now();
    ward.died();
    const char* const cause = ::strsignal(WTERMSIG(status));
    if (!ward.restarts || !may_restart(last_death, now)) {
      log.error("the engine (process {}) died{}: {}; letting go", engine,
                is_successor ? " again" : "", cause);
      ward.last_will();
      return 1;
    }
    log.error("the engine (process {}) died: {}; starting it again", engine, cause);
    last_death = now;
    is_successor = true;
  }
}

std::array<int, 4> dump_signals() { return {SIGUSR1, SIGUSR2, SIGRTMIN + 2, SIGRTMAX - 1}; }

void accept_signals() {
  const sigset_t signals = awaited_signals();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace ha::vrrp
