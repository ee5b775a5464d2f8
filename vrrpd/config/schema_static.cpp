#include "vrrpd/config/schema_static.hpp"

#include <utility>

#include "vrrpd/config/draft.hpp"
#include "vrrpd/settings/routing.hpp"

namespace ha::config {
namespace {

constexpr std::string_view kKnown[] = {"addresses", "routes", "rules"};
constexpr std::size_t kRoutesMax = 1024;

}  // namespace

vrrp::StaticConfig read_static(const Node& value, Diagnostics& diagnostics) {
  vrrp::StaticConfig fixed;
  const auto section = Section::open(value, "static", kKnown, diagnostics);
  if (!section) return fixed;
  if (const Node* addresses = section->find("addresses")) {
    fixed.addresses = read_static_addresses(*addresses, diagnostics);
  }
  read_routing(*section, fixed.routes, fixed.rules, diagnostics);
  return fixed;
}

void read_routing(const Section& section, std::vector<Route>& routes, std::vector<Rule>& rules,
                  Diagnostics& diagnostics) {
  const auto read_list = [&](const char* key, auto& into, auto parse) {
    const Node* list = section.find(key);
    if (list == nullptr || !is_list(*list, key, kRoutesMax, diagnostics)) return;
    for (const Node& item : list->items) {
      if (auto read = read_scalar(item, key, diagnostics, parse)) into.push_back(std::move(*read));
    }
  };
  read_list("routes", routes, parse_route);
  read_list("rules", rules, parse_rule);
}

}  // namespace ha::config
