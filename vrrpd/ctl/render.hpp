/// What vrrpctl prints and returns, from what the daemon answered. Pure: the same answer gives the
/// same text.
///
/// Fields that an answer has beyond those used here are ignored, and missing ones are shown as "-",
/// so that the command and the daemon need not be of the same version.
#pragma once

#include <string>
#include <string_view>

namespace ha::ctl {

/// Exit codes, which scripts depend on.
inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;  ///< refused, or the status is unhealthy
inline constexpr int kUsage = 2;
inline constexpr int kNoDaemon = 3;

enum class Command { kStatus, kExplain, kReload, kConfirm, kDrain, kUndrain, kEvents, kCapture };

enum class Form {
  kText,
  kColouredText,
  kJson,  ///< status: the status object; explain: the list of sentences; anything else: the whole
          ///< answer
};

struct Output {
  int exit_code = kDone;
  std::string out;  ///< for standard output, whole lines
  std::string err;  ///< for standard error, whole lines

  friend bool operator==(const Output&, const Output&) = default;
};

/// The line that asks for `command`. `argument` is the instance for explain, where empty means all;
/// for reload the time in which it has to be confirmed, where empty means that it need not be; for
/// events and capture the number after which to begin, where empty means with the first.
[[nodiscard]] std::string request_line(Command command, const std::string& argument);

/// `answer` is the line that came for `command`. A status is unhealthy (kRefused, with the reasons
/// in `err`) while an instance is in fault or has an alarm, or HAProxy's verdict is `unhealthy` or
/// `down` or it has an alarm. Not for drain, events and capture but where they are refused.
[[nodiscard]] Output present(Command command, std::string_view answer, Form form);

}  // namespace ha::ctl
