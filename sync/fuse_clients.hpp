/// The processes that serve mounted volumes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ha::sync {

/// Those that serve a volume mounted at `place`: they name it as their last argument. Also those
/// that were left behind when their mount was taken away.
[[nodiscard]] std::vector<pid_t> fuse_clients_of(const std::string& place);

}  // namespace ha::sync
