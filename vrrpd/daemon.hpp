/// The daemon: a guard process, and the engine process in which configuration, kernel, virtual
/// routers, health and control are wired together.
#pragma once

#include <filesystem>

#include "vrrpd/config/load.hpp"

namespace ha::vrrp {

/// Runs with `config`, which came from `path`, until SIGTERM or SIGINT; SIGHUP reloads `path`.
/// Becomes the guard; the engine is its child. Returns the exit status: 0 after an orderly stop, 1
/// if it could not start or the engine died too often, with the reason on standard error.
[[nodiscard]] int run_daemon(const std::filesystem::path& path, Config config);

}  // namespace ha::vrrp
