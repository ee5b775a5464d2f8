#include "vrrpd/wire/ip_header.hpp"

#include "vrrpd/wire/advert.hpp"
#include "vrrpd/wire/checksum.hpp"

namespace ha::vrrp {
namespace {

constexpr std::uint8_t kProtocolVrrp = kIpProtocolVrrp;
constexpr std::uint8_t kTrafficClass = 0xc0;
constexpr std::size_t kIpv4HeaderSize = 20;
constexpr std::size_t kIpv4Checksum = 10;

std::uint8_t high_byte(std::size_t value) { return static_cast<std::uint8_t>(value >> 8); }
std::uint8_t low_byte(std::size_t value) { return static_cast<std::uint8_t>(value); }

void append(std::vector<std::uint8_t>& bytes, const IpAddress& address) {
  const auto copy = [&](const auto& from) { bytes.insert(bytes.end(), from.begin(), from.end()); };
  if (address.is_v6()) {
    copy(address.to_v6().to_bytes());
  } else {
    copy(address.to_v4().to_bytes());
  }
}

}  // namespace

std::vector<std::uint8_t> ip_header(const Datagram& datagram) {
  const std::size_t size = datagram.message.size();
  std::vector<std::uint8_t> header;
  if (datagram.source.is_v6()) {
    header = {0x60 | kTrafficClass >> 4,
              0,
              0,
              0,
              high_byte(size),
              low_byte(size),
              kProtocolVrrp,
              datagram.ttl};
  } else {
    const std::size_t total = kIpv4HeaderSize + size;
    header = {0x45,
              kTrafficClass,
              high_byte(total),
              low_byte(total),
              0,
              0,
              0,
              0,
              datagram.ttl,
              kProtocolVrrp,
              0,
              0};
  }
  append(header, datagram.source);
  append(header, datagram.destination);
  if (datagram.source.is_v4()) {
    const std::uint16_t sum = checksum_of(word_sum(header));
    header[kIpv4Checksum] = high_byte(sum);
    header[kIpv4Checksum + 1] = low_byte(sum);
  }
  return header;
}

}  // namespace ha::vrrp
