/// The daemon: wires configuration, kernel, virtual routers, health and control together and runs
/// them until told to stop.
#pragma once

#include <filesystem>

#include "vrrpd/config/load.hpp"

namespace ha::vrrp {

/// Runs with `config`, which came from `path`, until SIGTERM or SIGINT; SIGHUP reloads `path`.
/// Returns the exit status: 0 after an orderly stop, 1 if it could not start, with the reason on
/// standard error.
[[nodiscard]] int run_daemon(const std::filesystem::path& path, Config config);

}  // namespace ha::vrrp
