#include "sync/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>

namespace ha::sync {
namespace {

/// A pipe that can be written to takes this much at once (PIPE_BUF); longer lines are cut.
constexpr std::size_t kLineSizeBytesMax = 4096;

[[nodiscard]] std::string time_now() {
  using namespace std::chrono;
  const auto since = system_clock::now().time_since_epoch();
  const std::time_t seconds = duration_cast<std::chrono::seconds>(since).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     duration_cast<milliseconds>(since).count() % 1000);
}

}  // namespace

void write_log(Severity severity, std::string_view text) {
  // sd-daemon(3): the journal takes the severity from the front of the line.
  static const bool is_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = is_journal ? fmt::format("<{}>{}", static_cast<int>(severity), text)
                                : fmt::format("{} {}", time_now(), text);
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  if (line.size() >= kLineSizeBytesMax) line.resize(kLineSizeBytesMax - 1);
  line += '\n';
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;  // there is nobody to be told
}

}  // namespace ha::sync
