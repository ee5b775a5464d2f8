#include <fmt/format.h>

#include <algorithm>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/keepalived/sections.hpp"
#include "vrrpd/settings/routing.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using vrrp::VirtualAddress;

constexpr std::size_t kLabelSizeBytesMax = 15;
// The count is one byte of the advertisement.
constexpr std::ptrdiff_t kAdvertisedMax = 255;

/// How many words an option takes.
[[nodiscard]] std::size_t words_of_option(std::string_view option) {
  constexpr std::string_view kWithValue[] = {"dev",  "label",         "scope",     "brd",
                                             "peer", "preferred_lft", "broadcast", "track_group"};
  const bool has_value =
      std::find(std::begin(kWithValue), std::end(kWithValue), option) != std::end(kWithValue);
  return has_value ? 2 : 1;
}

/// Names of /etc/iproute2/rt_scopes as it comes, or numbers.
void read_scope(VirtualAddress& address, const std::string& value, Place place, Reading& reading) {
  const auto named = config::parse_choice(value, config::kScopeNames);
  const auto number = config::parse_integer(value, {0, 255});
  if (!named && !number) {
    reading.report.error(place, fmt::format("scope {} is not global, site, link, host, nowhere or "
                                            "a number in 0 to 255",
                                            shown(value)));
  } else if (address.prefix.address.is_v4()) {
    address.scope = static_cast<std::uint8_t>(named ? *named : *number);
  } else {
    reading.report.note(place, "scope: makes no difference to an IPv6 address");
  }
}

/// `+` and `-` stand for the network's highest and lowest address, as with ip-address(8).
void read_broadcast(VirtualAddress& address, const std::string& value, Place place,
                    Reading& reading) {
  if (address.prefix.address.is_v6()) {
    reading.report.note(place, "brd: IPv6 has no broadcast addresses");
    return;
  }
  const std::uint8_t length = address.prefix.length;
  const std::uint32_t hosts = (std::uint32_t{1} << (32U - length)) - 1;
  const std::uint32_t own = address.prefix.address.to_v4().to_uint();
  if (value == "+" || value == "-") {
    address.broadcast = boost::asio::ip::make_address_v4(value == "+" ? own | hosts : own & ~hosts);
    return;
  }
  const auto given = config::parse_address(value);
  if (given && given->is_v4()) {
    address.broadcast = given->to_v4();
  } else {
    reading.report.error(place, fmt::format("brd {} is not an IPv4 address", shown(value)));
  }
}

void read_option(VirtualAddress& address, const std::string& option, const std::string& value,
                 Place place, Reading& reading) {
  const auto refuse = [&](const std::string& why) {
    reading.report.error(place, fmt::format("{} {} {}", option, shown(value), why));
  };
  if (option == "dev") {
    const auto name = config::parse_interface(value);
    if (!name) return refuse(name.error());
    address.interface = *name;
  } else if (option == "label") {
    address.label = value;
  } else if (option == "scope") {
    read_scope(address, value, place, reading);
  } else if (option == "noprefixroute") {
    address.noprefixroute = true;
  } else if (option == "use_vmac") {
    address.device = std::string{};
  } else {
    read_broadcast(address, value, place, reading);
  }
}

void read_options(VirtualAddress& address, const Statement& line, Reading& reading) {
  for (std::size_t i = 1; i < line.words.size();) {
    const std::string& option = line.words[i];
    const Keyword* keyword = find_keyword(Context::kAddress, option);
    if (keyword == nullptr) {
      reading.report.warning(
          line.place,
          fmt::format("unknown option {} of an address; it is left out, as by keepalived",
                      shown(option)));
      ++i;
      continue;
    }
    const std::size_t words = words_of_option(option);
    if (i + words > line.words.size()) {
      reading.report.error(line.place, fmt::format("{} needs a value", option));
      return;
    }
    if (keyword->treatment == Treatment::kRead) {
      read_option(address, option, line.words[i + words - 1], line.place, reading);
    } else {
      const auto grade =
          keyword->treatment == Treatment::kNote ? vrrp::Severity::kNote : vrrp::Severity::kWarning;
      reading.report.add(line.place, grade, fmt::format("{}: {}", option, keyword->text));
    }
    i += words;
  }
}

/// `own` is the interface of an address that names none.
void check_label(VirtualAddress& address, const std::string& own, Place place, Reading& reading) {
  check_label_on(address.interface.empty() ? own : address.interface, address, place, reading);
}

[[nodiscard]] bool is_listed(const Instance& instance, const VirtualAddress& address) {
  return std::any_of(
      instance.addresses.begin(), instance.addresses.end(),
      [&](const VirtualAddress& other) { return other.prefix.address == address.prefix.address; });
}

/// What VRRP does not lose by: keepalived's own options of a line.
[[nodiscard]] std::string without_tracking(const Statement& line, Reading& reading) {
  std::string text;
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    if (line.words[i] == "no_track") continue;
    if (line.words[i] == "track_group") {
      reading.report.warning(line.place, "track_group: it is there whatever the group is");
      ++i;
      continue;
    }
    text += (text.empty() ? "" : " ") + line.words[i];
  }
  return text;
}

template <class T, class Parse>
void read_routing(std::vector<T>& into, const Statement& block, Reading& reading, Parse parse) {
  for (const Statement& line : block.block) {
    const std::string text = without_tracking(line, reading);
    if (auto read = parse(text)) {
      into.push_back(std::move(*read));
    } else {
      reading.report.warning(line.place, fmt::format("{}: {} is left out: it {}", block.keyword(),
                                                     shown(text), read.error()));
    }
  }
}

void add_routes(std::vector<Route>& into, const Statement& block, Reading& reading) {
  read_routing(into, block, reading,
               [](const std::string& text) { return config::parse_route(text); });
}

void add_rules(std::vector<Rule>& into, const Statement& block, Reading& reading) {
  read_routing(into, block, reading,
               [](const std::string& text) { return config::parse_rule(text); });
}

/// Nothing, after an error, if it begins with no address.
[[nodiscard]] std::optional<VirtualAddress> address_of(const Statement& line, Reading& reading) {
  const auto prefix = config::parse_prefix(line.keyword());
  if (!prefix) {
    reading.report.error(line.place,
                         fmt::format("address {} {}", shown(line.keyword()), prefix.error()));
    return std::nullopt;
  }
  VirtualAddress address;
  address.prefix = *prefix;
  read_options(address, line, reading);
  return address;
}

}  // namespace

void read_addresses(Instance& instance, const Statement& block, Reading& reading) {
  const bool advertise = block.keyword() == "virtual_ipaddress";
  for (const Statement& line : block.block) {
    auto address = address_of(line, reading);
    if (!address) continue;
    address->advertise = advertise;
    if (is_listed(instance, *address)) {
      reading.report.note(line.place, fmt::format("address {} is listed already; this line is left "
                                                  "out",
                                                  shown(line.keyword())));
      continue;
    }
    instance.addresses.push_back(std::move(*address));
    instance.address_places.push_back(line.place);
  }
}

void read_static(Draft& draft, const Statement& block, Reading& reading) {
  if (block.keyword() == "static_routes") return add_routes(draft.fixed.routes, block, reading);
  if (block.keyword() == "static_rules") return add_rules(draft.fixed.rules, block, reading);
  for (const Statement& line : block.block) {
    auto address = address_of(line, reading);
    if (!address) continue;
    check_label(*address, draft.globals.default_interface, line.place, reading);
    if (address->device) {
      reading.report.warning(line.place, "use_vmac: it is for virtual addresses");
      address->device = {};
    }
    draft.fixed.addresses.push_back(std::move(*address));
  }
}

void read_routes(Instance& instance, const Statement& block, Reading& reading) {
  add_routes(instance.routes, block, reading);
}

void read_rules(Instance& instance, const Statement& block, Reading& reading) {
  add_rules(instance.rules, block, reading);
}

void check_label_on(const std::string& interface, VirtualAddress& address, Place place,
                    Reading& reading) {
  if (address.label.empty()) return;
  const std::string named = address.label.substr(0, address.label.find(':'));
  const bool is_fine = address.prefix.address.is_v4() && named == interface &&
                       address.label.size() <= kLabelSizeBytesMax &&
                       config::parse_word(address.label, kLabelSizeBytesMax).has_value();
  if (is_fine) return;
  reading.report.warning(
      place, fmt::format("label {} is left out: labels are for IPv4 and start with the name of the "
                         "interface, {}",
                         shown(address.label), shown(interface)));
  address.label.clear();
}

void settle_addresses(Instance& instance, const std::string& default_interface, Reading& reading) {
  std::vector<VirtualAddress> kept;
  std::optional<Family> family;
  for (const VirtualAddress& address : instance.addresses) {
    if (address.advertise && !family) family = family_of(address.prefix.address);
  }
  std::ptrdiff_t advertised = 0;
  for (std::size_t i = 0; i < instance.addresses.size(); ++i) {
    VirtualAddress& address = instance.addresses[i];
    const Place place = instance.address_places[i];
    if (address.advertise && family_of(address.prefix.address) != *family) {
      reading.report.note(place, fmt::format("address {} is left out, as by keepalived: the router "
                                             "advertises {}",
                                             to_string(address.prefix),
                                             *family == Family::kIpv4 ? "IPv4" : "IPv6"));
      continue;
    }
    if (address.advertise && ++advertised > kAdvertisedMax) {
      reading.report.note(place, "not advertised: an advertisement has room for 255 addresses");
      address.advertise = false;
    }
    const std::string& own = instance.interface.empty() ? default_interface : instance.interface;
    const bool is_elsewhere = !address.interface.empty() && address.interface != own;
    const bool is_foreign = is_elsewhere || family_of(address.prefix.address) != *family;
    if (instance.covers_addresses && is_foreign) address.device = std::string{};
    // The name of a macvlan that it will be on is not known yet.
    const bool is_on_macvlan = address.device || (instance.virtual_mac && !is_foreign);
    if (!is_on_macvlan) check_label(address, own, place, reading);
    kept.push_back(std::move(address));
  }
  // RFC 9568 section 5.2.9: the first address of an advertisement is the link-local one.
  std::stable_partition(kept.begin(), kept.end(), [](const VirtualAddress& address) {
    return config::is_link_local(address.prefix.address);
  });
  instance.addresses = std::move(kept);
}

}  // namespace ha::keepalived
