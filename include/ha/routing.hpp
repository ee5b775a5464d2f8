/// Routes and rules of the kernel, as ip-route(8) and ip-rule(8) speak of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "ha/ip.hpp"
#include "ha/types.hpp"

namespace ha {

/// rtnetlink(7): the number that says who installed a route; this one is keepalived's.
inline constexpr std::uint8_t kRouteOrigin = 18;
inline constexpr std::uint32_t kMainTable = 254;

struct Route {
  enum class Type : std::uint8_t {  ///< the kernel's numbers
    kUnicast = 1,
    kLocal = 2,
    kBlackhole = 6,
    kUnreachable = 7,
    kProhibit = 8,
  };
  Type type = Type::kUnicast;
  Family family = Family::kIpv4;
  std::optional<Prefix> destination;  ///< nothing: default
  std::optional<IpAddress> gateway;
  std::string interface;  ///< empty: found by the kernel
  std::optional<IpAddress> source;
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;  ///< 0: the kernel's default
  std::uint8_t scope = 0;    ///< rtnetlink(7): 0 global, 253 link, 254 host
  std::uint8_t origin = kRouteOrigin;
  bool onlink = false;
  std::uint32_t mtu = 0;  ///< 0: none

  friend bool operator==(const Route&, const Route&) = default;
};

/// Says which table is looked at for a packet that fits everything that is given.
struct Rule {
  Family family = Family::kIpv4;
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::string incoming;  ///< interface; empty: any
  std::string outgoing;
  std::optional<std::uint32_t> mark;
  std::optional<std::uint32_t> preference;  ///< nothing: chosen by the kernel
  std::uint32_t table = kMainTable;

  friend bool operator==(const Rule&, const Rule&) = default;
};

using Routing = std::variant<Route, Rule>;

}  // namespace ha
