#include "vrrpd/wire/advert.hpp"

#include <algorithm>
#include <chrono>

#include "ha/check.hpp"
#include "vrrpd/wire/checksum.hpp"
#include "vrrpd/wire/layout.hpp"

namespace ha::vrrp {

namespace {

using namespace std::chrono_literals;

void check_representable(const Advert& advert, Family family) {
  const Duration unit = advert.version == Version::k2 ? Duration{1s} : Duration{10ms};
  const int units_max = advert.version == Version::k2 ? 255 : 4095;
  HA_CHECK(advert.interval >= unit && advert.interval <= units_max * unit);
  HA_CHECK(advert.interval % unit == 0ns);
  HA_CHECK(advert.version == Version::k3 || family == Family::kIpv4);
  HA_CHECK(advert.version == Version::k2 || !advert.password);
  HA_CHECK(advert.addresses.size() <= 255);
  HA_CHECK(std::all_of(advert.addresses.begin(), advert.addresses.end(),
                       [&](const IpAddress& address) { return family_of(address) == family; }));
}

/// Bytes 4 and 5, whose meaning depends on the version.
std::uint16_t interval_word(const Advert& advert) {
  if (advert.version == Version::k3) {
    // The Reserve bits above are zero (RFC 9568 section 5.2.6).
    return static_cast<std::uint16_t>(advert.interval / layout::WireCentiseconds{1});
  }
  const int auth_type = advert.password ? layout::kAuthTypeSimpleText : layout::kAuthTypeNone;
  return static_cast<std::uint16_t>(auth_type << 8 | static_cast<int>(advert.interval / 1s));
}

template <class Bytes>
void append(std::vector<std::uint8_t>& message, const Bytes& bytes) {
  message.insert(message.end(), bytes.begin(), bytes.end());
}

void store(std::vector<std::uint8_t>& message, std::size_t offset, std::uint16_t value) {
  message[offset] = static_cast<std::uint8_t>(value >> 8);
  message[offset + 1] = static_cast<std::uint8_t>(value & 0xff);
}

}  // namespace

Password make_password(std::string_view text) {
  Password password{};
  std::copy_n(text.begin(), std::min(text.size(), password.size()), password.begin());
  return password;
}

std::vector<std::uint8_t> encode(const Advert& advert, const IpAddress& source,
                                 const IpAddress& destination, ChecksumForm form) {
  const Family family = family_of(source);
  check_representable(advert, family);

  std::vector<std::uint8_t> message;
  message.reserve(layout::message_size(advert.version, family, advert.addresses.size()));
  message.resize(layout::kHeaderSize);
  message[layout::kVersionAndType] =
      static_cast<std::uint8_t>(static_cast<int>(advert.version) << 4 | layout::kTypeAdvertisement);
  message[layout::kVrid] = advert.vrid.value();
  message[layout::kPriority] = advert.priority.value();
  message[layout::kAddressCount] = static_cast<std::uint8_t>(advert.addresses.size());
  store(message, layout::kInterval, interval_word(advert));
  for (const IpAddress& address : advert.addresses) {
    if (family == Family::kIpv4) {
      append(message, address.to_v4().to_bytes());
    } else {
      append(message, address.to_v6().to_bytes());
    }
  }
  if (advert.version == Version::k2) append(message, advert.password.value_or(Password{}));

  std::uint64_t sum = word_sum(message);
  if (layout::checksum_form(advert.version, family, form) == ChecksumForm::kPseudoHeader) {
    sum += pseudo_header_sum(source, destination, kIpProtocolVrrp, message.size());
  }
  store(message, layout::kChecksum, checksum_of(sum));
  return message;
}

}  // namespace ha::vrrp
