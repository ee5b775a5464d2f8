/// Running another program to its end. For commands and jobs, which may wait; the daemon uses
/// children.hpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "ha/types.hpp"
#include "sync/config.hpp"

namespace ha::sync {

/// How long one request of the gluster command may take: with a machine cut off silently it would
/// wait for two minutes.
inline constexpr Duration kGlusterPatience = std::chrono::seconds{5};
/// How long a hook may take.
inline constexpr Duration kHookPatience = std::chrono::minutes{10};

/// Returns its exit code; both its outputs go to `on_line`. It is killed after `patience`, which is
/// an error (ETIMEDOUT).
[[nodiscard]] Result<int> run_tool(const std::vector<std::string>& words, Duration patience,
                                   const std::function<void(std::string_view)>& on_line);

/// "gluster" with what makes it ask nothing, then `words`.
[[nodiscard]] std::vector<std::string> gluster_command(const std::vector<std::string>& words);

/// Runs a hook with team and environment appended; an empty one does nothing. What it says goes to
/// standard error.
[[nodiscard]] Result<void> run_hook(std::string_view name, const std::vector<std::string>& hook,
                                    const Mirror& mirror);

}  // namespace ha::sync
