#include "vrrpd/kernel/packet_socket.hpp"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "ha/check.hpp"
#include "ha/mac.hpp"
#include "vrrpd/kernel/arrivals.hpp"
#include "vrrpd/kernel/raw_socket.hpp"
#include "vrrpd/kernel/read_watch.hpp"

namespace ha::vrrp {
namespace {

constexpr int kVrrp = 112;

/// Enough for half a second of 255 virtual routers at 100 ms, should the process be stopped that
/// long. No more than drain() empties.
constexpr int kReceiveQueueSizeBytes = 512 * 1024;
/// Enough for all advertisements or announcements of one moment.
constexpr int kSendQueueSizeBytes = 1024 * 1024;

constexpr std::size_t kReceiveBatch = 32;
constexpr std::size_t kSendBatch = 64;
/// Then the loop's timers have their turn.
constexpr std::size_t kPacketsPerTurnMax = 256;
constexpr std::size_t kPacketsPerDrainMax = 4096;

/// The longest IP header, the longest version 3 message over IPv4, and version 2's 8 bytes more of
/// authentication.
constexpr std::size_t kIpv4SizeBytesMax = 60 + 8 + 255 * 4 + 8;
/// The longest message over IPv6.
constexpr std::size_t kIpv6SizeBytesMax = 8 + 255 * 16;

constexpr std::size_t kControlSizeBytes =
    CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int));

IpAddress address_from(const in6_addr& value) {
  boost::asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &value, bytes.size());
  return boost::asio::ip::address_v6{bytes};
}

// ---- receiving ----

/// What one recvmmsg fills. There is one for all sockets, since one thread reads them in turn; the
/// pages that no packet ever touched take no memory.
struct ReceiveBatch {
  std::array<mmsghdr, kReceiveBatch> headers;
  std::array<iovec, kReceiveBatch> parts;
  std::array<sockaddr_in6, kReceiveBatch> sources;
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSizeBytes> bytes;
  };
  std::array<Control, kReceiveBatch> controls;
  std::array<std::uint8_t, kReceiveBatch * kIpv6SizeBytesMax> bytes;
  bool in_use;
};
ReceiveBatch receive_batch;

/// Points the headers at their room; the kernel changes them with every call.
void prepare(ReceiveBatch& batch, Family family) {
  const std::size_t size = family == Family::kIpv4 ? kIpv4SizeBytesMax : kIpv6SizeBytesMax;
  for (std::size_t i = 0; i < kReceiveBatch; ++i) {
    batch.parts[i] = {batch.bytes.data() + i * size, size};
    msghdr& header = batch.headers[i].msg_hdr;
    header = {};
    header.msg_iov = &batch.parts[i];
    header.msg_iovlen = 1;
    header.msg_control = batch.controls[i].bytes.data();
    header.msg_controllen = batch.controls[i].bytes.size();
    if (family == Family::kIpv4) continue;  // the IP header says the rest
    header.msg_name = &batch.sources[i];
    header.msg_namelen = sizeof batch.sources[i];
  }
}

Duration age_of(const timespec& arrived, std::chrono::system_clock::time_point now) {
  const Duration at = std::chrono::seconds{arrived.tv_sec} + Duration{arrived.tv_nsec};
  const Duration age = now.time_since_epoch() - at;
  return age >= Duration::zero() && age <= kAgeMax ? age : Duration::zero();
}

void read_control(msghdr& header, std::chrono::system_clock::time_point now,
                  IncomingPacket& packet) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS &&
        c->cmsg_len == CMSG_LEN(sizeof(timespec))) {
      timespec arrived;
      std::memcpy(&arrived, CMSG_DATA(c), sizeof arrived);
      packet.age = age_of(arrived, now);
    }
    if (c->cmsg_level != IPPROTO_IPV6) continue;
    if (c->cmsg_type == IPV6_PKTINFO && c->cmsg_len == CMSG_LEN(sizeof(in6_pktinfo))) {
      in6_pktinfo information;
      std::memcpy(&information, CMSG_DATA(c), sizeof information);
      packet.destination = address_from(information.ipi6_addr);
    } else if (c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len == CMSG_LEN(sizeof(int))) {
      std::memcpy(&packet.hop_limit, CMSG_DATA(c), sizeof packet.hop_limit);
    }
  }
}

IncomingPacket packet_at(ReceiveBatch& batch, std::size_t index, Family family,
                         std::chrono::system_clock::time_point now) {
  mmsghdr& received = batch.headers[index];
  IncomingPacket packet;
  packet.bytes = {static_cast<const std::uint8_t*>(batch.parts[index].iov_base), received.msg_len};
  packet.truncated = (received.msg_hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  if (family == Family::kIpv6) {
    packet.source = address_from(batch.sources[index].sin6_addr);
    packet.destination = boost::asio::ip::address_v6::any();
  }
  read_control(received.msg_hdr, now, packet);
  return packet;
}

// ---- sending ----

/// What one sendmmsg of VRRP messages takes.
struct SendBatch {
  std::array<mmsghdr, kSendBatch> headers;
  std::array<std::array<iovec, 2>, kSendBatch> parts;
  std::array<iphdr, kSendBatch> ip_headers;
  std::array<sockaddr_in, kSendBatch> destinations_ipv4;
  std::array<sockaddr_in6, kSendBatch> destinations_ipv6;
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
  };
  std::array<Control, kSendBatch> controls;
};

iovec part_of(std::span<const std::uint8_t> bytes) {
  // An iovec points to what may be written, since reading uses it too; sending does not write.
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
}

void prepare_ipv4(SendBatch& batch, std::size_t index, const OutgoingPacket& packet) {
  const in_addr destination = native(packet.destination.to_v4());
  iphdr& ip = batch.ip_headers[index];
  // The kernel fills in the length, the checksum and the identification, and an unspecified source
  // (raw(7)).
  ip = {};
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tos = kDscpCs6;
  ip.ttl = kVrrpTtl;
  ip.protocol = kVrrp;
  ip.saddr = native(packet.source.to_v4()).s_addr;
  ip.daddr = destination.s_addr;

  batch.destinations_ipv4[index] = {};
  batch.destinations_ipv4[index].sin_family = AF_INET;
  batch.destinations_ipv4[index].sin_addr = destination;
  batch.parts[index] = {iovec{&ip, sizeof ip}, part_of(packet.message)};
  msghdr& header = batch.headers[index].msg_hdr;
  header = {};
  header.msg_name = &batch.destinations_ipv4[index];
  header.msg_namelen = sizeof batch.destinations_ipv4[index];
  header.msg_iov = batch.parts[index].data();
  header.msg_iovlen = 2;
}

void prepare_ipv6(SendBatch& batch, std::size_t index, const OutgoingPacket& packet,
                  IfIndex interface) {
  sockaddr_in6& destination = batch.destinations_ipv6[index];
  destination = {};
  destination.sin6_family = AF_INET6;
  destination.sin6_addr = native(packet.destination.to_v6());
  destination.sin6_scope_id = static_cast<std::uint32_t>(interface.value());

  batch.parts[index] = {part_of(packet.message), iovec{}};
  auto& control = batch.controls[index].bytes;
  control = {};
  msghdr& header = batch.headers[index].msg_hdr;
  header = {};
  header.msg_name = &destination;
  header.msg_namelen = sizeof destination;
  header.msg_iov = batch.parts[index].data();
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const in6_pktinfo information{.ipi6_addr = native(packet.source.to_v6()),
                                .ipi6_ifindex = static_cast<unsigned>(interface.value())};
  cmsghdr* const c = CMSG_FIRSTHDR(&header);
  c->cmsg_level = IPPROTO_IPV6;
  c->cmsg_type = IPV6_PKTINFO;
  c->cmsg_len = CMSG_LEN(sizeof information);
  std::memcpy(CMSG_DATA(c), &information, sizeof information);
}

/// Counts failures and keeps the first reason. Costs nothing while there is none.
class Failures {
 public:
  /// Both are parts of the error's context, and must outlive the object.
  Failures(std::string_view what, std::string_view where) : what_{what}, where_{where} {}

  void add(std::size_t count, int error_number) {
    if (sent_.failed == 0) {
      sent_.first_error = failure(error_number, fmt::format("{}{}", what_, where_)).value();
    }
    sent_.failed += count;
  }
  [[nodiscard]] VrrpSocket::Sent result() && { return std::move(sent_); }

 private:
  std::string_view what_;
  std::string_view where_;
  VrrpSocket::Sent sent_;
};

}  // namespace

struct VrrpSocket::Impl {
  Impl(boost::asio::io_context& io, Descriptor opened, Arrivals all, IfIndex on, std::string name,
       Family of, std::function<void(const IncomingPacket&)> packet_handler,
       std::function<void()> batch_handler)
      : descriptor{std::move(opened)}, arrivals{std::move(all)}, interface {
    on
  }, interface_name{std::move(name)}, family{of}, handler{std::move(packet_handler)},
      end_of_batch{std::move(batch_handler)}, watch{io, [this] { read(kPacketsPerTurnMax); }} {
  }
  ~Impl() { HA_CHECK(!reading); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  /// Returns whether nothing is left.
  bool read(std::size_t packets_max);

  Descriptor descriptor;
  Arrivals arrivals;
  IfIndex interface;
  std::string interface_name;
  Family family;
  std::function<void(const IncomingPacket&)> handler;
  std::function<void()> end_of_batch;
  std::uint64_t heard = 0;
  Losses losses;
  std::uint64_t overheard = 0;
  bool reading = false;
  ReadWatch watch;  ///< last: it goes before the descriptor it watches
};

bool VrrpSocket::Impl::read(std::size_t packets_max) {
  HA_CHECK(!receive_batch.in_use);
  receive_batch.in_use = true;
  reading = true;
  bool empty = false;
  std::size_t packets = 0;
  for (std::size_t attempts = 0; attempts < packets_max && packets < packets_max; ++attempts) {
    prepare(receive_batch, family);
    const int received = ::recvmmsg(descriptor.get(), receive_batch.headers.data(), kReceiveBatch,
                                    MSG_DONTWAIT, nullptr);
    if (received < 0) {
      empty = errno == EAGAIN;
      if (empty) break;
      // Reading takes an error such as ENETDOWN off the socket; what lies behind it may still be
      // read.
      continue;
    }
    const auto count = static_cast<std::size_t>(received);
    const auto now = std::chrono::system_clock::now();
    for (std::size_t i = 0; i < count; ++i) handler(packet_at(receive_batch, i, family, now));
    packets += count;
    empty = count < kReceiveBatch;
    if (empty) break;
  }
  heard += packets;
  if (packets > 0) end_of_batch();
  reading = false;
  receive_batch.in_use = false;
  return empty;
}

VrrpSocket::VrrpSocket(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
VrrpSocket::~VrrpSocket() = default;

Result<std::unique_ptr<VrrpSocket>> VrrpSocket::open(
    boost::asio::io_context& io, IfIndex interface, const std::string& interface_name,
    Family family, std::function<void(const IncomingPacket&)> handler,
    std::function<void()> end_of_batch) {
  // The kernel serves the younger socket first: what has been counted has been heard then, too.
  auto arrivals = Arrivals::open(interface, interface_name, family);
  if (!arrivals) return tl::unexpected{arrivals.error()};
  auto descriptor = open_raw_socket(interface, interface_name, family);
  if (!descriptor) return tl::unexpected{descriptor.error()};
  enlarge_receive_queue(descriptor->get(), kReceiveQueueSizeBytes);
  enlarge_send_queue(descriptor->get(), kSendQueueSizeBytes);
  const int number = descriptor->get();
  auto impl =
      std::make_unique<Impl>(io, std::move(*descriptor), std::move(*arrivals), interface,
                             interface_name, family, std::move(handler), std::move(end_of_batch));
  if (auto started = impl->watch.start(number); !started) return tl::unexpected{started.error()};
  return std::unique_ptr<VrrpSocket>{new VrrpSocket{std::move(impl)}};
}

Result<void> VrrpSocket::join(const IpAddress& group) {
  int reason = join_group(impl_->descriptor.get(), impl_->interface, impl_->family, group);
  if (reason == 0) reason = impl_->arrivals.join(group);
  if (reason == 0) return {};
  return failure(reason, fmt::format("join {} on {}", group.to_string(), impl_->interface_name));
}

void VrrpSocket::listen_to(const VridSet& vrids) {
  if (attach(impl_->descriptor.get(), vrid_filter(impl_->family, vrids))) return;
  // Being woken for too much is better than being deaf for a virtual router.
  remove_filter(impl_->descriptor.get());
}

std::uint64_t VrrpSocket::overheard() {
  const std::uint64_t arrived = impl_->arrivals.count();
  if (impl_->read(kPacketsPerDrainMax)) {
    const std::uint64_t ours = impl_->heard + impl_->losses.count(impl_->descriptor.get());
    // What came since the first line is in the second number only.
    if (arrived > ours) impl_->overheard = std::max(impl_->overheard, arrived - ours);
  }
  return impl_->overheard;
}

void VrrpSocket::drain() { impl_->read(kPacketsPerDrainMax); }

VrrpSocket::Sent VrrpSocket::send(std::span<const OutgoingPacket> packets) {
  Failures failures{"send VRRP messages on ", impl_->interface_name};
  SendBatch batch;
  while (!packets.empty()) {
    std::size_t size = 0;
    for (; size < kSendBatch && !packets.empty(); packets = packets.subspan(1)) {
      const OutgoingPacket& packet = packets.front();
      if (family_of(packet.source) != impl_->family ||
          family_of(packet.destination) != impl_->family) {
        failures.add(1, EAFNOSUPPORT);
      } else if (impl_->family == Family::kIpv4) {
        prepare_ipv4(batch, size++, packet);
      } else {
        prepare_ipv6(batch, size++, packet, impl_->interface);
      }
    }
    for (std::size_t next = 0; next < size;) {
      const int sent = ::sendmmsg(impl_->descriptor.get(), &batch.headers[next],
                                  static_cast<unsigned>(size - next), MSG_DONTWAIT);
      if (sent > 0) {
        next += static_cast<std::size_t>(sent);
        continue;
      }
      // It stops before the packet that it cannot send, and says why when that is the first. The
      // others may still go.
      failures.add(1, errno);
      ++next;
    }
  }
  return std::move(failures).result();
}

// ---- frames ----

FrameSocket::FrameSocket(Descriptor descriptor) : descriptor_{std::move(descriptor)} {}

Result<FrameSocket> FrameSocket::open() {
  // Protocol 0: it receives nothing.
  Descriptor descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (descriptor.get() < 0) {
    const int reason = errno;
    return failure(reason, fmt::format("open a packet socket for announcements{}",
                                       reason == EPERM ? " (needs CAP_NET_RAW)" : ""));
  }
  // No priority is set: advertisements are to overtake hundreds of announcements.
  enlarge_send_queue(descriptor.get(), kSendQueueSizeBytes);
  return FrameSocket{std::move(descriptor)};
}

VrrpSocket::Sent FrameSocket::send(std::span<const Frame> frames) {
  constexpr std::size_t kTypeOffset = 2 * sizeof(MacAddress);
  Failures failures{"send announcements", ""};
  std::array<mmsghdr, kSendBatch> headers;
  std::array<iovec, kSendBatch> parts;
  std::array<sockaddr_ll, kSendBatch> destinations;
  while (!frames.empty()) {
    const auto batch = frames.first(std::min(frames.size(), kSendBatch));
    frames = frames.subspan(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto bytes = batch[i].bytes;
      HA_CHECK(bytes.size() >= sizeof(ether_header));
      destinations[i] = {};
      destinations[i].sll_family = AF_PACKET;
      destinations[i].sll_ifindex = batch[i].interface.value();
      destinations[i].sll_halen = sizeof(MacAddress);
      std::memcpy(destinations[i].sll_addr, bytes.data(), sizeof(MacAddress));
      std::memcpy(&destinations[i].sll_protocol, bytes.data() + kTypeOffset,
                  sizeof destinations[i].sll_protocol);
      parts[i] = part_of(bytes);
      headers[i] = {};
      headers[i].msg_hdr.msg_name = &destinations[i];
      headers[i].msg_hdr.msg_namelen = sizeof destinations[i];
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t next = 0; next < batch.size();) {
      const int sent = ::sendmmsg(descriptor_.get(), &headers[next],
                                  static_cast<unsigned>(batch.size() - next), MSG_DONTWAIT);
      if (sent > 0) {
        next += static_cast<std::size_t>(sent);
        continue;
      }
      if (errno == ENOBUFS || errno == EAGAIN) {
        failures.add(batch.size() - next + frames.size(), errno);
        return std::move(failures).result();
      }
      failures.add(1, errno);
      ++next;
    }
  }
  return std::move(failures).result();
}

}  // namespace ha::vrrp
