/// VRRP advertisements as values, and their encoding. What a received packet must satisfy is in
/// receive.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ha/ip.hpp"
#include "ha/types.hpp"

namespace ha::vrrp {

/// IP protocol number and IPv6 next header of VRRP (RFC 9568 section 5.1).
inline constexpr int kIpProtocolVrrp = 112;

/// The largest advertisement: 8 bytes and 255 IPv6 addresses (RFC 9568 section 5.2).
inline constexpr std::size_t kAdvertSizeMax = 8 + 255 * 16;

/// A simple text password of version 2, zero-filled to 8 bytes (RFC 2338 section 5.3.10).
using Password = std::array<std::uint8_t, 8>;

/// The first 8 bytes of `text`, zero-filled.
[[nodiscard]] Password make_password(std::string_view text);

struct Advert {
  Version version = Version::k3;
  Vrid vrid;
  Priority priority;
  /// Sent in whole seconds by version 2 (1-255), in centiseconds by version 3 (1-4095).
  Duration interval{};
  /// All of one family, at most 255. IPv6: the first one is link-local.
  std::vector<IpAddress> addresses;
  /// Version 2 only: present means Auth Type 1.
  std::optional<Password> password;

  friend bool operator==(const Advert&, const Advert&) = default;
};

/// The VRRP message of `advert`, checksum included, as it is sent from `source` to `destination`
/// (they enter the pseudo-header). `form` matters for version 3 over IPv4 only.
///
/// `advert` must be one that its version can say, which a valid configuration sees to: an interval
/// and addresses as above, version 2 over IPv4 only, a password in version 2 only. Checked with
/// HA_CHECK.
[[nodiscard]] std::vector<std::uint8_t> encode(const Advert& advert, const IpAddress& source,
                                               const IpAddress& destination, ChecksumForm form);

}  // namespace ha::vrrp
