/// The addresses of an instance: virtual ones, its own, and those it talks to.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/draft.hpp"

namespace ha::config {
namespace {

using vrrp::VirtualAddress;

constexpr std::string_view kAddressKnown[] = {"address",   "interface",     "label",
                                              "advertise", "noprefixroute", "scope",
                                              "broadcast", "virtual_mac"};
constexpr std::string_view kDeviceKnown[] = {"interface"};
constexpr std::string_view kStaticAddressKnown[] = {"address",       "interface", "label",
                                                    "noprefixroute", "scope",     "broadcast"};

// The count is one byte of the advertisement (RFC 9568 section 5.2.5).
constexpr std::size_t kAdvertisedMax = 255;
// Those not advertised count here, too.
constexpr std::size_t kAddressesMax = 4096;
constexpr std::size_t kPeersMax = 255;
constexpr std::size_t kLabelSizeBytesMax = 15;

/// `interface` is the one the label has to name; empty if that is found only at run time.
[[nodiscard]] Parsed<std::string> parse_label(std::string_view text, std::string_view interface) {
  const std::string_view named = text.substr(0, text.find(':'));
  if (text.size() > kLabelSizeBytesMax || !parse_word(text, kLabelSizeBytesMax) ||
      !parse_interface(named)) {
    return tl::make_unexpected("is not INTERFACE or INTERFACE:WORD, at most 15 bytes");
  }
  if (!interface.empty() && named != interface) {
    return tl::make_unexpected(
        fmt::format("does not start with the interface's name {}", shown(interface)));
  }
  return std::string{text};
}

/// `interface` as in parse_label().
void read_label(const Section& section, std::string_view interface, VirtualAddress& address,
                Diagnostics& diagnostics) {
  const Read read = section.read(
      "label", address.label, [&](std::string_view text) { return parse_label(text, interface); });
  if (read == Read::kValid && address.prefix.address.is_v6()) {
    diagnostics.error(section.position_of("label"), "label is for IPv4 only");
  }
}

/// A name or a number, as ip-address(8) has it.
void read_scope(const Section& section, VirtualAddress& address, Diagnostics& diagnostics) {
  int scope = address.scope;
  const Read read = section.read("scope", scope, [](std::string_view text) -> Parsed<int> {
    if (const auto named = parse_choice(text, kScopeNames)) return *named;
    const auto number = parse_integer(text, {0, 255});
    if (number) return *number;
    return tl::make_unexpected("is not global, site, link, host, nowhere or 0-255");
  });
  address.scope = static_cast<std::uint8_t>(scope);
  if (read == Read::kValid && address.prefix.address.is_v6()) {
    diagnostics.error(section.position_of("scope"), "scope is for IPv4 only");
  }
}

void read_broadcast(const Section& section, VirtualAddress& address, Diagnostics& diagnostics) {
  using Broadcast = decltype(address.broadcast);
  const Read read =
      section.read("broadcast", address.broadcast, [](std::string_view text) -> Parsed<Broadcast> {
        const auto broadcast = parse_address(text);
        if (broadcast && broadcast->is_v4()) return broadcast->to_v4();
        return tl::make_unexpected("is not an IPv4 address");
      });
  if (read == Read::kValid && address.prefix.address.is_v6()) {
    diagnostics.error(section.position_of("broadcast"), "broadcast is for IPv4 only");
  }
}

/// What an address has beside itself and its interface.
void read_properties(const Section& section, std::string_view labelled, VirtualAddress& address,
                     Diagnostics& diagnostics) {
  read_label(section, labelled, address, diagnostics);
  section.boolean("noprefixroute", address.noprefixroute);
  read_scope(section, address, diagnostics);
  read_broadcast(section, address, diagnostics);
}

/// A macvlan of its own.
void read_device(const Section& section, const Draft& draft, VirtualAddress& address,
                 Diagnostics& diagnostics) {
  const Node* const value = section.find("virtual_mac");
  if (value == nullptr) return;
  if (value->kind == Node::Kind::kScalar) {
    bool wanted = false;
    section.boolean("virtual_mac", wanted);
    if (wanted) address.device = std::string{};
    return;
  }
  const auto map = Section::open(*value, "virtual_mac", kDeviceKnown, diagnostics);
  if (!map || map->require("interface") == nullptr) return;
  std::string name;
  if (map->read("interface", name, parse_interface) != Read::kValid) return;
  const bool is_own = name == address.interface || name == draft.config.interface;
  if (is_own) {
    diagnostics.error(map->position_of("interface"),
                      fmt::format("interface {} of virtual_mac is there already; this is the name "
                                  "of another one, which is made",
                                  shown(name)));
  }
  address.device = std::move(name);
}

/// One item of the list; nothing if its address was refused.
[[nodiscard]] std::optional<VirtualAddress> read_address(const Node& item, const Draft& draft,
                                                         Diagnostics& diagnostics) {
  VirtualAddress address;
  if (item.kind != Node::Kind::kMap) {
    const auto prefix = read_scalar(item, "address", diagnostics, parse_prefix);
    if (!prefix) return std::nullopt;
    address.prefix = *prefix;
    return address;
  }
  const auto section = Section::open(item, "address", kAddressKnown, diagnostics);
  if (!section) return std::nullopt;
  const bool is_given = section->require("address") != nullptr;
  const Read prefix = section->read("address", address.prefix, parse_prefix);
  const Read interface = section->read("interface", address.interface, parse_interface);
  // A refused interface leaves nothing to compare the label with.
  std::string labelled = address.interface;
  if (interface == Read::kAbsent && draft.interface_is_known) labelled = draft.config.interface;
  read_device(*section, draft, address, diagnostics);
  // The name of a macvlan may not be known yet; see check_labels().
  const bool is_here = interface != Read::kValid || address.interface == draft.config.interface;
  if (address.device || (draft.config.virtual_mac && is_here)) labelled.clear();
  read_properties(*section, labelled, address, diagnostics);
  section->boolean("advertise", address.advertise);
  if (!is_given || prefix != Read::kValid) return std::nullopt;
  return address;
}

/// One family is advertised; version 2 is IPv4 only (RFC 3768 section 1).
[[nodiscard]] bool check_family(const VirtualAddress& address, Position position, Draft& draft,
                                Diagnostics& diagnostics) {
  if (!address.advertise) return true;
  const Family family = family_of(address.prefix.address);
  if (!draft.family) {
    draft.family = family;
    if (family == Family::kIpv6 && draft.version == Version::k2) {
      diagnostics.error(position, fmt::format("address {} is IPv6, which version 2 does not carry",
                                              to_string(address.prefix)));
    }
    return true;
  }
  if (family == *draft.family) return true;
  diagnostics.error(
      position, fmt::format("address {} is {}, but the first one is {}: one family an instance",
                            to_string(address.prefix), name_of(family), name_of(*draft.family)));
  return false;
}

void check_all_addresses(Position position, const Draft& draft, Diagnostics& diagnostics) {
  const std::vector<VirtualAddress>& all = draft.config.addresses;
  const auto advertised =
      std::count_if(all.begin(), all.end(), [](const auto& a) { return a.advertise; });
  if (static_cast<std::size_t>(advertised) > kAdvertisedMax) {
    diagnostics.error(position,
                      fmt::format("addresses has {} advertised ones; an advertisement carries {}",
                                  advertised, kAdvertisedMax));
  }
  if (!draft.addresses_are_complete || all.empty()) return;
  if (advertised == 0) {
    diagnostics.error(
        position, "addresses has no advertised one; receivers ignore an advertisement without any");
  }
  const auto link_local = [](const VirtualAddress& a) { return is_link_local(a.prefix.address); };
  if (std::all_of(all.begin(), all.end(), link_local) && draft.config.interface.empty() &&
      draft.interface_is_known) {
    diagnostics.error(position,
                      "addresses has link-local ones only, which say nothing about the interface: "
                      "'interface' is required");
  }
  const bool advertises_link_local = std::any_of(
      all.begin(), all.end(), [&](const auto& a) { return a.advertise && link_local(a); });
  if (draft.family == Family::kIpv6 && advertised > 0 && !advertises_link_local) {
    diagnostics.warning(
        position,
        "no advertised address is link-local; the first one has to be (RFC 9568 section "
        "5.2.9), and strict routers ignore the advertisements");
  }
}

/// Checks that apply to every address of another router or of this one.
[[nodiscard]] Parsed<IpAddress> parse_host_of(std::string_view text, std::optional<Family> family) {
  Parsed<IpAddress> address = parse_host_address(text);
  if (address && family && family_of(*address) != *family) {
    return tl::make_unexpected(
        fmt::format("is not {} as the instance's addresses are", name_of(*family)));
  }
  return address;
}

[[nodiscard]] bool is_virtual(const IpAddress& address, const Draft& draft) {
  return std::any_of(
      draft.config.addresses.begin(), draft.config.addresses.end(),
      [&](const VirtualAddress& candidate) { return candidate.prefix.address == address; });
}

[[nodiscard]] Parsed<IpAddress> parse_group(std::string_view text, std::optional<Family> family) {
  Parsed<IpAddress> group = parse_address(text);
  if (!group) return group;
  if (!group->is_multicast()) return tl::make_unexpected("is not a multicast address");
  if (family && family_of(*group) != *family) {
    return tl::make_unexpected(
        fmt::format("is not {} as the instance's addresses are", name_of(*family)));
  }
  return group;
}

void read_group(const Section& section, Draft& draft) {
  // RFC 9568 sections 5.1.1.2 and 5.1.2.2.
  const bool is_v6 = draft.family == Family::kIpv6;
  draft.config.multicast_group = boost::asio::ip::make_address(is_v6 ? "ff02::12" : "224.0.0.18");
  section.read("multicast_group", draft.config.multicast_group,
               [&](std::string_view text) { return parse_group(text, draft.family); });
}

void read_unicast_peers(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  const Node* list = section.find("unicast_peers");
  if (list == nullptr || !is_list(*list, "unicast_peers", kPeersMax, diagnostics)) return;
  std::set<IpAddress> seen;
  for (const Node& item : list->items) {
    const auto peer =
        read_scalar(item, "peer", diagnostics, [&](std::string_view text) -> Parsed<IpAddress> {
          Parsed<IpAddress> address = parse_host_of(text, draft.family);
          if (address && is_virtual(*address, draft))
            return tl::make_unexpected("is one of the virtual addresses");
          if (address && !seen.insert(*address).second)
            return tl::make_unexpected("is listed twice");
          return address;
        });
    if (peer) draft.config.unicast_peers.push_back(*peer);
  }
}

void read_source_address(const Section& section, Draft& draft) {
  const auto parse = [&](std::string_view text) -> Parsed<std::optional<IpAddress>> {
    if (text == "auto") return std::optional<IpAddress>{};
    const Parsed<IpAddress> address = parse_host_of(text, draft.family);
    if (!address) return tl::make_unexpected(address.error());
    const auto& peers = draft.config.unicast_peers;
    if (std::find(peers.begin(), peers.end(), *address) != peers.end()) {
      return tl::make_unexpected("is also one of unicast_peers");
    }
    // Only the owner has the virtual address as its own (RFC 9568 section 1.7).
    if (draft.config.router.priority != kPriorityOwner && is_virtual(*address, draft)) {
      return tl::make_unexpected("is one of the virtual addresses");
    }
    if (address->is_v6() && section.find("unicast_peers") == nullptr && !is_link_local(*address)) {
      return tl::make_unexpected(
          "is not link-local, as multicast over IPv6 demands (RFC 9568 section 5.1.2.1)");
    }
    return std::optional<IpAddress>{*address};
  };
  section.read("source_address", draft.config.source_address, parse);
}

}  // namespace

void read_addresses(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  const Node* list = section.require("addresses");
  if (list == nullptr || !is_list(*list, "addresses", kAddressesMax, diagnostics)) return;
  draft.addresses_are_complete = true;
  for (const Node& item : list->items) {
    const std::optional<VirtualAddress> address = read_address(item, draft, diagnostics);
    if (!address || !check_family(*address, item.position, draft, diagnostics)) {
      draft.addresses_are_complete = false;
      continue;
    }
    draft.config.addresses.push_back(*address);
    draft.addresses.push_back(item.position);
  }
  check_all_addresses(list->position, draft, diagnostics);
}

std::vector<VirtualAddress> read_static_addresses(const Node& list, Diagnostics& diagnostics) {
  std::vector<VirtualAddress> addresses;
  if (!is_list(list, "addresses", kAddressesMax, diagnostics)) return addresses;
  for (const Node& item : list.items) {
    const auto section = Section::open(item, "address", kStaticAddressKnown, diagnostics);
    if (!section) continue;
    VirtualAddress address;
    const bool is_given = section->require("address") != nullptr;
    const bool has_interface = section->require("interface") != nullptr;
    const Read prefix = section->read("address", address.prefix, parse_prefix);
    const Read interface = section->read("interface", address.interface, parse_interface);
    read_properties(*section, address.interface, address, diagnostics);
    const bool is_valid = prefix == Read::kValid && interface == Read::kValid;
    if (is_given && has_interface && is_valid) addresses.push_back(std::move(address));
  }
  return addresses;
}

void read_peers(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  read_unicast_peers(section, draft, diagnostics);
  read_source_address(section, draft);
  read_group(section, draft);
  int minimum_ttl = draft.config.minimum_ttl;
  section.integer("minimum_ttl", minimum_ttl, {1, 255});
  draft.config.minimum_ttl = static_cast<std::uint8_t>(minimum_ttl);
}

}  // namespace ha::config
