/// From the text of one value to what it means: numbers, durations, addresses, names. Pure
/// functions that know neither keys nor positions; a refusal is the end of a sentence that starts
/// with the key and the value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "ha/ip.hpp"
#include "ha/mac.hpp"
#include "ha/types.hpp"

namespace ha::config {

/// A value, or what is wrong with the text: "is not in 1-255".
template <class T>
using Parsed = tl::expected<T, std::string>;

struct IntegerRange {
  int min = 0;
  int max = 0;
};

struct DurationRange {
  Duration min{};
  Duration max{};
  bool or_zero = false;  ///< 0s is accepted although it is below `min`
};

/// Decimal digits without a leading zero (a YAML reader might take 010 for 8).
[[nodiscard]] Parsed<int> parse_integer(std::string_view text, IntegerRange range);

/// An integer with a percent sign: "50%".
[[nodiscard]] Parsed<int> parse_percentage(std::string_view text);

/// Only `true` and `false`; what else YAML reads as a boolean (yes, on, True) is refused.
[[nodiscard]] Parsed<bool> parse_boolean(std::string_view text);

/// An integer with a unit (ms, s, m, h); seconds may have up to three decimals. Always whole
/// milliseconds.
[[nodiscard]] Parsed<Duration> parse_duration(std::string_view text);

/// The same, within `range`.
[[nodiscard]] Parsed<Duration> parse_duration(std::string_view text, const DurationRange& range);

/// How often a master of `version` advertises: whole seconds from 1 to 255 (RFC 3768
/// section 5.3.7), or hundredths of a second from 1 to 4095 (RFC 9568 section 5.2.7).
[[nodiscard]] Parsed<Duration> parse_advertisement_interval(std::string_view text, Version version);

/// The shortest text that parse_duration() reads back: "1h", "60s", "250ms". `duration` is whole
/// milliseconds and not negative.
[[nodiscard]] std::string to_text(Duration duration);

/// An address without zone or prefix length.
[[nodiscard]] Parsed<IpAddress> parse_address(std::string_view text);

/// An address somebody can have: neither unspecified, multicast, loopback, limited broadcast nor an
/// IPv4 address in IPv6 clothes.
[[nodiscard]] Parsed<IpAddress> parse_host_address(std::string_view text);

/// A host address with a prefix length of at least 1; a bare address means /32 or /128.
[[nodiscard]] Parsed<Prefix> parse_prefix(std::string_view text);

/// 1-15 printable ASCII characters without '/', ':' and blanks, as the kernel demands of an
/// interface's name.
[[nodiscard]] Parsed<std::string> parse_interface(std::string_view text);

/// The MAC address of one machine, "02:00:5e:10:00:01": neither zero nor that of a group.
[[nodiscard]] Parsed<MacAddress> parse_mac(std::string_view text);

/// 1-`size_bytes_max` printable ASCII characters without blanks: what logs, metrics and shells can
/// carry unharmed.
[[nodiscard]] Parsed<std::string> parse_word(std::string_view text, std::size_t size_bytes_max);

/// A name HAProxy would accept: letters, digits and "-_.:".
[[nodiscard]] Parsed<std::string> parse_proxy_name(std::string_view text);

/// An absolute path that fits into a Unix socket address (107 bytes).
[[nodiscard]] Parsed<std::string> parse_socket_path(std::string_view text);

/// An absolute path of at most 4095 bytes.
[[nodiscard]] Parsed<std::string> parse_path(std::string_view text);

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
};

/// "127.0.0.1:3306", "[::1]:3306"; without a port only if there is a default one. Names are
/// refused, since looking them up would take its time.
[[nodiscard]] Parsed<Endpoint> parse_endpoint(std::string_view text,
                                              std::optional<std::uint16_t> default_port);

/// An ECMAScript regular expression of 1-256 bytes with at least `groups_min` groups.
[[nodiscard]] Parsed<std::string> parse_expression(std::string_view text, unsigned groups_min);

/// "IPv4", "IPv6".
[[nodiscard]] std::string_view name_of(Family family);

[[nodiscard]] bool is_link_local(const IpAddress& address);

}  // namespace ha::config
