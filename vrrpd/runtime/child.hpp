/// What a child does between fork() and its program. Runs in the child only, and may block there.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "vrrpd/runtime/subprocess.hpp"

namespace ha::vrrp {

/// The exit status of a child that could not run its command.
inline constexpr int kExitNotStarted = 127;

/// Takes the child out of the daemon's process group and gives it default signals.
void prepare_child(bool dies_with_us, pid_t parent);

/// Becomes the command; returns only if that fails, after the reason went to `report`.
void execute(const Launch& launch, int report);

/// Writes the answer of `work` to `report` and exits with 0.
void answer(const std::function<std::string()>& work, int report);

}  // namespace ha::vrrp
