/// What outsiders answer to probes, read: the first line of an HTTP response, the number in a file,
/// a process's command line. Pure; all accept any bytes.
#pragma once

#include <optional>
#include <string_view>

#include "vrrpd/checks/config.hpp"

namespace ha::checks {

/// The longest status line that is read.
inline constexpr std::size_t kStatusLineSizeBytesMax = 256;

/// The status code, 100-999, at the beginning of a response of HTTP/1.0 or 1.1 (RFC 9112 section
/// 4); nothing if it is none.
[[nodiscard]] std::optional<int> parse_status_code(std::string_view response);

/// Numbers beyond that are not accepted; products with any weight still fit into 32 bits.
inline constexpr int kNumberMax = 1'000'000;

/// The whole number, with or without a sign, that is the first line of `text`, but for blanks
/// around it; no text is 0. Nothing if it is something else or not in ±kNumberMax.
[[nodiscard]] std::optional<int> parse_number(std::string_view text);

/// Whether a process with this command line, as in /proc/PID/cmdline (each word ends with a zero
/// byte), is one that `probe` means; its match is not kAny.
[[nodiscard]] bool matches(const ProcessProbe& probe, std::string_view command_line);

}  // namespace ha::checks
