/// Mounting a volume anew.
#pragma once

#include "ha/result.hpp"
#include "sync/config.hpp"

namespace ha::sync {

/// Unmounts what is at the volume's mount, even if it hangs: calls under way on it end with an
/// error. Then mounts the volume there, with the options of /etc/fstab if that knows the place.
/// Takes at most half a minute.
[[nodiscard]] Result<void> remount(const VolumeConfig& volume);

}  // namespace ha::sync
