#include "vrrpd/wire/announce.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

#include "ha/check.hpp"
#include "vrrpd/wire/checksum.hpp"

namespace ha::vrrp {

namespace {

constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
/// The link-layer form of ff02::1 (RFC 2464 section 7).
constexpr MacAddress kAllNodesMac{0x33, 0x33, 0x00, 0x00, 0x00, 0x01};
constexpr std::array<std::uint8_t, 16> kAllNodes{0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                 0,    0,    0, 0, 0, 0, 0, 1};

constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kIpv6HeaderSize = 40;
constexpr std::uint8_t kIcmpv6 = 58;

/// Fills a frame from its first byte to its last.
class FrameWriter {
 public:
  explicit FrameWriter(std::span<std::uint8_t> frame) : rest_{frame} {}

  template <std::size_t kSize>
  FrameWriter& put(const std::array<std::uint8_t, kSize>& bytes) {
    std::copy(bytes.begin(), bytes.end(), rest_.begin());
    rest_ = rest_.subspan(kSize);
    return *this;
  }

  template <class... Byte>
  FrameWriter& bytes(Byte... values) {
    return put(std::array<std::uint8_t, sizeof...(Byte)>{static_cast<std::uint8_t>(values)...});
  }

  FrameWriter& word(std::uint16_t value) { return bytes(value >> 8, value & 0xff); }

  [[nodiscard]] bool is_full() const { return rest_.empty(); }

 private:
  std::span<std::uint8_t> rest_;
};

}  // namespace

//   0      6      12     14     16     18   19   20        22     28     32     38     42
//   +------+------+------+------+------+----+----+---------+------+------+------+------+
//   | dst  | src  | 0806 | 0001 | 0800 | 06 | 04 |operation| sender      | target      |
//   |      |      |      |      |      |    |    |         | MAC  | IPv4 | MAC  | IPv4 |
//   +------+------+------+------+------+----+----+---------+------+------+------+------+
ArpFrame gratuitous_arp(const MacAddress& mac, const IpAddress& address, ArpOperation operation) {
  HA_CHECK(address.is_v4());
  const auto protocol_address = address.to_v4().to_bytes();

  ArpFrame frame{};
  FrameWriter writer{frame};
  writer.put(kBroadcast).put(mac).word(0x0806);
  writer.word(1).word(0x0800).bytes(6, 4).word(static_cast<std::uint16_t>(operation));
  writer.put(mac).put(protocol_address);
  writer.put(operation == ArpOperation::kReply ? mac : kBroadcast).put(protocol_address);
  HA_CHECK(writer.is_full());
  return frame;
}

//   0          14            54     55     56       58          62       78   79   80     86
//   +----------+-------------+------+------+--------+-----------+--------+----+----+------+
//   | Ethernet | IPv6 header | 136  |  0   |checksum|RSO, zeros | target | 02 | 01 | MAC  |
//   +----------+-------------+------+------+--------+-----------+--------+----+----+------+
NeighborFrame unsolicited_advertisement(const MacAddress& mac, const IpAddress& address) {
  HA_CHECK(address.is_v6());
  const auto target = address.to_v6().to_bytes();
  constexpr std::size_t kIcmpOffset = kEthernetSize + kIpv6HeaderSize;
  constexpr std::size_t kIcmpSize = std::tuple_size_v<NeighborFrame> - kIcmpOffset;
  constexpr std::size_t kChecksumOffset = kIcmpOffset + 2;

  NeighborFrame frame{};
  FrameWriter writer{frame};
  writer.put(kAllNodesMac).put(mac).word(0x86dd);
  writer.bytes(0x60, 0, 0, 0).word(kIcmpSize).bytes(kIcmpv6, 255).put(target).put(kAllNodes);
  writer.bytes(136, 0).word(0);
  // Router and Override; Solicited must be clear in what is sent to a group (RFC 4861
  // section 7.2.6).
  writer.bytes(0xa0, 0, 0, 0).put(target);
  writer.bytes(2, 1).put(mac);
  HA_CHECK(writer.is_full());

  const std::uint64_t sum =
      word_sum(std::span{frame}.subspan(kIcmpOffset)) +
      pseudo_header_sum(address, boost::asio::ip::address_v6{kAllNodes}, kIcmpv6, kIcmpSize);
  const std::uint16_t checksum = checksum_of(sum);
  FrameWriter{std::span{frame}.subspan(kChecksumOffset, 2)}.word(checksum);
  return frame;
}

}  // namespace ha::vrrp
