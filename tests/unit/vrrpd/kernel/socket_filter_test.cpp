/// The programs are run by the kernel's own interpreter, on a pair of local sockets: no privileges,
/// no network.
#include "vrrpd/kernel/socket_filter.hpp"

#include <sys/socket.h>

#include <array>

#include "tests/support/catch.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A socket with a program on it.
class Filtered {
 public:
  explicit Filtered(const std::vector<sock_filter>& program) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair.data()) == 0);
    sender_ = Descriptor{pair[0]};
    receiver_ = Descriptor{pair[1]};
    replace(program);
  }
  void replace(const std::vector<sock_filter>& program) {
    REQUIRE(attach(receiver_.get(), program));
  }

  /// Whether the packet gets through, and whole.
  [[nodiscard]] bool hears(const Bytes& packet) const {
    REQUIRE(::send(sender_.get(), packet.data(), packet.size(), 0) >= 0);
    std::array<std::uint8_t, 4096> buffer;
    const ssize_t size = ::recv(receiver_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size >= 0) CHECK(static_cast<std::size_t>(size) == packet.size());
    return size >= 0;
  }

  [[nodiscard]] int descriptor() const { return receiver_.get(); }

 private:
  Descriptor sender_;
  Descriptor receiver_;
};

VridSet set_of(std::initializer_list<int> vrids) {
  VridSet set;
  for (const int vrid : vrids) set.set(static_cast<std::size_t>(vrid));
  return set;
}

Bytes message(int vrid) { return {0x31, static_cast<std::uint8_t>(vrid), 100, 1, 0, 100, 0, 0}; }

Bytes ipv4(const Bytes& content, std::uint8_t header_words = 5) {
  Bytes packet(header_words * 4U, 0xee);
  packet[0] = static_cast<std::uint8_t>(0x40 | header_words);
  packet.insert(packet.end(), content.begin(), content.end());
  return packet;
}

TEST_CASE("a filter passes exactly the virtual routers it was made for") {
  const VridSet vrids = GENERATE(VridSet{}, set_of({1}), set_of({51, 52, 200}),
                                 set_of({0, 31, 32, 63, 64, 255}), ~set_of({51}), ~VridSet{});
  const Filtered ipv4_socket{vrid_filter(Family::kIpv4, vrids)};
  const Filtered ipv6_socket{vrid_filter(Family::kIpv6, vrids)};
  for (int vrid = 0; vrid <= 255; ++vrid) {
    INFO(vrid);
    REQUIRE(ipv4_socket.hears(ipv4(message(vrid))) == vrids[static_cast<std::size_t>(vrid)]);
    REQUIRE(ipv6_socket.hears(message(vrid)) == vrids[static_cast<std::size_t>(vrid)]);
  }
}

TEST_CASE("options of the IP header are skipped") {
  const Filtered socket{vrid_filter(Family::kIpv4, set_of({51}))};
  for (std::uint8_t words = 5; words <= 15; ++words) {
    INFO(int{words});
    CHECK(socket.hears(ipv4(message(51), words)));
    CHECK_FALSE(socket.hears(ipv4(message(52), words)));
  }
}

TEST_CASE("a message too short to name a virtual router is heard, since it has to be counted") {
  const Filtered ipv4_socket{vrid_filter(Family::kIpv4, set_of({51}))};
  const Filtered ipv6_socket{vrid_filter(Family::kIpv6, set_of({51}))};
  for (const Bytes& content : {Bytes{}, Bytes{0x31}}) {
    CHECK(ipv4_socket.hears(ipv4(content)));
    CHECK(ipv6_socket.hears(content));
  }
  CHECK(ipv4_socket.hears(ipv4({0x31, 51})));
  CHECK_FALSE(ipv4_socket.hears(ipv4({0x31, 52})));
}

TEST_CASE("whatever else is wrong with a message for our virtual router, it is heard") {
  const Filtered socket{vrid_filter(Family::kIpv6, set_of({51}))};
  for (int first = 0; first <= 255; ++first) {
    CHECK(socket.hears({static_cast<std::uint8_t>(first), 51}));
  }
  CHECK(socket.hears(Bytes(3000, 51)));
}

TEST_CASE("a filter is replaced by another one, and a deaf one hears nothing") {
  Filtered socket{vrid_filter(Family::kIpv6, set_of({51}))};
  socket.replace(vrid_filter(Family::kIpv6, set_of({52})));
  CHECK(socket.hears(message(52)));
  CHECK_FALSE(socket.hears(message(51)));
  socket.replace(deaf_filter());
  CHECK_FALSE(socket.hears(message(52)));
  CHECK_FALSE(socket.hears({}));
  remove_filter(socket.descriptor());
  CHECK(socket.hears(message(51)));
}

TEST_CASE("a filter is as long for 255 virtual routers as for one") {
  CHECK(vrid_filter(Family::kIpv4, set_of({1})).size() ==
        vrid_filter(Family::kIpv4, ~VridSet{}).size());
}

TEST_CASE("a program that the kernel refuses leaves the old one in place") {
  const Filtered socket{vrid_filter(Family::kIpv6, set_of({51}))};
  const sock_filter without_an_end{BPF_LD | BPF_IMM, 0, 0, 0};
  CHECK_FALSE(attach(socket.descriptor(), {}));
  CHECK_FALSE(attach(socket.descriptor(), {without_an_end}));
  CHECK(socket.hears(message(51)));
  CHECK_FALSE(socket.hears(message(52)));
}

}  // namespace
}  // namespace ha::vrrp
