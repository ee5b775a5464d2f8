#include "vrrpd/kernel/macvlan.hpp"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "vrrpd/kernel/message.hpp"

namespace ha::vrrp {
namespace {

constexpr std::string_view kNoteStart = "vrrpd, of an interface with arp_ignore=";
constexpr std::string_view kNoteFilter = " arp_filter=";
constexpr std::string_view kNoteAnnounce = " arp_announce=";

/// A group of interfaces of our own, in which they are only to be removed together: "vrrp".
constexpr std::uint32_t kDoomed = 0x76727270;

/// An attribute around others, ended with the object.
class Nest {
 public:
  Nest(const Message& message, int attribute)
      : message_{message}, nest_{nla_nest_start(message.get(), attribute)} {
    HA_CHECK(nest_ != nullptr);
  }
  ~Nest() { nla_nest_end(message_.get(), nest_); }
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;

 private:
  const Message& message_;
  nlattr* nest_;
};

using Setting = std::pair<int, std::uint32_t>;

/// Of IPv4, as /proc/sys/net/ipv4/conf has them, but without that file system: a sandbox that
/// forbids to write there need not be opened.
void put_settings(const Message& message, std::initializer_list<Setting> settings) {
  const Nest families{message, IFLA_AF_SPEC};
  const Nest family{message, AF_INET};
  const Nest all{message, IFLA_INET_CONF};
  for (const auto& [setting, value] : settings) put(message, setting, value);
}

void put_text(const Message& message, int attribute, const std::string& text) {
  HA_CHECK(nla_put_string(message.get(), attribute, text.c_str()) == 0);
}

/// As a macvlan, in a mode that passes on to its parent, too, what comes from its own MAC address:
/// the advertisements of the others, which have the same one, are heard there.
void put_kind(const Message& message) {
  const Nest information{message, IFLA_LINKINFO};
  put_text(message, IFLA_INFO_KIND, "macvlan");
  const Nest data{message, IFLA_INFO_DATA};
  put(message, IFLA_MACVLAN_MODE, std::uint32_t{MACVLAN_MODE_BRIDGE});
}

Message for_name(const Macvlan& macvlan, int flags, std::uint32_t number, ifinfomsg header) {
  Message message = make_message(RTM_NEWLINK, NLM_F_ACK | flags, number, header);
  // One that is too long is cut, though not so short that the kernel would take it.
  put_text(message, IFLA_IFNAME, macvlan.name.substr(0, IFNAMSIZ));
  return message;
}

LinkRequest request(const Message& message, std::vector<int> harmless = {}) {
  LinkRequest request{{}, std::move(harmless)};
  append(request.message, message);
  return request;
}

bool read_number(std::string_view& text, std::string_view before, std::uint8_t& into) {
  if (text.substr(0, before.size()) != before) return false;
  text.remove_prefix(before.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::uint8_t narrow(std::uint32_t setting) {
  return static_cast<std::uint8_t>(std::min<std::uint32_t>(setting, UINT8_MAX));
}

}  // namespace

std::vector<LinkRequest> macvlan_requests(const Macvlan& macvlan, std::uint32_t first) {
  std::vector<LinkRequest> requests;

  const Message creation = for_name(macvlan, NLM_F_CREATE | NLM_F_EXCL, first, {});
  put(creation, IFLA_LINK, static_cast<std::uint32_t>(macvlan.parent.value()));
  put(creation, IFLA_ADDRESS, macvlan.mac);
  put_kind(creation);
  requests.push_back(request(creation, {EEXIST}));

  const Message settings = for_name(macvlan, 0, first + 1, {});
  put_text(settings, IFLA_IFALIAS, note_of(macvlan.parent_arp));
  put_kind(settings);
  // Every interface would answer for every address of this machine otherwise, and ask with any:
  // neighbours would see one address at several MAC addresses. Packets come in here though the way
  // back leads through the parent, even where conf.all asks for a strict filter.
  put_settings(settings, {{IPV4_DEVCONF_ARP_IGNORE, 1},
                          {IPV4_DEVCONF_ARP_ANNOUNCE, 2},
                          {IPV4_DEVCONF_RP_FILTER, 2},
                          {IPV4_DEVCONF_ACCEPT_LOCAL, 1},
                          {IPV4_DEVCONF_PROMOTE_SECONDARIES, 1}});
  requests.push_back(request(settings));

  // An address made from the virtual MAC would be that of all routers, and they could not be told
  // apart. Some machines have no IPv6.
  const Message quiet = for_name(macvlan, 0, first + 2, {});
  {
    const Nest families{quiet, IFLA_AF_SPEC};
    const Nest family{quiet, AF_INET6};
    put(quiet, IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE});
  }
  requests.push_back(request(quiet, {EAFNOSUPPORT}));

  ifinfomsg up{};
  up.ifi_flags = IFF_UP;
  up.ifi_change = IFF_UP;
  requests.push_back(request(for_name(macvlan, 0, first + 3, up)));
  return requests;
}

std::vector<LinkRequest> removal_requests(std::span<const IfIndex> links, std::uint32_t first) {
  std::vector<LinkRequest> requests;
  for (const IfIndex link : links) {
    ifinfomsg header{};
    header.ifi_index = link.value();
    const Message chosen = make_message(RTM_SETLINK, NLM_F_ACK, first++, header);
    put(chosen, IFLA_GROUP, kDoomed);
    requests.push_back(request(chosen, {ENODEV}));
  }
  const Message removal = make_message(RTM_DELLINK, NLM_F_ACK, first, ifinfomsg{});
  put(removal, IFLA_GROUP, kDoomed);
  requests.push_back(request(removal, {ENODEV}));
  return requests;
}

LinkRequest arp_request(IfIndex link, const ArpBehaviour& arp, std::uint32_t number) {
  ifinfomsg header{};
  header.ifi_index = link.value();
  const Message message = make_message(RTM_SETLINK, NLM_F_ACK, number, header);
  put_settings(message, {{IPV4_DEVCONF_ARP_IGNORE, arp.ignore},
                         {IPV4_DEVCONF_ARPFILTER, arp.filter},
                         {IPV4_DEVCONF_ARP_ANNOUNCE, arp.announce}});
  return request(message);
}

std::string note_of(const ArpBehaviour& parent) {
  return fmt::format("{}{}{}{}{}{}", kNoteStart, parent.ignore, kNoteFilter, parent.filter,
                     kNoteAnnounce, parent.announce);
}

std::optional<ArpBehaviour> read_note(std::string_view alias) {
  ArpBehaviour parent;
  const bool is_ours = read_number(alias, kNoteStart, parent.ignore) &&
                       read_number(alias, kNoteFilter, parent.filter) &&
                       read_number(alias, kNoteAnnounce, parent.announce) && alias.empty();
  return is_ours ? std::optional{parent} : std::nullopt;
}

ArpBehaviour arp_of(nlattr* families) {
  const Attributes<AF_INET> all{families};
  const Attributes<IFLA_INET_MAX> family{all.find(AF_INET)};
  nlattr* const settings = family.find(IFLA_INET_CONF);
  // An array without attributes of its own, from the first setting on.
  const auto get = [settings](std::size_t setting) {
    std::uint32_t value = 0;
    const std::size_t offset = (setting - 1) * sizeof value;
    if (settings == nullptr ||
        offset + sizeof value > static_cast<std::size_t>(nla_len(settings))) {
      return std::uint8_t{0};
    }
    std::memcpy(&value, static_cast<const std::uint8_t*>(nla_data(settings)) + offset,
                sizeof value);
    return narrow(value);
  };
  return {get(IPV4_DEVCONF_ARP_IGNORE), get(IPV4_DEVCONF_ARPFILTER),
          get(IPV4_DEVCONF_ARP_ANNOUNCE)};
}

bool is_macvlan(nlattr* information) {
  return Attributes<IFLA_INFO_MAX>{information}.text(IFLA_INFO_KIND) == "macvlan";
}

}  // namespace ha::vrrp
