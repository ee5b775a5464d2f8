#include "vrrpd/kernel/raw_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "vrrpd/kernel/socket_filter.hpp"

namespace ha::vrrp {
namespace {

constexpr int kVrrp = 112;
constexpr int kQueuePriority = 6;  // the first band of Linux's default queue

int native(Family family) { return family == Family::kIpv4 ? AF_INET : AF_INET6; }

struct IntegerOption {
  int level;
  int option;
  int value;
  const char* name;
};

// Multicast of its own is not looped back; and only the groups that the socket itself joined are
// heard, not those that others on this machine did. For an IPv6 raw socket Linux has no such
// choice: IPV6_MULTICAST_ALL does not reach it.
constexpr IntegerOption kIpv4Options[] = {
    {SOL_SOCKET, SO_PRIORITY, kQueuePriority, "SO_PRIORITY"},
    {SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS"},
    {IPPROTO_IP, IP_HDRINCL, 1, "IP_HDRINCL"},
    {IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL"},
    {IPPROTO_IP, IP_MULTICAST_LOOP, 0, "IP_MULTICAST_LOOP"},
};
// IPV6_CHECKSUM stays off, as it is by default: with it the kernel would drop what is wrong,
// uncounted. A source may be that of another interface, as with IPv4's own headers: what leaves by
// a virtual MAC comes from its parent's address.
constexpr IntegerOption kIpv6Options[] = {
    {SOL_SOCKET, SO_PRIORITY, kQueuePriority, "SO_PRIORITY"},
    {SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS"},
    {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "IPV6_MULTICAST_LOOP"},
    {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kVrrpTtl, "IPV6_MULTICAST_HOPS"},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, kVrrpTtl, "IPV6_UNICAST_HOPS"},
    {IPPROTO_IPV6, IPV6_TCLASS, kDscpCs6, "IPV6_TCLASS"},
    {IPPROTO_IPV6, IPV6_FREEBIND, 1, "IPV6_FREEBIND"},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"},
    {IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"},
};

Result<void> set_options(int descriptor, std::span<const IntegerOption> options) {
  for (const IntegerOption& o : options) {
    if (::setsockopt(descriptor, o.level, o.option, &o.value, sizeof o.value) != 0) {
      return failure(errno, o.name);
    }
  }
  return {};
}

/// Ties the socket to the interface by number: a name may pass to another interface at any moment.
Result<void> set_interface(int descriptor, IfIndex interface, Family family) {
  const int index = interface.value();
  if (::setsockopt(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, &index, sizeof index) != 0) {
    return failure(errno, "SO_BINDTOIFINDEX");
  }
  if (family == Family::kIpv6) {
    const IntegerOption outgoing{IPPROTO_IPV6, IPV6_MULTICAST_IF, index, "IPV6_MULTICAST_IF"};
    return set_options(descriptor, {&outgoing, 1});
  }
  const ip_mreqn outgoing{.imr_multiaddr = {}, .imr_address = {}, .imr_ifindex = index};
  if (::setsockopt(descriptor, IPPROTO_IP, IP_MULTICAST_IF, &outgoing, sizeof outgoing) != 0) {
    return failure(errno, "IP_MULTICAST_IF");
  }
  return {};
}

/// Throws away what came in before the socket was deaf; nothing comes behind it.
void empty(int descriptor) {
  constexpr int kAttemptsMax = 10'000;
  for (int i = 0; i < kAttemptsMax; ++i) {
    // An error such as ENETDOWN is taken off the socket by reading and hides what lies behind it.
    if (::recv(descriptor, nullptr, 0, MSG_DONTWAIT) < 0 && errno == EAGAIN) return;
  }
}

}  // namespace

in_addr native(const boost::asio::ip::address_v4& address) {
  in_addr value{};
  std::memcpy(&value, address.to_bytes().data(), sizeof value);
  return value;
}

in6_addr native(const boost::asio::ip::address_v6& address) {
  in6_addr value{};
  std::memcpy(&value, address.to_bytes().data(), sizeof value);
  return value;
}

Result<Descriptor> open_raw_socket(IfIndex interface, const std::string& interface_name,
                                   Family family) {
  Descriptor descriptor{::socket(native(family), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kVrrp)};
  if (descriptor.get() < 0) {
    const int reason = errno;
    return failure(reason, fmt::format("open a raw socket for VRRP on {}{}", interface_name,
                                       reason == EPERM ? " (needs CAP_NET_RAW)" : ""));
  }
  // First of all: until then it hears every interface.
  if (!attach(descriptor.get(), deaf_filter())) {
    return failure(errno,
                   fmt::format("set SO_ATTACH_FILTER of the VRRP socket on {}", interface_name));
  }
  empty(descriptor.get());
  auto configured = set_interface(descriptor.get(), interface, family);
  if (configured) {
    configured = family == Family::kIpv4 ? set_options(descriptor.get(), kIpv4Options)
                                         : set_options(descriptor.get(), kIpv6Options);
  }
  if (!configured) {
    Error error = std::move(configured.error());
    error.context = fmt::format("set {} of the VRRP socket on {}", error.context, interface_name);
    return tl::unexpected{std::move(error)};
  }
  return descriptor;
}

int join_group(int descriptor, IfIndex interface, Family family, const IpAddress& group) {
  if (family_of(group) != family) return EAFNOSUPPORT;
  int result = 0;
  if (group.is_v4()) {
    const ip_mreqn request{.imr_multiaddr = native(group.to_v4()),
                           .imr_address = {},
                           .imr_ifindex = interface.value()};
    result = ::setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request);
  } else {
    const ipv6_mreq request{.ipv6mr_multiaddr = native(group.to_v6()),
                            .ipv6mr_interface = static_cast<unsigned>(interface.value())};
    result = ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request);
  }
  return result == 0 || errno == EADDRINUSE ? 0 : errno;
}

}  // namespace ha::vrrp
