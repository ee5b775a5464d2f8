/// `vrrpctl events`: from the daemon's answers to lines. Pure, but that a time span is counted back
/// from the `now` it is given.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "vrrpd/ctl/render.hpp"

namespace ha::ctl {

/// The earliest time that is wanted, written as the events' own: "2026-01-07T10:15:00.000Z". `text`
/// is such a time itself, also without its end ("2026-01-07T10"), or a span before `now` such as
/// 90s, 10m or 24h; empty: all. The error is the end of a sentence.
[[nodiscard]] tl::expected<std::string, std::string> parse_since(
    const std::string& text, std::chrono::system_clock::time_point now);

/// Some events, and where to go on.
struct EventsPart {
  Output output;
  std::string last;  ///< for the next request; empty if the answer was none
};

/// The events of `answer` that are not before `since`, one a line:
///   2026-01-07T10:15:00.123Z VI_MAIN master, priority 60 = 110 - 50 (haproxy): …
///   2026-01-07T10:15:00.123Z haproxy: …
/// With Form::kJson each is an object on a line of its own.
[[nodiscard]] EventsPart present_events(std::string_view answer, const std::string& since,
                                        Form form);

}  // namespace ha::ctl
