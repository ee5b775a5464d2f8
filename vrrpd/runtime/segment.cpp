#include "vrrpd/runtime/segment.hpp"

#include <algorithm>
#include <utility>

namespace ha::vrrp {

Segment::Segment(IfIndex interface, std::string name, Family family, Receiver receiver)
    : interface_{interface},
      name_{std::move(name)},
      family_{family},
      receiver_{std::move(receiver)} {}

Result<std::unique_ptr<Segment>> Segment::open(boost::asio::io_context& io, IfIndex interface,
                                               const std::string& name, Family family,
                                               Receiver receiver,
                                               std::function<void()> batch_done) {
  std::unique_ptr<Segment> segment{new Segment{interface, name, family, std::move(receiver)}};
  auto socket = VrrpSocket::open(
      io, interface, name, family,
      [self = segment.get()](const IncomingPacket& packet) { self->receive(packet); },
      std::move(batch_done));
  if (!socket) return tl::unexpected{socket.error()};
  segment->socket_ = std::move(*socket);
  return segment;
}

bool Segment::in_use() const {
  return std::any_of(routers_.begin(), routers_.end(),
                     [](const RouterDriver* router) { return router != nullptr; });
}

void Segment::set(Vrid vrid, RouterDriver* router) {
  RouterDriver*& place = routers_[vrid.value()];
  routers_changed_ |= (place == nullptr) != (router == nullptr);
  place = router;
}

void Segment::listen() {
  if (!std::exchange(routers_changed_, false)) return;
  VridSet vrids;
  for (std::size_t vrid = 0; vrid < routers_.size(); ++vrid) {
    vrids[vrid] = routers_[vrid] != nullptr;
  }
  socket_->listen_to(vrids);
}

std::uint64_t Segment::take_overheard() {
  const std::uint64_t count = socket_->overheard();
  return count - std::exchange(overheard_before_, count);
}

void Segment::receive(const IncomingPacket& packet) {
  Datagram datagram;
  if (family_ == Family::kIpv4) {
    const auto parsed = parse_ipv4(packet.bytes);
    if (!parsed) return receiver_(*this, packet, nullptr, nullptr);
    datagram = *parsed;
  } else {
    datagram.source = packet.source;
    datagram.destination = packet.destination;
    // A hop limit that the kernel did not tell proves nothing about where the packet came from.
    datagram.ttl = static_cast<std::uint8_t>(std::max(packet.hop_limit, 0));
    datagram.message = packet.bytes;
  }
  if (packet.truncated) datagram.message = {};  // counted as a length error
  const auto vrid = peek_vrid(datagram.message);
  receiver_(*this, packet, &datagram, vrid ? routers_[vrid->value()] : nullptr);
}

void Segment::queue(const IpAddress& source, const IpAddress& destination,
                    std::span<const std::uint8_t> message) {
  queue_.push_back({source, destination, messages_.size(), message.size()});
  messages_.insert(messages_.end(), message.begin(), message.end());
}

VrrpSocket::Sent Segment::flush() {
  if (queue_.empty()) return {};
  std::vector<OutgoingPacket> packets;
  packets.reserve(queue_.size());
  for (const Queued& queued : queue_) {
    packets.push_back({queued.source, queued.destination,
                       std::span{messages_}.subspan(queued.offset, queued.size)});
  }
  VrrpSocket::Sent sent = socket_->send(packets);
  queue_.clear();
  messages_.clear();
  return sent;
}

}  // namespace ha::vrrp
