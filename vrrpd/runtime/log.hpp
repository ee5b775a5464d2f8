/// Log lines to standard error, which under systemd is the journal, or to where keepalived's go.
///
/// Writing never blocks: a line that the reader of a pipe has left no room for is dropped and
/// counted, since a stuck log collector must not cost an address.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ha/types.hpp"
#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {

/// Where lines go, and how they begin there.
struct LogTarget {
  enum class Style : std::uint8_t {
    kOwn,         ///< "2026-01-07T10:15:00.123Z ", or what the journal and `format` ask for
    kKeepalived,  ///< "Wed Jan  7 10:15:00 2026: ", as keepalived prints
  };
  bool to_console = true;  ///< standard error
  Style style = Style::kOwn;
  std::optional<int> syslog_facility;  ///< to /dev/log, with the facility's number (RFC 5424)
  std::string identity;                ///< the name in syslog
  std::string file;                    ///< empty: none
};

class Log {
 public:
  Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void configure(const LogConfig& config) { config_ = config; }

  /// A file that cannot be opened, or belongs to somebody else, is left out.
  void direct(LogTarget target);

  /// Keeps lines until release(), so that packets leave before anybody is told about them.
  void hold() { held_ = true; }
  void release();

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kError, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (level < config_.level) return;
    std::string message = fmt::format(format, std::forward<Args>(args)...);
    if (held_) {
      waiting_.emplace_back(level, std::move(message));
    } else {
      emit(level, message);
    }
  }
  void emit(LogLevel level, std::string_view message);
  void emit_to_console(LogLevel level, std::string_view message);
  void emit_to_syslog(LogLevel level, std::string_view message);

  LogConfig config_;
  LogTarget target_;
  Descriptor syslog_;
  Descriptor file_;
  std::uint64_t dropped_ = 0;
  bool held_ = false;
  std::vector<std::pair<LogLevel, std::string>> waiting_;
};

/// Lets the first of many equal lines through, then one a minute with the number of those left out.
class Throttle {
 public:
  /// Whether to log now; then `suppressed()` is how many were left out since the last one.
  [[nodiscard]] bool admit(TimePoint now) {
    if (now < quiet_until_) {
      ++left_out_;
      return false;
    }
    quiet_until_ = now + kQuiet;
    suppressed_ = left_out_;
    left_out_ = 0;
    return true;
  }
  /// "" or " (12 more like this left out)".
  [[nodiscard]] std::string suffix() const {
    return suppressed_ == 0 ? std::string{}
                            : fmt::format(" ({} more like this left out)", suppressed_);
  }

 private:
  static constexpr Duration kQuiet = std::chrono::minutes{1};
  TimePoint quiet_until_{};
  std::uint32_t left_out_ = 0;
  std::uint32_t suppressed_ = 0;
};

}  // namespace ha::vrrp
