/// How keepalived behaves as a process: in the background, with files that name its processes, and
/// files that are written when a signal asks for them.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "ha/result.hpp"

namespace ha::keepalived {

/// Goes on in a child, in a session of its own, without a terminal, in the root directory; the
/// process that was started exits with 0. What is said afterwards on standard error is lost.
[[nodiscard]] Result<void> daemonise();

/// Writes the number of this process, for scripts that stop it. A symbolic link is not followed.
[[nodiscard]] Result<void> write_pid_file(const std::string& path);

/// The process that the file names, if it runs and is a keepalived or one of ours; 0 if none does.
[[nodiscard]] pid_t running_process(const std::string& path);

/// Removes the file if it names this process.
void remove_pid_file(const std::string& path);

/// Replaces the file as a whole. Readable for its owner alone. Whatever had the name before, a
/// symbolic link above all, is not written to: a file of its own takes the name over.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view content);

/// As replace_file() in a child that is not waited for, so that a slow disk holds nobody up.
/// Returns what kept the child from being started.
[[nodiscard]] Result<void> replace_file_aside(const std::string& path, std::string_view content);

/// Goes on in the network namespace of this name (ip-netns(8)).
[[nodiscard]] Result<void> enter_network_namespace(const std::string& name);

}  // namespace ha::keepalived
