/// Counts the VRRP messages that arrive on an interface without anybody being woken for them.
/// Internal to kernel/.
#pragma once

#include <cstdint>

#include "vrrpd/kernel/raw_socket.hpp"

namespace ha::vrrp {

/// What a socket has lost because its queue was full, in 64 bits: the kernel's counter has 32, so
/// it has to be read once in 2^32 losses.
class Losses {
 public:
  [[nodiscard]] std::uint64_t count(int descriptor);

 private:
  std::uint64_t count_ = 0;
  std::uint32_t before_ = 0;
};

/// A socket that nobody waits for, with the smallest queue there is: what does not fit the kernel
/// counts as lost. While the queue is full a message costs it less than a copy.
class Arrivals {
 public:
  [[nodiscard]] static Result<Arrivals> open(IfIndex interface, const std::string& interface_name,
                                             Family family);

  /// As join_group().
  [[nodiscard]] int join(const IpAddress& group) const;

  /// How many there were since it was opened.
  [[nodiscard]] std::uint64_t count();

 private:
  Arrivals(Descriptor descriptor, IfIndex interface, Family family);

  Descriptor descriptor_;
  IfIndex interface_;
  Family family_;
  std::uint64_t queued_ = 0;  ///< those that did fit, and were thrown away
  Losses losses_;
};

}  // namespace ha::vrrp
