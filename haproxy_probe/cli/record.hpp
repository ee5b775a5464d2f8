/// The history that `haproxy-probe --watch --json` writes and `--replay` reads: one JSON object a
/// line, one line for each time HAProxy was heard, or not.
///
///     {"time": "2026-01-07T10:15:00.250Z", "event": "answer",
///      "teams": [{"name": "devops", "up": 1, "servers": 1, "healthy": true}],
///      "verdict": "healthy", "servers-up": 1, "servers": 1, "percentage": 100,
///      "healthy-teams": 1, "grace-remaining-ms": 0, "reason": "NO FAILOVER: …"}
///
/// `event` is "answer", "unusable" or "gone", the latter two with a `cause`; or "time" where only
/// time has passed and changed something. To replay a line needs `time`, `event`, and `teams` (with
/// `name`, `up` and `servers`) or `cause`; anything else in it is for people. Times never go back.
///
/// Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "haproxy_probe/evaluator.hpp"

namespace ha::probe::cli {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// What a line may have at most; a longer one is refused.
inline constexpr std::size_t kLineBytesMax = 1024 * 1024;

/// "2026-01-07T10:15:00.250Z".
[[nodiscard]] std::string to_text(WallTime time);

/// Reads the same, of the years 1970 to 2199; the fraction may be missing or have up to nine
/// digits.
[[nodiscard]] tl::expected<WallTime, std::string> parse_time(std::string_view text);

/// One line, without its end: what happened at `time`, and what was thought of it then. `now` is
/// the same moment for `report`.
[[nodiscard]] std::string line_of(WallTime time, TimePoint now, const Event& event,
                                  const Report& report);

struct Recorded {
  WallTime time;
  Event event;  ///< an answer's servers are each in a backend with its team's name
};

/// Reads a line that line_of() wrote, or that says enough. An error is one sentence: "no event".
[[nodiscard]] tl::expected<Recorded, std::string> parse_line(std::string_view line);

}  // namespace ha::probe::cli
