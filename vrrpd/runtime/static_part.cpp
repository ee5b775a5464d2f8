#include "vrrpd/runtime/static_part.hpp"

#include <algorithm>

namespace ha::vrrp {

std::vector<AddressRequest> requests_of(const StaticConfig& fixed, const std::vector<Link>& links) {
  std::vector<AddressRequest> requests;
  for (const VirtualAddress& address : fixed.addresses) {
    const auto link = std::find_if(links.begin(), links.end(), [&](const Link& candidate) {
      return candidate.name == address.interface;
    });
    if (link == links.end()) continue;
    requests.push_back({.interface = link->index,
                        .prefix = address.prefix,
                        .label = address.label,
                        .noprefixroute = address.noprefixroute,
                        .scope = address.scope,
                        .broadcast = address.broadcast,
                        .marked = false});
  }
  return requests;
}

std::vector<Routing> routing_of(const StaticConfig& fixed) {
  std::vector<Routing> routing{fixed.routes.begin(), fixed.routes.end()};
  routing.insert(routing.end(), fixed.rules.begin(), fixed.rules.end());
  return routing;
}

void StaticPart::apply(const StaticConfig& fixed) {
  const auto in = [](const auto& all) {
    return [&all](const auto& one) { return std::find(all.begin(), all.end(), one) != all.end(); };
  };
  std::vector<AddressRequest> addresses_gone = requests_of(fixed_, kernel_.links());
  std::erase_if(addresses_gone, in(requests_of(fixed, kernel_.links())));
  std::vector<Routing> routing_gone = routing_of(fixed_);
  std::erase_if(routing_gone, in(routing_of(fixed)));
  fixed_ = fixed;
  if (!routing_gone.empty()) report(kernel_.remove_routing(routing_gone));
  if (!addresses_gone.empty()) report(kernel_.remove_addresses(addresses_gone));
  look_again();
}

void StaticPart::look_again() {
  std::vector<AddressRequest> missing = requests_of(fixed_, kernel_.links());
  std::erase_if(missing, [this](const AddressRequest& request) {
    const auto& present = kernel_.addresses();
    return std::any_of(present.begin(), present.end(), [&](const Address& address) {
      return address.interface == request.interface && address.prefix == request.prefix;
    });
  });
  Result<void> result;
  if (!missing.empty()) result = kernel_.add_addresses(missing);
  // The kernel does not tell of routes that go; adding what is there changes nothing.
  const std::vector<Routing> routing = routing_of(fixed_);
  if (result && !routing.empty()) result = kernel_.add_routing(routing);
  report(result);
}

void StaticPart::report(const Result<void>& result) {
  const std::string text = result ? std::string{} : result.error().message();
  if (text == reported_) return;
  reported_ = text;
  if (!text.empty()) log_.error("static: {}", text);
}

}  // namespace ha::vrrp
