#include "vrrpd/kernel/packet_filter.hpp"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

#include "vrrpd/kernel/nftables.hpp"

namespace ha::vrrp {
namespace {

/// An answer is the message it is about, without its attributes, and a number.
constexpr std::size_t kAnswerSizeBytesMax = 8192;
/// Room for the answers if every message of a batch were refused.
constexpr int kAnswersSizeBytes = 1 << 20;

struct alignas(nlmsghdr) Datagram {
  std::array<std::uint8_t, kAnswerSizeBytesMax> bytes;
};

/// Forgets what is left of answers to a process that died.
void drain(int socket) {
  Datagram datagram;
  while (::recv(socket, datagram.bytes.data(), datagram.bytes.size(), MSG_DONTWAIT) >= 0) {
  }
}

/// The kernel has carried a batch out, and answered, by the time send() returns. The first error
/// number, or 0; nothing if the acknowledgement of `last` is missing.
std::optional<int> read_answers(int socket, std::uint32_t last) {
  Datagram datagram;
  for (;;) {
    const ssize_t received =
        ::recv(socket, datagram.bytes.data(), datagram.bytes.size(), MSG_DONTWAIT);
    if (received < 0) return std::nullopt;
    int size = static_cast<int>(received);
    auto* message = reinterpret_cast<nlmsghdr*>(datagram.bytes.data());
    for (; nlmsg_ok(message, size); message = nlmsg_next(message, &size)) {
      if (message->nlmsg_type != NLMSG_ERROR || !nlmsg_valid_hdr(message, sizeof(nlmsgerr))) {
        continue;
      }
      const int error_number = -static_cast<const nlmsgerr*>(nlmsg_data(message))->error;
      if (error_number != 0 || message->nlmsg_seq == last) return error_number;
    }
  }
}

}  // namespace

PacketFilter::PacketFilter()
    : socket_{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)} {
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  if (socket_.get() < 0 || ::bind(socket_.get(), general, size) != 0 ||
      ::getsockname(socket_.get(), general, &size) != 0) {
    open_error_ = errno;
    return;
  }
  enlarge_receive_queue(socket_.get(), kAnswersSizeBytes);
  table_ = fmt::format("vrrpd_{}", address.nl_pid);
}

Result<void> PacketFilter::set(std::span<const FilteredAddress> addresses) {
  constexpr const char* kWhat = "change the packet filter (nf_tables, Linux 5.12)";
  if (open_error_ != 0) return failure(open_error_, kWhat);
  const NftablesBatch batch = addresses.empty() ? remove_table(table_, sequence_)
                                                : replace_table(table_, addresses, sequence_);
  sequence_ = batch.last + 2;
  drain(socket_.get());
  // A datagram has to fit twice: the kernel counts what it needs for it besides.
  enlarge_send_queue(socket_.get(), static_cast<int>(batch.bytes.size()) * 2);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  if (::sendto(socket_.get(), batch.bytes.data(), batch.bytes.size(), 0,
               reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return failure(errno, kWhat);
  }
  const std::optional<int> error_number = read_answers(socket_.get(), batch.last);
  if (!error_number) return failure(EPROTO, kWhat);
  if (*error_number != 0) return failure(*error_number, kWhat);
  return {};
}

}  // namespace ha::vrrp
