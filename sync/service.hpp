/// What the daemon tells systemd, if that started it: sd_notify(3). Without it, nothing happens.
#pragma once

#include <string_view>

namespace ha::sync {

/// Sends "READY=1", "WATCHDOG=1" or the like. Never waits.
void tell_service_manager(std::string_view state);

}  // namespace ha::sync
