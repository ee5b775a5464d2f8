/// One interface and family: its VRRP socket, the virtual routers on it, and what waits to be sent.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "vrrpd/kernel/packet_socket.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {

class RouterDriver;

class Segment {
 public:
  /// Called for every packet with the router it is for, or null. The datagram is null if it could
  /// not be read as one.
  using Receiver =
      std::function<void(const Segment&, const IncomingPacket&, const Datagram*, RouterDriver*)>;

  /// `batch_done` is called after each run of packets that were there at once.
  [[nodiscard]] static Result<std::unique_ptr<Segment>> open(boost::asio::io_context& io,
                                                             IfIndex interface,
                                                             const std::string& name, Family family,
                                                             Receiver receiver,
                                                             std::function<void()> batch_done);

  [[nodiscard]] IfIndex interface() const { return interface_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Family family() const { return family_; }

  Result<void> join(const IpAddress& group) { return socket_->join(group); }
  /// A change takes effect with the next listen().
  void attach(Vrid vrid, RouterDriver* router) { set(vrid, router); }
  void detach(Vrid vrid) { set(vrid, nullptr); }
  /// Has the kernel pass on what is for the routers that are attached now, and only that. Called
  /// once at the end of a turn, however many changed.
  void listen();
  /// How many packets for other virtual routers there were since the last call.
  [[nodiscard]] std::uint64_t take_overheard();
  [[nodiscard]] bool in_use() const;

  /// Hands over what lies in the socket now.
  void drain() { socket_->drain(); }

  /// Queues a copy of `message`; flush() sends all that is queued with as few system calls as it
  /// takes.
  void queue(const IpAddress& source, const IpAddress& destination,
             std::span<const std::uint8_t> message);
  VrrpSocket::Sent flush();

 private:
  Segment(IfIndex interface, std::string name, Family family, Receiver receiver);
  void receive(const IncomingPacket& packet);
  void set(Vrid vrid, RouterDriver* router);

  struct Queued {
    IpAddress source;
    IpAddress destination;
    std::size_t offset;
    std::size_t size;
  };

  IfIndex interface_;
  std::string name_;
  Family family_;
  Receiver receiver_;
  std::unique_ptr<VrrpSocket> socket_;
  std::array<RouterDriver*, 256> routers_{};
  bool routers_changed_ = false;
  std::uint64_t overheard_before_ = 0;
  std::vector<Queued> queue_;
  std::vector<std::uint8_t> messages_;
};

}  // namespace ha::vrrp
