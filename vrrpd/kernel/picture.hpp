/// The interfaces and addresses of the machine, as a stream of events describes them. Pure: the
/// kernel's events in, the events that really changed something out.
#pragma once

#include <functional>
#include <vector>

#include "vrrpd/kernel/kernel.hpp"

namespace ha::vrrp {

class Picture {
 public:
  /// In the order in which the kernel named them.
  [[nodiscard]] const std::vector<Link>& links() const { return links_; }
  [[nodiscard]] const std::vector<Address>& addresses() const { return addresses_; }

  /// Makes `event` part of the picture and calls `changed`, which may be empty, for each change
  /// after it was made. An event that repeats what is known changes nothing. The addresses that an
  /// interface still has when it goes are reported as removed before it. Resynchronised means
  /// nothing here.
  void apply(const KernelEvent& event, const std::function<void(const KernelEvent&)>& changed);

 private:
  bool put(const Link& link);
  bool put(const Address& address);
  bool take(const Address& address);
  void remove_link(IfIndex index, const std::function<void(const KernelEvent&)>& changed);

  std::vector<Link> links_;
  std::vector<Address> addresses_;
};

}  // namespace ha::vrrp
