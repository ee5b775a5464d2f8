/// How far a long pass is, in words. Pure.
#pragma once

#include <string>

#include "ha/types.hpp"
#include "sync/session.hpp"

namespace ha::sync {

/// "copy 120 of 9000 files, 1.2 of 340.0 MB, 110 files/s, 80 s left", after `elapsed` in this
/// phase.
[[nodiscard]] std::string describe(const Progress& progress, Duration elapsed);

}  // namespace ha::sync
