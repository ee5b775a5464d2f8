/// Takes a capability away from the thread for a while.
#pragma once

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "tests/support/catch.hpp"

namespace ha::test {

/// While it exists the thread acts without `capability` (CAP_NET_RAW …). It stays permitted, so it
/// comes back.
class WithoutCapability {
 public:
  explicit WithoutCapability(unsigned capability) {
    REQUIRE(::syscall(SYS_capget, &header_, before_.data()) == 0);
    auto reduced = before_;
    reduced[capability / 32].effective &= ~(std::uint32_t{1} << (capability % 32));
    REQUIRE(::syscall(SYS_capset, &header_, reduced.data()) == 0);
  }
  ~WithoutCapability() { ::syscall(SYS_capset, &header_, before_.data()); }
  WithoutCapability(const WithoutCapability&) = delete;
  WithoutCapability& operator=(const WithoutCapability&) = delete;

 private:
  __user_cap_header_struct header_{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> before_{};
};

}  // namespace ha::test
