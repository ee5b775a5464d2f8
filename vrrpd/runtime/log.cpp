#include "vrrpd/runtime/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
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

tm local_time() {
  const std::time_t now = std::time(nullptr);
  tm parts{};
  localtime_r(&now, &parts);
  return parts;
}

/// "Wed Jan  7 10:15:00 2026", as keepalived's lines begin.
std::string date() {
  const tm parts = local_time();
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a %b %e %H:%M:%S %Y", &parts)};
}

/// "Jan  7 10:15:00", as lines for syslog begin.
std::string syslog_date() {
  const tm parts = local_time();
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%b %e %H:%M:%S", &parts)};
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

Descriptor connect_to_syslog() {
  Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view kPath = "/dev/log";
  kPath.copy(address.sun_path, sizeof address.sun_path - 1);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom
  const auto* const target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket.get(), target, sizeof address) != 0) return {};
  return socket;
}

/// Ours alone, so that nobody else chooses what we write to.
Descriptor open_log_file(const std::string& path) {
  constexpr mode_t kMode = 0600;
  Descriptor file{::open(
      path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kMode)};
  struct stat status {};
  const bool is_ours = file.get() >= 0 && ::fstat(file.get(), &status) == 0 &&
                       S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
  return is_ours ? std::move(file) : Descriptor{};
}

}  // namespace

void Log::direct(LogTarget target) {
  target_ = std::move(target);
  syslog_ = {};
  file_ = target_.file.empty() ? Descriptor{} : open_log_file(target_.file);
}

void Log::release() {
  held_ = false;
  for (const auto& [level, message] : waiting_) emit(level, message);
  waiting_.clear();
}

void Log::emit(LogLevel level, std::string_view message) {
  if (target_.to_console) emit_to_console(level, message);
  if (target_.syslog_facility) emit_to_syslog(level, message);
  if (file_.get() < 0) return;
  const std::string line = fmt::format("{}: {}\n", date(), message);
  if (::write(file_.get(), line.data(), line.size()) < 0) ++dropped_;
}

void Log::emit_to_syslog(LogLevel level, std::string_view message) {
  if (syslog_.get() < 0) syslog_ = connect_to_syslog();
  const int priority = *target_.syslog_facility * 8 + severity_of(level);
  std::string line = fmt::format("<{}>{} {}[{}]: {}", priority, syslog_date(), target_.identity,
                                 ::getpid(), message);
  if (line.size() > kLineMax) line.resize(kLineMax);
  if (::send(syslog_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
  ++dropped_;
  if (errno != EAGAIN) syslog_ = {};  // it may have been started anew
}

void Log::emit_to_console(LogLevel level, std::string_view message) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  if (dropped_ > 0) {
    const std::string note = fmt::format("{} log lines were lost: nobody read them\n", dropped_);
    if (write_without_blocking(note)) dropped_ = 0;
  }
  std::string line;
  if (journal) line = fmt::format("<{}>", severity_of(level));
  if (target_.style == LogTarget::Style::kKeepalived) {
    line += fmt::format("{}: {}", date(), message);
  } else if (config_.format == LogFormat::kJson) {
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
