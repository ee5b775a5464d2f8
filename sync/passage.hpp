/// What committing and restoring have in common besides the session itself.
#pragma once

#include <string>

#include "ha/result.hpp"
#include "sync/config.hpp"
#include "sync/records.hpp"

namespace ha::sync {

/// The time on this machine's clock.
[[nodiscard]] WallTime wall_time();

/// 32 hexadecimal digits nobody has used before.
[[nodiscard]] std::string random_token();

/// The file in a source by which it is known to be mounted.
[[nodiscard]] std::string source_sentinel(const Mirror& mirror);

/// Puts it there, if it is not.
[[nodiscard]] Result<void> mark_source(const Mirror& mirror);

}  // namespace ha::sync
