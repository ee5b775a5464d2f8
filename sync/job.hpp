/// What the daemon and its jobs say to each other: the order on a job's standard input, progress
/// and the final report on its output, one JSON object a line. Pure.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>

#include "sync/planner.hpp"
#include "sync/session.hpp"

namespace ha::sync {

/// Paths are bytes, which JSON cannot carry: they are escaped as in a manifest.
[[nodiscard]] std::string to_json(const Order& order);
/// Any bytes.
[[nodiscard]] tl::expected<Order, std::string> parse_order(std::string_view text);

using JobWord = std::variant<Progress, Report>;

[[nodiscard]] std::string to_json(const Progress& progress);
[[nodiscard]] std::string to_json(const Report& report);
/// Any bytes. A hook's words among a job's own are refused as well.
[[nodiscard]] tl::expected<JobWord, std::string> parse_job_word(std::string_view line);

}  // namespace ha::sync
