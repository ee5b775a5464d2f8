/// Raw sockets: VRRP messages in and out, announcements out. Needs CAP_NET_RAW.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "ha/ip.hpp"
#include "ha/result.hpp"
#include "ha/types.hpp"
#include "vrrpd/kernel/descriptor.hpp"
#include "vrrpd/kernel/socket_filter.hpp"

namespace ha::vrrp {

/// More than a process that has not stood still takes to read a packet. An older one counts as new:
/// who stood still begins to listen when it reads, and the clock that the kernel tells the age by
/// may have been set.
inline constexpr Duration kAgeMax = std::chrono::milliseconds{10};

/// A VRRP message as it came in.
struct IncomingPacket {
  /// IPv4: the whole packet with its IP header. IPv6: the message alone, with the three fields
  /// below. Valid until the handler returns.
  std::span<const std::uint8_t> bytes;
  IpAddress source;       ///< IPv6 only
  IpAddress destination;  ///< IPv6 only; unspecified if the kernel did not say
  int hop_limit = -1;     ///< IPv6 only; -1 if the kernel did not say
  Duration age{};         ///< since it arrived, 0 to kAgeMax; 0 if it is older, or not known
  bool truncated =
      false;  ///< it was longer than any advertisement, or its control data did not fit
};

/// A VRRP message to send. What it points to must live until the call returns.
struct OutgoingPacket {
  IpAddress source;  ///< one of the interface's; unspecified: the kernel chooses
  IpAddress destination;
  std::span<const std::uint8_t> message;
};

/// One socket for VRRP on one interface and family, bound to the interface, for multicast and
/// unicast both. What it sends by multicast is not looped back to it. Checksums are the caller's,
/// both ways, and so is the question whether a destination is expected: over IPv6, groups that
/// others on the machine joined are heard too.
///
/// It hears only the virtual routers it is told to listen to. The kernel drops messages for others,
/// which on a shared segment may be hundreds a second, without waking the process, and counts them.
class VrrpSocket {
 public:
  /// Opens it and reads from `io`'s loop, which must outlive it; `handler` gets each packet,
  /// `end_of_batch` is called after each run of packets that were there at once. Both are called
  /// from drain() and overheard() too. Neither may call these, of any socket, or destroy the
  /// socket; both may send. Until listen_to() it hears nothing.
  [[nodiscard]] static Result<std::unique_ptr<VrrpSocket>> open(
      boost::asio::io_context& io, IfIndex interface, const std::string& interface_name,
      Family family, std::function<void(const IncomingPacket&)> handler,
      std::function<void()> end_of_batch);
  ~VrrpSocket();
  VrrpSocket(const VrrpSocket&) = delete;
  VrrpSocket& operator=(const VrrpSocket&) = delete;

  /// Joins a multicast group on the interface; joining it again is success.
  Result<void> join(const IpAddress& group);

  /// From now on hears messages that name one of `vrids` or are too short to name any, whatever
  /// else is wrong with them. The change is one step: no message meets a state in between.
  void listen_to(const VridSet& vrids);

  /// How many messages it did not hear since it was opened, because they were for other virtual
  /// routers, whatever else was wrong with them. First hands over what lies in the socket now, as
  /// drain() does. What a full queue lost, for whichever virtual router, is not in it.
  [[nodiscard]] std::uint64_t overheard();

  /// Hands over what lies in the socket now, at most some thousand packets, without waiting for the
  /// loop.
  void drain();

  /// Sends all with as few system calls as it takes: TTL 255, DSCP CS6. Returns how many were not
  /// sent, with the first reason; a full queue or a link that is down loses packets, as a wire
  /// would.
  struct Sent {
    std::size_t failed = 0;
    Error first_error;
  };
  Sent send(std::span<const OutgoingPacket> packets);

 private:
  struct Impl;
  explicit VrrpSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Sends Ethernet frames as they are (announcements); one for all interfaces, never reads.
class FrameSocket {
 public:
  [[nodiscard]] static Result<FrameSocket> open();

  struct Frame {
    IfIndex interface;
    std::span<const std::uint8_t> bytes;  ///< from the destination's address on, at least 14
  };
  /// As VrrpSocket::send. When the queue is full the rest is not tried.
  VrrpSocket::Sent send(std::span<const Frame> frames);

 private:
  explicit FrameSocket(Descriptor descriptor);
  Descriptor descriptor_;
};

}  // namespace ha::vrrp
