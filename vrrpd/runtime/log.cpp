#include "vrrpd/runtime/log.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace ha::vrrp {
namespace {

/// A pipe that polls writable takes this much without blocking (PIPE_BUF); longer lines are cut.
constexpr std::size_t kLineMax = 4096;

std::string timestamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / 1'000'000);
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "error";
}

/// syslog(3) severity, which the journal takes from a "<6>" in front of a line (sd-daemon(3)).
int severity_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return 7;
    case LogLevel::kInfo:
      return 6;
    case LogLevel::kWarning:
      return 4;
    case LogLevel::kError:
      return 3;
  }
  return 3;
}

std::string json_string(std::string_view text) {
  std::string quoted{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool write_without_blocking(std::string_view line) {
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  if (poll(&writable, 1, 0) != 1 || (writable.revents & POLLOUT) == 0) return false;
  const ssize_t sent = send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return true;
  return errno == ENOTSOCK && ::write(STDERR_FILENO, line.data(), line.size()) >= 0;
}

}  // namespace

void Log::release() {
  held_ = false;
  for (const auto& [level, message] : waiting_) emit(level, message);
  waiting_.clear();
}

void Log::emit(LogLevel level, std::string_view message) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (dropped_ > 0) {
    const std::string note = fmt::format("{} log lines were lost: nobody read them\n", dropped_);
    if (write_without_blocking(note)) dropped_ = 0;
  }
  std::string line;
  if (journal) line = fmt::format("<{}>", severity_of(level));
  if (config_.format == LogFormat::kJson) {
    line += fmt::format(R"({{"time":"{}","level":"{}","message":{}}})", timestamp(), name_of(level),
                        json_string(message));
  } else if (journal) {
    line += message;
  } else {
    line += fmt::format("{} {}", timestamp(), message);
  }
  if (line.size() >= kLineMax) line.resize(kLineMax - 1);
  line += '\n';
  if (!write_without_blocking(line)) ++dropped_;
}

}  // namespace ha::vrrp
