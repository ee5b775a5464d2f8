/// What the daemon may do.
#pragma once

#include <string>
#include <vector>

namespace ha::vrrp {

/// The names of the capabilities that vrrpd needs and this process lacks: CAP_NET_ADMIN for
/// addresses, CAP_NET_RAW for VRRP and announcements. Empty if it can work.
[[nodiscard]] std::vector<std::string> missing_capabilities();

}  // namespace ha::vrrp
