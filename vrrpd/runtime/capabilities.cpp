#include "vrrpd/runtime/capabilities.hpp"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ha::vrrp {

std::vector<std::string> missing_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  // glibc has no wrapper, and libcap would be linked for this one call.
  if (syscall(SYS_capget, &header, sets) != 0) return {};
  std::vector<std::string> missing;
  const auto need = [&](unsigned capability, const char* name) {
    if ((sets[capability / 32].effective & (1U << (capability % 32))) == 0)
      missing.emplace_back(name);
  };
  need(CAP_NET_ADMIN, "CAP_NET_ADMIN");
  need(CAP_NET_RAW, "CAP_NET_RAW");
  return missing;
}

}  // namespace ha::vrrp
