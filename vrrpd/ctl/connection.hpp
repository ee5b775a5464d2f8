/// One request to the daemon's control socket, and its answer. The only file of vrrpctl that talks
/// to anybody.
#pragma once

#include <chrono>
#include <string>

#include "ha/result.hpp"

namespace ha::ctl {

/// Sends `request` as one line to the Unix socket at `path` and returns the answer without its line
/// end. Takes no longer than `patience` in all. An error is a sentence for the operator: what is
/// wrong, and what to look at.
[[nodiscard]] Result<std::string> ask(const std::string& path, const std::string& request,
                                      std::chrono::milliseconds patience);

}  // namespace ha::ctl
