#include "vrrpd/kernel/arrivals.hpp"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "vrrpd/kernel/socket_filter.hpp"

namespace ha::vrrp {
namespace {
/// More than the smallest queue holds; what a flood puts there meanwhile is left for the next time.
constexpr int kQueuedMax = 64;
}  // namespace

std::uint64_t Losses::count(int descriptor) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> information{};
  socklen_t size = sizeof information;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, information.data(), &size) == 0) {
    const std::uint32_t now = information[SK_MEMINFO_DROPS];
    count_ += now - before_;
    before_ = now;
  }
  return count_;
}

Arrivals::Arrivals(Descriptor descriptor, IfIndex interface, Family family)
    : descriptor_{std::move(descriptor)}, interface_{interface}, family_{family} {}

Result<Arrivals> Arrivals::open(IfIndex interface, const std::string& interface_name,
                                Family family) {
  auto descriptor = open_raw_socket(interface, interface_name, family);
  if (!descriptor) return tl::unexpected{descriptor.error()};
  // The kernel makes the least of it that it allows.
  const int smallest = 0;
  if (::setsockopt(descriptor->get(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof smallest) != 0) {
    return failure(errno, "set SO_RCVBUF of the VRRP socket on " + interface_name);
  }
  remove_filter(descriptor->get());
  return Arrivals{std::move(*descriptor), interface, family};
}

int Arrivals::join(const IpAddress& group) const {
  return join_group(descriptor_.get(), interface_, family_, group);
}

std::uint64_t Arrivals::count() {
  for (int i = 0; i < kQueuedMax && ::recv(descriptor_.get(), nullptr, 0, MSG_DONTWAIT) >= 0; ++i) {
    ++queued_;
  }
  return queued_ + losses_.count(descriptor_.get());
}

}  // namespace ha::vrrp
