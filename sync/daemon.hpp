/// `gluster-sync run`: the loop around the planners. Everything that can block for as long as a
/// volume does happens in children; the loop itself touches only local files and sockets.
#pragma once

#include <string>
#include <vector>

#include "sync/command.hpp"

namespace ha::sync {

/// Runs until SIGTERM or SIGINT. `words` start this program with its general options.
[[nodiscard]] int run_daemon(const Setting& setting, const std::vector<std::string>& words);

}  // namespace ha::sync
