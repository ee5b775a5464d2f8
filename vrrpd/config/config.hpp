/// What a configuration file means, as values. Whoever holds a Config holds a valid one: ranges,
/// uniqueness and references have been checked, defaults filled in.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ha/ip.hpp"
#include "ha/types.hpp"
#include "haproxy_probe/config.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {

struct VirtualAddress {
  Prefix prefix;
  std::string interface;  ///< empty: the instance's
  std::string label;      ///< IPv4 only, empty: none
  bool advertise = true;  ///< false: installed, but not in the advertisement
  bool noprefixroute = false;

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

enum class ArpForm : std::uint8_t { kRequest, kReply, kBoth };
enum class ChecksumPolicy : std::uint8_t { kAuto, kPseudoHeader, kMessageOnly };

/// The evaluator's verdict, with the amounts of the `haproxy` section.
struct TrackHaproxy {
  friend bool operator==(const TrackHaproxy&, const TrackHaproxy&) = default;
};
/// `demote` while the link is down or missing.
struct TrackInterface {
  std::string interface;
  int demote = 0;  ///< 1-254
  friend bool operator==(const TrackInterface&, const TrackInterface&) = default;
};
using Track = std::variant<TrackHaproxy, TrackInterface>;

struct InstanceConfig {
  std::string name;
  std::string
      interface;  ///< empty: the one whose subnet holds the first address, found at run time
  Vrid vrid;
  /// Version, priority, interval, preemption and announcements: what the election needs.
  RouterConfig router;
  /// At least one; all advertised ones of one family, IPv6 link-local ones first.
  std::vector<VirtualAddress> addresses;
  std::optional<IpAddress> source_address;  ///< nothing: auto
  IpAddress multicast_group;
  std::vector<IpAddress> unicast_peers;  ///< not empty: unicast instead of multicast
  std::uint8_t minimum_ttl = 255;
  std::optional<std::string> password;  ///< version 2, 1-8 bytes
  ChecksumPolicy checksum = ChecksumPolicy::kAuto;
  ArpForm gratuitous_arp_form = ArpForm::kRequest;
  /// Lifetime in the kernel of the addresses we install, whole seconds; nothing: they stay until
  /// removed. At least 3 advertisement intervals.
  std::optional<Duration> lease;
  std::vector<Track> tracks;

  [[nodiscard]] Family family() const { return family_of(addresses.front().prefix.address); }

  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

struct ControlConfig {
  std::string socket = "/run/vrrpd/control.sock";
  std::string group = "vrrpd";  ///< may use the socket; ignored where no such group exists

  friend bool operator==(const ControlConfig&, const ControlConfig&) = default;
};

/// Where /metrics, /status and the page are served.
struct HttpConfig {
  IpAddress address;
  std::uint16_t port = 0;  ///< 1-65535

  friend bool operator==(const HttpConfig&, const HttpConfig&) = default;
};

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : std::uint8_t { kText, kJson };
struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct Config {
  std::string node;  ///< default: the short host name
  std::vector<InstanceConfig> instances;
  std::optional<probe::ProbeConfig> haproxy;
  ControlConfig control;
  std::optional<HttpConfig> http;  ///< nothing: off
  LogConfig log;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace ha::vrrp
