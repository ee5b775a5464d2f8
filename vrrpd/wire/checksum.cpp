#include "vrrpd/wire/checksum.hpp"

namespace ha::vrrp {

namespace {

std::uint64_t address_sum(const IpAddress& address) {
  return address.is_v4() ? word_sum(address.to_v4().to_bytes())
                         : word_sum(address.to_v6().to_bytes());
}

}  // namespace

std::uint64_t word_sum(std::span<const std::uint8_t> bytes) {
  std::uint64_t sum = 0;
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) {
    sum += static_cast<std::uint64_t>(bytes[i] << 8 | bytes[i + 1]);
  }
  if (i < bytes.size()) sum += static_cast<std::uint64_t>(bytes[i]) << 8;
  return sum;
}

std::uint64_t pseudo_header_sum(const IpAddress& source, const IpAddress& destination,
                                std::uint8_t protocol, std::size_t length) {
  return address_sum(source) + address_sum(destination) + protocol + (length >> 16) +
         (length & 0xffff);
}

std::uint16_t fold(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum >> 16) + (sum & 0xffff);
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t checksum_of(std::uint64_t sum) { return static_cast<std::uint16_t>(~fold(sum)); }

}  // namespace ha::vrrp
