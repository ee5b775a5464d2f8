/// `virtual_mac` of an instance.
#include <fmt/format.h>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/draft.hpp"

namespace ha::config {
namespace {

constexpr std::string_view kKnown[] = {"interface", "address", "transmit"};

}  // namespace

void read_virtual_mac(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  const Node* const value = section.find("virtual_mac");
  if (value == nullptr) return;
  if (value->kind == Node::Kind::kScalar) {
    const auto wanted =
        read_scalar(*value, "virtual_mac", diagnostics, [](std::string_view text) -> Parsed<bool> {
          const Parsed<bool> yes = parse_boolean(text);
          if (yes) return yes;
          return tl::make_unexpected(
              "is not true, false or {interface: NAME, address: MAC, transmit: virtual or parent}");
        });
    if (wanted.value_or(false)) draft.config.virtual_mac = vrrp::VirtualMac{};
    return;
  }
  const auto map = Section::open(*value, "virtual_mac", kKnown, diagnostics);
  if (!map) return;
  vrrp::VirtualMac virtual_mac;
  if (map->read("interface", virtual_mac.device, parse_interface) == Read::kValid) {
    draft.device = map->position_of("interface");
    if (virtual_mac.device == draft.config.interface) {
      diagnostics.error(*draft.device,
                        fmt::format("interface {} of virtual_mac is the instance's own; this is "
                                    "the name of another one, which is made on it",
                                    shown(virtual_mac.device)));
    }
  }
  map->read("address", virtual_mac.address, parse_mac);
  bool transmits = true;
  const Read transmit = map->read("transmit", transmits, [](std::string_view text) {
    return parse_choice(text, kTransmitChoices);
  });
  if (transmit == Read::kValid) draft.transmits = transmits;
  draft.config.virtual_mac = std::move(virtual_mac);
}

void settle_transmission(const Section& section, Draft& draft, Diagnostics& diagnostics) {
  if (!draft.config.virtual_mac) return;
  // The macvlan has no address that a peer could answer to.
  const bool is_unicast = !draft.config.unicast_peers.empty();
  if (is_unicast && draft.transmits.value_or(false)) {
    diagnostics.error(section.position_of("virtual_mac"),
                      "transmit virtual is for multicast only; with unicast_peers "
                      "advertisements leave by the interface itself");
  }
  draft.config.virtual_mac->transmits = draft.transmits.value_or(!is_unicast);
}

}  // namespace ha::config
