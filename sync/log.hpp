/// The daemon's log: standard error, which under systemd is the journal.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace ha::sync {

/// As syslog(3) and the journal count them.
enum class Severity : std::uint8_t { kError = 3, kWarning = 4, kInfo = 6 };

/// One line. Never waits: what a reader of a pipe has left no room for is dropped.
void write_log(Severity severity, std::string_view text);

template <class... Args>
void log_line(Severity severity, fmt::format_string<Args...> format, Args&&... args) {
  write_log(severity, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace ha::sync
