/// flood INTERFACE PER_SECOND SECONDS [random]: sends the Ethernet frames that come in on standard
/// input, one a line, in hexadecimal, over and over at that rate. With `random` every frame, which
/// is IPv4 then, comes from another address in 10.77.128.0/17. Prints how many were sent.
///
/// It does not queue: what the device has no room for is not sent, and what could not be sent in
/// time is made up for later.
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using Frame = std::vector<std::uint8_t>;

constexpr std::size_t kBatch = 64;
constexpr std::size_t kIpHeader = 14;
constexpr std::size_t kIpHeaderSize = 20;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::vector<Frame> read_frames() {
  std::vector<Frame> frames;
  for (std::string line; std::getline(std::cin, line);) {
    Frame frame(line.size() / 2);
    for (std::size_t i = 0; i < frame.size(); ++i) {
      std::from_chars(line.data() + 2 * i, line.data() + 2 * i + 2, frame[i], 16);
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

int open_link(const char* interface) {
  const int link = ::socket(AF_PACKET, SOCK_RAW, 0);
  if (link < 0) fail("socket");
  // Without a queue: a full one would slow this program down instead of the receiver.
  const int on = 1;
  if (::setsockopt(link, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) {
    fail("PACKET_QDISC_BYPASS");
  }
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
  if (::bind(link, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) fail("bind");
  return link;
}

/// Gives an IPv4 frame another source and the checksum of the IP header that goes with it: the
/// kernel drops those with a wrong one itself.
void change_source(Frame& frame, std::uint32_t random) {
  std::uint8_t* const ip = frame.data() + kIpHeader;
  ip[12] = 10;
  ip[13] = 77;
  ip[14] = static_cast<std::uint8_t>(0x80 | (random >> 8 & 0x7f));
  ip[15] = static_cast<std::uint8_t>(random & 0xff);
  ip[10] = ip[11] = 0;
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < kIpHeaderSize; i += 2) sum += std::uint32_t{ip[i]} << 8 | ip[i + 1];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = static_cast<std::uint8_t>(~sum >> 8);
  ip[11] = static_cast<std::uint8_t>(~sum);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const double per_second = std::atof(argv[2]);
  const double seconds = std::atof(argv[3]);
  const bool random_sources = argc > 4;
  const std::vector<Frame> frames = read_frames();
  if (frames.empty() || per_second <= 0) return 2;
  const int link = open_link(argv[1]);

  std::mt19937 random{1};
  std::array<Frame, kBatch> batch;
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> headers{};
  const auto wanted = static_cast<std::uint64_t>(per_second * seconds);
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t sent = 0; sent < wanted;) {
    const std::size_t size = std::min<std::uint64_t>(kBatch, wanted - sent);
    for (std::size_t i = 0; i < size; ++i) {
      batch[i] = frames[(sent + i) % frames.size()];
      if (random_sources) change_source(batch[i], static_cast<std::uint32_t>(random()));
      parts[i] = {batch[i].data(), batch[i].size()};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int done = ::sendmmsg(link, headers.data(), static_cast<unsigned>(size), 0);
    if (done < 0 && errno != ENOBUFS && errno != EAGAIN) fail("sendmmsg");
    if (done > 0) sent += static_cast<std::uint64_t>(done);
    std::this_thread::sleep_until(
        begin + std::chrono::duration<double>(static_cast<double>(sent) / per_second));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%llu packets in %.3f s\n", static_cast<unsigned long long>(wanted), took.count());
  ::close(link);
  return 0;
}
