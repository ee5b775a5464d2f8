/// What a configuration file means, as values. Whoever holds a Config holds a valid one: ranges,
/// uniqueness and references have been checked, defaults filled in.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ha/command.hpp"
#include "ha/ip.hpp"
#include "ha/mac.hpp"
#include "ha/rare.hpp"
#include "ha/routing.hpp"
#include "ha/types.hpp"
#include "haproxy_probe/config.hpp"
#include "vrrpd/checks/config.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::vrrp {

struct VirtualAddress {
  Prefix prefix;
  std::string interface;  ///< empty: the instance's
  std::string label;      ///< IPv4 only, empty: none
  bool advertise = true;  ///< false: installed, but not in the advertisement
  bool noprefixroute = false;
  std::uint8_t scope = 0;  ///< rtnetlink(7): 0 global, 253 link, 254 host; IPv4 only
  std::optional<boost::asio::ip::address_v4> broadcast{};  ///< nothing: none
  /// The name of a macvlan on its interface that it belongs on, with virtual_mac_address().
  /// Nothing: none of its own.
  Rare<std::string> device{};

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

enum class ArpForm : std::uint8_t { kRequest, kReply, kBoth };
enum class ChecksumPolicy : std::uint8_t { kAuto, kPseudoHeader, kMessageOnly };

/// What a track does to the instances that have it.
struct TrackEffect {
  enum class Kind : std::uint8_t {
    kDemote,   ///< lowers the priority by `amount`, 1-254
    kPromote,  ///< raises it by `amount`, 1-254
    /// Keeps the instance out of the election; no amount. A check that gives a number counts as
    /// healthy here while that is 0.
    kFault,
    /// Raises it by `amount`, -254 to 254 and not 0, times the check's number; -254 or less in all
    /// keeps the instance out of the election.
    kWeight,
  };
  Kind kind = Kind::kDemote;
  int amount = 0;
  /// In force while the check is healthy, rather than while it is not. No meaning for kWeight.
  bool when_healthy = false;

  friend bool operator==(const TrackEffect&, const TrackEffect&) = default;
};

/// The evaluator's verdict, with the amounts of the `haproxy` section.
struct TrackHaproxy {
  friend bool operator==(const TrackHaproxy&, const TrackHaproxy&) = default;
};
/// Healthy is a link that is up. Never kWeight.
struct TrackInterface {
  std::string interface;
  TrackEffect effect;
  friend bool operator==(const TrackInterface&, const TrackInterface&) = default;
};
/// One of `checks`; kWeight or kFault if that gives a number, and kWeight only then.
struct TrackCheck {
  std::string check;
  TrackEffect effect;
  friend bool operator==(const TrackCheck&, const TrackCheck&) = default;
};
/// How far this machine's copy of a team's files is behind, as gluster-sync reports it. Lowers the
/// priority by `demote`, 1-254, while that is more than `max_lag` or unknown, and not while master:
/// the data are where the master is.
struct TrackSync {
  std::string team;
  int demote = 0;
  Duration max_lag = std::chrono::minutes{10};
  friend bool operator==(const TrackSync&, const TrackSync&) = default;
};
using Track = std::variant<TrackHaproxy, TrackInterface, TrackCheck, TrackSync>;

/// Null for haproxy, whose amounts stand in its own section, and for sync, which has but one.
[[nodiscard]] inline const TrackEffect* effect_of(const Track& track) {
  return std::visit(
      [](const auto& subject) -> const TrackEffect* {
        if constexpr (requires { subject.effect; }) {
          return &subject.effect;
        } else {
          return nullptr;
        }
      },
      track);
}

/// Commands that are told about changes of state.
struct NotifyConfig {
  Rare<Command> master;
  Rare<Command> backup;
  Rare<Command> fault;
  Rare<Command> stop;
  /// For every change; gets INSTANCE or GROUP, the name, the state and the priority appended.
  Rare<Command> any;
  /// A master heard an advertisement of lower priority; of an instance only.
  Rare<Command> lower_priority;
  /// A reload has removed the instance: instead of `stop`, and `any` and the pipe hear of DELETED;
  /// of an instance only.
  Rare<Command> deleted;
  /// `any` hears of changes of the effective priority, too; of an instance only.
  bool priority_changes = false;
  /// A mail tells of master, backup and fault.
  bool mail = false;

  friend bool operator==(const NotifyConfig&, const NotifyConfig&) = default;
};

/// The addresses have a MAC address of their own, on a macvlan of the instance's interface: a
/// fail-over changes nobody's ARP table.
struct VirtualMac {
  std::string device;    ///< the macvlan's name
  MacAddress address{};  ///< default: virtual_mac_address()
  /// Advertisements leave by the macvlan; otherwise by the interface itself. False with unicast
  /// peers.
  bool transmits = true;

  friend bool operator==(const VirtualMac&, const VirtualMac&) = default;
};

struct InstanceConfig {
  std::string name;
  std::string
      interface;  ///< empty: the one whose subnet holds the first address, found at run time
  Vrid vrid;
  /// False: without its link it stays what it is.
  bool watches_link = true;
  /// Accept_Mode (RFC 9568 section 6.1). False: what is sent to its addresses, or from them, is
  /// dropped, unless its priority is 255.
  bool accepts = true;
  /// Nothing: the addresses have the interface's own MAC address.
  Rare<VirtualMac> virtual_mac;
  /// Version, priority, interval, preemption and announcements: what the election needs.
  RouterConfig router;
  /// At least one; all advertised ones of one family, IPv6 link-local ones first.
  std::vector<VirtualAddress> addresses;
  Rare<IpAddress> source_address;  ///< nothing: auto
  IpAddress multicast_group;
  std::vector<IpAddress> unicast_peers;  ///< not empty: unicast instead of multicast
  std::uint8_t minimum_ttl = 255;
  Rare<std::string> password;  ///< version 2, 1-8 bytes
  ChecksumPolicy checksum = ChecksumPolicy::kAuto;
  ArpForm gratuitous_arp_form = ArpForm::kRequest;
  /// At least so long between two announcements on one interface; 0 sends them together.
  Duration announcement_spacing{};
  /// Lifetime in the kernel of the addresses we install, whole seconds; nothing: they stay until
  /// removed. At least 3 advertisement intervals.
  std::optional<Duration> lease;
  /// Installed while master.
  std::vector<Route> routes;
  std::vector<Rule> rules;
  std::vector<Track> tracks;
  NotifyConfig notify;

  /// That of the advertised addresses.
  [[nodiscard]] Family family() const {
    for (const VirtualAddress& address : addresses) {
      if (address.advertise) return family_of(address.prefix.address);
    }
    return family_of(addresses.front().prefix.address);
  }

  /// Whether `address`, one of them, belongs on the macvlan of `virtual_mac`: it is on the
  /// instance's interface, and of its family, for which that MAC address is.
  [[nodiscard]] bool has_virtual_mac(const VirtualAddress& address) const {
    const bool is_elsewhere = !address.interface.empty() && address.interface != interface;
    return virtual_mac && !is_elsewhere && family_of(address.prefix.address) == family();
  }

  /// The name of the macvlan that `address`, one of them, belongs on; null: on none.
  [[nodiscard]] const std::string* device_of(const VirtualAddress& address) const {
    if (has_virtual_mac(address)) return &virtual_mac->device;
    return address.device ? &*address.device : nullptr;
  }

  friend bool operator==(const InstanceConfig&, const InstanceConfig&) = default;
};

/// Instances that are master together or not at all.
struct GroupConfig {
  std::string name;
  std::vector<std::string> instances;  ///< at least one; none is in two groups
  NotifyConfig notify;

  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

/// Every notification as one line in a named pipe, as keepalived writes them.
struct NotifyFifo {
  std::string path;
  /// Started with the daemon, and again whenever it ends; gets the path appended. Has no timeout.
  Rare<Command> reader;
  /// A reload writes the states that instances and groups are in once more.
  bool states_on_reload = false;

  friend bool operator==(const NotifyFifo&, const NotifyFifo&) = default;
};

/// How mails are sent for those whose `notify` has `mail`.
struct MailConfig {
  std::vector<std::string> to;  ///< at least one
  std::string from;
  std::string server = "127.0.0.1";  ///< a name or an address
  std::uint16_t port = 25;
  std::string helo;  ///< how we introduce ourselves to the server
  std::string name;  ///< how subjects call this machine
  /// Of connecting, once the server has been looked up, and of each answer.
  Duration timeout = std::chrono::seconds{30};
  bool faults = true;  ///< faults are told, too

  friend bool operator==(const MailConfig&, const MailConfig&) = default;
};

/// What this machine has for as long as the daemon runs, whatever its virtual routers do.
struct StaticConfig {
  std::vector<VirtualAddress> addresses;  ///< each with its interface
  std::vector<Route> routes;
  std::vector<Rule> rules;

  friend bool operator==(const StaticConfig&, const StaticConfig&) = default;
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
  /// For so long after its start the daemon hears nobody and takes nothing over.
  Duration startup_delay{};
  std::vector<InstanceConfig> instances;
  std::vector<GroupConfig> groups;
  std::vector<checks::CheckConfig> checks;  ///< by name
  std::optional<NotifyFifo> notify_fifo;
  std::optional<MailConfig> mail;  ///< there if and only if somebody's `notify` has `mail`
  StaticConfig fixed;              ///< `static`
  std::optional<probe::ProbeConfig> haproxy;
  ControlConfig control;
  std::optional<HttpConfig> http;  ///< nothing: off
  LogConfig log;

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace ha::vrrp
