#include "vrrpd/kernel/rtnetlink.hpp"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "ha/check.hpp"
#include "vrrpd/kernel/macvlan.hpp"
#include "vrrpd/kernel/message.hpp"

namespace ha::vrrp {
namespace {

/// IFA_PROTO, which headers before Linux 5.18 do not name and kernels before it ignore; and what
/// this daemon puts there: the number of the protocol.
constexpr int kAddressOrigin = 11;
constexpr std::uint8_t kMark = 112;

void put_address(const Message& message, const IpAddress& address) {
  // As `ip address add` does it: without a peer both attributes are the address itself. A removal
  // needs IFA_ADDRESS, or the prefix length is not looked at.
  if (address.is_v4()) {
    put(message, IFA_LOCAL, address.to_v4().to_bytes());
    put(message, IFA_ADDRESS, address.to_v4().to_bytes());
  } else {
    put(message, IFA_LOCAL, address.to_v6().to_bytes());
    put(message, IFA_ADDRESS, address.to_v6().to_bytes());
  }
}

void put_properties(const Message& message, const AddressRequest& request) {
  std::uint32_t flags = request.noprefixroute ? IFA_F_NOPREFIXROUTE : 0;
  constexpr std::uint32_t kForever = 0xffffffff;
  const std::uint32_t valid =
      request.lease.count() == 0 ? kForever : static_cast<std::uint32_t>(request.lease.count());
  // Deprecated from the start: never chosen as the source of unrelated traffic.
  const bool deprecated =
      request.marked && request.prefix.address.is_v6() && request.prefix.length == 128;
  if (valid != kForever || deprecated) {
    put(message, IFA_CACHEINFO,
        ifa_cacheinfo{
            .ifa_prefered = deprecated ? 0 : valid, .ifa_valid = valid, .cstamp = 0, .tstamp = 0});
  }
  if (request.prefix.address.is_v6()) {
    // Detection would keep the address unusable for a second, and for good if the old master still
    // has it.
    flags |= IFA_F_NODAD;
  } else if (!request.label.empty()) {
    // One that is too long is cut, though not so short that the kernel would take it.
    const std::string label = request.label.substr(0, IFNAMSIZ);
    HA_CHECK(nla_put_string(message.get(), IFA_LABEL, label.c_str()) == 0);
  }
  if (request.broadcast) put(message, IFA_BROADCAST, request.broadcast->to_bytes());
  if (flags != 0) put(message, IFA_FLAGS, flags);
  if (request.marked) put(message, kAddressOrigin, kMark);
}

using AddressAttributes = Attributes<std::max<std::size_t>(IFA_MAX, kAddressOrigin)>;

std::optional<KernelEvent> parse_link(nlmsghdr& message) {
  if (!nlmsg_valid_hdr(&message, sizeof(ifinfomsg))) return std::nullopt;
  const auto& header = *static_cast<const ifinfomsg*>(nlmsg_data(&message));
  // A bridge reports its ports in messages of its own family; "removed" there means removed from
  // the bridge.
  if (header.ifi_family != AF_UNSPEC) return std::nullopt;
  const IfIndex index{header.ifi_index};
  if (message.nlmsg_type == RTM_DELLINK) return LinkRemoved{index};

  const Attributes<IFLA_MAX> attributes{message, sizeof header};
  std::string name = attributes.text(IFLA_IFNAME);
  if (!attributes.valid() || name.empty()) return std::nullopt;
  // Others have a link, too, as a VLAN or the end of a pair; what it means differs.
  const bool has_parent = is_macvlan(attributes.find(IFLA_LINKINFO));
  const auto parent = attributes.get<std::int32_t>(IFLA_LINK).value_or(0);
  return LinkChanged{
      Link{.index = index,
           .name = std::move(name),
           .up = (header.ifi_flags & IFF_UP) != 0,
           .running = (header.ifi_flags & IFF_RUNNING) != 0,
           .mac = attributes.get<MacAddress>(IFLA_ADDRESS).value_or(MacAddress{}),
           .carrier_losses = attributes.get<std::uint32_t>(IFLA_CARRIER_DOWN_COUNT).value_or(0),
           .parent = IfIndex{has_parent ? parent : 0},
           .arp = arp_of(attributes.find(IFLA_AF_SPEC)),
           .parent_arp = has_parent ? read_note(attributes.text(IFLA_IFALIAS)) : std::nullopt}};
}

std::optional<IpAddress> address_in(const AddressAttributes& attributes, int family) {
  // With a peer IFA_ADDRESS is the peer's and IFA_LOCAL our own; an IPv6 address without one has
  // IFA_ADDRESS alone.
  for (const std::size_t attribute : {IFA_LOCAL, IFA_ADDRESS}) {
    if (family == AF_INET) {
      using Bytes = boost::asio::ip::address_v4::bytes_type;
      if (const auto bytes = attributes.get<Bytes>(attribute)) {
        return boost::asio::ip::address_v4{*bytes};
      }
    } else {
      using Bytes = boost::asio::ip::address_v6::bytes_type;
      if (const auto bytes = attributes.get<Bytes>(attribute)) {
        return boost::asio::ip::address_v6{*bytes};
      }
    }
  }
  return std::nullopt;
}

std::optional<KernelEvent> parse_address(nlmsghdr& message) {
  if (!nlmsg_valid_hdr(&message, sizeof(ifaddrmsg))) return std::nullopt;
  const auto& header = *static_cast<const ifaddrmsg*>(nlmsg_data(&message));
  if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) return std::nullopt;
  const AddressAttributes attributes{message, sizeof header};
  if (!attributes.valid()) return std::nullopt;
  const auto ip = address_in(attributes, header.ifa_family);
  if (!ip) return std::nullopt;

  const std::uint32_t flags = attributes.get<std::uint32_t>(IFA_FLAGS).value_or(header.ifa_flags);
  const Address address{
      .interface = IfIndex{static_cast<int>(header.ifa_index)},
      .prefix = {*ip, header.ifa_prefixlen},
      .ours = attributes.get<std::uint8_t>(kAddressOrigin) == kMark,
      // The kernel sends from an optimistic address although it is tentative (RFC 4429).
      .tentative = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0};
  if (message.nlmsg_type == RTM_DELADDR) return AddressRemoved{address};
  return AddressAdded{address};
}

std::uint8_t number_of(Family family) {
  return static_cast<std::uint8_t>(family == Family::kIpv4 ? AF_INET : AF_INET6);
}

void put_ip(const Message& message, int attribute, const IpAddress& address) {
  if (address.is_v4()) {
    put(message, attribute, address.to_v4().to_bytes());
  } else {
    put(message, attribute, address.to_v6().to_bytes());
  }
}

/// The header has one byte for the table; the attribute, which goes with it always, has four.
std::uint8_t short_table(std::uint32_t table) {
  return table <= UINT8_MAX ? static_cast<std::uint8_t>(table)
                            : static_cast<std::uint8_t>(RT_TABLE_COMPAT);
}

int flags_of(Change change) {
  return NLM_F_ACK | (change == Change::kAdd ? NLM_F_CREATE | NLM_F_EXCL : 0);
}

Message route_request(Change change, const Route& route, std::optional<IfIndex> interface,
                      std::uint32_t sequence) {
  rtmsg header{};
  header.rtm_family = number_of(route.family);
  header.rtm_dst_len = route.destination ? route.destination->length : std::uint8_t{0};
  header.rtm_table = short_table(route.table);
  header.rtm_protocol = route.origin;
  header.rtm_scope = route.scope;
  header.rtm_type = static_cast<std::uint8_t>(route.type);
  header.rtm_flags = route.onlink ? RTNH_F_ONLINK : 0U;
  const bool add = change == Change::kAdd;
  Message message =
      make_message(add ? RTM_NEWROUTE : RTM_DELROUTE, flags_of(change), sequence, header);
  put(message, RTA_TABLE, route.table);
  if (route.destination) put_ip(message, RTA_DST, route.destination->address);
  if (route.gateway) put_ip(message, RTA_GATEWAY, *route.gateway);
  if (route.source) put_ip(message, RTA_PREFSRC, *route.source);
  if (route.metric != 0) put(message, RTA_PRIORITY, route.metric);
  if (interface) put(message, RTA_OIF, static_cast<std::uint32_t>(interface->value()));
  if (route.mtu != 0) {
    nlattr* const metrics = nla_nest_start(message.get(), RTA_METRICS);
    HA_CHECK(metrics != nullptr);
    put(message, RTAX_MTU, route.mtu);
    nla_nest_end(message.get(), metrics);
  }
  return message;
}

Message rule_request(Change change, const Rule& rule, std::uint32_t sequence) {
  fib_rule_hdr header{};
  header.family = number_of(rule.family);
  header.dst_len = rule.to ? rule.to->length : std::uint8_t{0};
  header.src_len = rule.from ? rule.from->length : std::uint8_t{0};
  header.table = short_table(rule.table);
  header.action = FR_ACT_TO_TBL;
  const bool add = change == Change::kAdd;
  Message message =
      make_message(add ? RTM_NEWRULE : RTM_DELRULE, flags_of(change), sequence, header);
  const auto put_name = [&](int attribute, const std::string& name) {
    if (name.empty()) return;
    HA_CHECK(nla_put_string(message.get(), attribute, name.substr(0, IFNAMSIZ - 1).c_str()) == 0);
  };
  put(message, FRA_TABLE, rule.table);
  if (rule.to) put_ip(message, FRA_DST, rule.to->address);
  if (rule.from) put_ip(message, FRA_SRC, rule.from->address);
  put_name(FRA_IIFNAME, rule.incoming);
  put_name(FRA_OIFNAME, rule.outgoing);
  if (rule.mark) put(message, FRA_FWMARK, *rule.mark);
  if (rule.preference) put(message, FRA_PRIORITY, *rule.preference);
  put(message, FRA_PROTOCOL, kRouteOrigin);
  return message;
}

}  // namespace

void append_request(std::vector<std::uint8_t>& batch, Change change, const AddressRequest& request,
                    std::uint32_t sequence, int flags) {
  const ifaddrmsg header{
      .ifa_family = static_cast<std::uint8_t>(request.prefix.address.is_v4() ? AF_INET : AF_INET6),
      .ifa_prefixlen = request.prefix.length,
      .ifa_flags = 0,
      .ifa_scope = request.scope,
      .ifa_index = static_cast<std::uint32_t>(request.interface.value())};
  const bool add = change == Change::kAdd;
  const Message message =
      make_message(add ? RTM_NEWADDR : RTM_DELADDR,
                   flags | (add ? NLM_F_CREATE | NLM_F_REPLACE : 0), sequence, header);
  put_address(message, request.prefix.address);
  if (add) put_properties(message, request);
  append(batch, message);
}

void append_request(std::vector<std::uint8_t>& batch, Change change, const Routing& routing,
                    std::optional<IfIndex> interface, std::uint32_t sequence) {
  const auto* const route = std::get_if<Route>(&routing);
  append(batch, route != nullptr ? route_request(change, *route, interface, sequence)
                                 : rule_request(change, std::get<Rule>(routing), sequence));
}

std::vector<std::uint8_t> links_request(std::uint32_t sequence) {
  const Message message = make_message(RTM_GETLINK, NLM_F_DUMP, sequence, ifinfomsg{});
  put(message, IFLA_EXT_MASK, std::uint32_t{RTEXT_FILTER_SKIP_STATS});
  std::vector<std::uint8_t> bytes;
  append(bytes, message);
  return bytes;
}

std::vector<std::uint8_t> addresses_request(std::uint32_t sequence) {
  std::vector<std::uint8_t> bytes;
  append(bytes, make_message(RTM_GETADDR, NLM_F_DUMP, sequence, ifaddrmsg{}));
  return bytes;
}

std::optional<KernelEvent> parse(nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return parse_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return parse_address(message);
    default:
      return std::nullopt;
  }
}

}  // namespace ha::vrrp
