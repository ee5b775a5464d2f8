#include "vrrpd/settings/scalars.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/system/error_code.hpp>
#include <charconv>
#include <chrono>
#include <regex>

namespace ha::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDigitsMax = 9;
constexpr std::size_t kDecimalsMax = 3;
constexpr std::size_t kInterfaceSizeBytesMax = 15;
constexpr std::size_t kSocketPathSizeBytesMax = 107;
constexpr std::size_t kPathSizeBytesMax = 4095;  // PATH_MAX without its end
constexpr std::size_t kExpressionSizeBytesMax = 256;
constexpr std::size_t kProxyNameSizeBytesMax = 255;

[[nodiscard]] tl::unexpected<std::string> refuse(std::string reason) {
  return tl::make_unexpected(std::move(reason));
}

[[nodiscard]] bool is_digit(char c) { return c >= '0' && c <= '9'; }

[[nodiscard]] bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// `text` is at most kDigitsMax digits, so that nothing overflows.
[[nodiscard]] std::int64_t value_of_digits(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value;
}

[[nodiscard]] bool has_leading_zero(std::string_view digits) {
  return digits.size() > 1 && digits[0] == '0';
}

[[nodiscard]] bool is_printable_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

struct Unit {
  std::string_view name;
  Duration length;
};
// Longer names first where one ends like another.
constexpr Unit kUnits[] = {{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}};

[[nodiscard]] std::string range_text(const DurationRange& range) {
  return fmt::format("{}{}-{}", range.or_zero ? "0s, or " : "", to_text(range.min),
                     to_text(range.max));
}

[[nodiscard]] Parsed<Duration> duration_of(std::string_view number, const Unit& unit) {
  const std::size_t point = unit.length == Duration{1s} ? number.find('.') : std::string_view::npos;
  const std::string_view whole = number.substr(0, point);
  const std::string_view decimals =
      point == std::string_view::npos ? std::string_view{} : number.substr(point + 1);
  const bool has_decimals = point != std::string_view::npos;
  if (!is_digits(whole) || (has_decimals && !is_digits(decimals))) {
    return refuse("is not a duration such as 1s or 250ms");
  }
  if (has_leading_zero(whole)) return refuse("has a leading zero");
  if (whole.size() > kDigitsMax) return refuse("is too long a time");
  if (decimals.size() > kDecimalsMax) return refuse("is finer than a millisecond");
  Duration fraction{};
  Duration place = unit.length;
  for (const char c : decimals) {
    place /= 10;
    fraction += place * (c - '0');
  }
  // Billions of hours do not fit into 64 bits of nanoseconds; nothing configurable lasts longer
  // than a year.
  const std::int64_t count = value_of_digits(whole);
  if (count > Duration{8760h} / unit.length) return refuse("is too long a time");
  return unit.length * count + fraction;
}

/// Whether a repetition or back reference has more digits than fit: libstdc++ 12 lets the number
/// overflow.
[[nodiscard]] bool has_huge_number(std::string_view expression) {
  for (std::size_t i = expression.find_first_of("\\{,"); i != std::string_view::npos;
       i = expression.find_first_of("\\{,", i + 1)) {
    const std::string_view number = expression.substr(i + 1);
    const std::size_t digits = number.find_first_not_of("0123456789");
    if (std::min(digits, number.size()) > kDigitsMax) return true;
  }
  return false;
}

/// Nothing if anybody can have `address`.
[[nodiscard]] std::optional<std::string> why_no_host(const IpAddress& address) {
  if (address.is_unspecified()) return "is the unspecified address";
  if (address.is_multicast()) return "is a multicast address";
  if (address.is_loopback()) return "is a loopback address";
  if (address.is_v4() && address.to_v4() == boost::asio::ip::address_v4::broadcast()) {
    return "is the broadcast address";
  }
  if (address.is_v6() && address.to_v6().is_v4_mapped()) return "is an IPv4 address in IPv6 form";
  return std::nullopt;
}

}  // namespace

Parsed<int> parse_integer(std::string_view text, IntegerRange range) {
  const std::string outside = fmt::format("is not in {}-{}", range.min, range.max);
  const bool negative = !text.empty() && text[0] == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (!is_digits(digits))
    return refuse(fmt::format("is not a whole number in {}-{}", range.min, range.max));
  if (has_leading_zero(digits)) return refuse("has a leading zero");
  if (negative || digits.size() > kDigitsMax) return refuse(outside);
  const std::int64_t value = value_of_digits(digits);
  if (value < range.min || value > range.max) return refuse(outside);
  return static_cast<int>(value);
}

Parsed<int> parse_percentage(std::string_view text) {
  if (text.empty() || text.back() != '%') return refuse("is not a percentage such as 50%");
  const Parsed<int> number = parse_integer(text.substr(0, text.size() - 1), {0, 100});
  if (!number) return refuse("is not a whole number in 0%-100%");
  return *number;
}

Parsed<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return refuse("is neither true nor false");
}

Parsed<Duration> parse_duration(std::string_view text) {
  if (is_digits(text)) return refuse("has no unit: ms, s, m or h");
  for (const Unit& unit : kUnits) {
    if (text.size() <= unit.name.size()) continue;
    const std::size_t number_size = text.size() - unit.name.size();
    if (text.substr(number_size) == unit.name)
      return duration_of(text.substr(0, number_size), unit);
  }
  return refuse("is not a duration such as 1s or 250ms");
}

Parsed<Duration> parse_duration(std::string_view text, const DurationRange& range) {
  const Parsed<Duration> duration = parse_duration(text);
  if (!duration) return refuse(fmt::format("{} (range {})", duration.error(), range_text(range)));
  const bool inside = *duration >= range.min && *duration <= range.max;
  if (!inside && !(range.or_zero && *duration == Duration{})) {
    return refuse("is not in " + range_text(range));
  }
  return *duration;
}

Parsed<Duration> parse_advertisement_interval(std::string_view text, Version version) {
  const bool is_2 = version == Version::k2;
  const std::string_view range =
      is_2 ? "1s-255s in whole seconds (version 2)" : "10ms-40.95s in steps of 10ms (version 3)";
  const Duration step = is_2 ? Duration{1s} : Duration{10ms};
  const Duration longest = is_2 ? Duration{255s} : Duration{40950ms};
  const Parsed<Duration> duration = parse_duration(text);
  if (!duration) return refuse(fmt::format("{} (range {})", duration.error(), range));
  if (*duration < step || *duration > longest || *duration % step != Duration{}) {
    return refuse(fmt::format("is not in {}", range));
  }
  return *duration;
}

std::string to_text(Duration duration) {
  if (duration != Duration{} && duration % 1h == Duration{})
    return fmt::format("{}h", duration / 1h);
  if (duration % 1s == Duration{}) return fmt::format("{}s", duration / 1s);
  return fmt::format("{}ms", duration / 1ms);
}

Parsed<IpAddress> parse_address(std::string_view text) {
  // Checked here, since the parser below would look the zone up on this machine.
  if (text.find('%') != std::string_view::npos) {
    return refuse("names a zone; the interface has a key of its own");
  }
  boost::system::error_code error;
  const IpAddress address = boost::asio::ip::make_address(std::string{text}, error);
  if (error) return refuse("is not an IPv4 or IPv6 address");
  return address;
}

Parsed<IpAddress> parse_host_address(std::string_view text) {
  const Parsed<IpAddress> address = parse_address(text);
  if (!address) return address;
  if (const auto reason = why_no_host(*address)) return refuse(*reason);
  return address;
}

Parsed<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const Parsed<IpAddress> address = parse_host_address(text.substr(0, slash));
  if (!address) return refuse(address.error());
  const int longest = address->is_v4() ? 32 : 128;
  if (slash == std::string_view::npos) return Prefix{*address, static_cast<std::uint8_t>(longest)};
  const Parsed<int> length = parse_integer(text.substr(slash + 1), {1, longest});
  if (!length) return refuse(fmt::format("has a prefix length that is not in 1-{}", longest));
  return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

Parsed<std::string> parse_interface(std::string_view text) {
  const bool is_reserved = text == "." || text == "..";
  if (!is_printable_word(text) || text.size() > kInterfaceSizeBytesMax || is_reserved ||
      text.find_first_of("/:") != std::string_view::npos) {
    return refuse("is not an interface name: 1-15 characters without '/', ':' and blanks");
  }
  return std::string{text};
}

Parsed<MacAddress> parse_mac(std::string_view text) {
  constexpr const char* kForm =
      "is not a MAC address of one machine as 02:00:5e:10:00:01, six pairs of hexadecimal digits";
  MacAddress mac{};
  constexpr std::size_t kPair = 3;  // with the colon behind it
  if (text.size() != kPair * mac.size() - 1) return tl::make_unexpected(kForm);
  for (std::size_t i = 0; i < mac.size(); ++i) {
    const char* const pair = text.data() + i * kPair;
    const auto [end, error] = std::from_chars(pair, pair + 2, mac[i], 16);
    const bool is_separated = i + 1 == mac.size() || pair[2] == ':';
    if (error != std::errc{} || end != pair + 2 || !is_separated) {
      return tl::make_unexpected(kForm);
    }
  }
  const bool is_group = (mac.front() & 1U) != 0;
  if (is_group || mac == MacAddress{}) return tl::make_unexpected(kForm);
  return mac;
}

Parsed<std::string> parse_word(std::string_view text, std::size_t size_bytes_max) {
  if (!is_printable_word(text) || text.size() > size_bytes_max) {
    return refuse(
        fmt::format("is not 1-{} printable ASCII characters without blanks", size_bytes_max));
  }
  return std::string{text};
}

Parsed<std::string> parse_proxy_name(std::string_view text) {
  const bool is_accepted = std::all_of(text.begin(), text.end(), [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view{"-_.:"}.find(c) != std::string_view::npos;
  });
  if (text.empty() || text.size() > kProxyNameSizeBytesMax || !is_accepted) {
    return refuse("is not a name of HAProxy: 1-255 letters, digits and '-_.:'");
  }
  return std::string{text};
}

Parsed<std::string> parse_socket_path(std::string_view text) {
  if (text.empty() || text[0] != '/' || text.size() > kSocketPathSizeBytesMax) {
    return refuse("is not the absolute path of a Unix socket, 1-107 bytes");
  }
  return std::string{text};
}

Parsed<std::string> parse_path(std::string_view text) {
  if (text.empty() || text[0] != '/' || text.size() > kPathSizeBytesMax) {
    return refuse("is not an absolute path, 1-4095 bytes");
  }
  return std::string{text};
}

Parsed<Endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> default_port) {
  const std::string form =
      fmt::format("is not ADDRESS{}, IPv6 in []", default_port ? "[:PORT]" : ":PORT");
  std::string_view host = text;
  std::string_view rest;
  if (!text.empty() && text[0] == '[') {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return refuse(form);
    host = text.substr(1, bracket - 1);
    rest = text.substr(bracket + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  Endpoint endpoint;
  const Parsed<IpAddress> address = parse_address(host);
  if (!address || address->is_v6() != (text[0] == '[')) return refuse(form);
  if (address->is_unspecified() || address->is_multicast()) {
    return refuse("is no address that answers");
  }
  endpoint.address = *address;
  if (rest.empty() && default_port) {
    endpoint.port = *default_port;
    return endpoint;
  }
  if (rest.empty() || rest[0] != ':') return refuse(form);
  const Parsed<int> port = parse_integer(rest.substr(1), {1, 65'535});
  if (!port) return refuse("has a port that is not in 1-65535");
  endpoint.port = static_cast<std::uint16_t>(*port);
  return endpoint;
}

Parsed<std::string> parse_expression(std::string_view text, unsigned groups_min) {
  if (text.empty() || text.size() > kExpressionSizeBytesMax) {
    return refuse("is not a regular expression of 1-256 bytes");
  }
  if (has_huge_number(text)) return refuse("has too large a number");
  try {
    const std::regex expression{text.begin(), text.end(), std::regex::ECMAScript};
    if (expression.mark_count() < groups_min) {
      return refuse("has no group '(…)' that names the team");
    }
  } catch (const std::regex_error&) {
    // What the library says about it differs between its versions and helps nobody.
    return refuse("is not a valid regular expression (ECMAScript)");
  }
  return std::string{text};
}

std::string_view name_of(Family family) { return family == Family::kIpv4 ? "IPv4" : "IPv6"; }

bool is_link_local(const IpAddress& address) {
  return address.is_v6() && address.to_v6().is_link_local();
}

}  // namespace ha::config
