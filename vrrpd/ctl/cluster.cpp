#include "vrrpd/ctl/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "ha/ip.hpp"
#include "vrrpd/settings/scalars.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::ctl {
namespace {

using config::Diagnostics;
using config::Node;
using config::Position;

constexpr int kVrid = 51;
constexpr int kDemotion = 20;
constexpr std::size_t kPasswordMax = 8;  // RFC 2338; keepalived cuts longer ones, too
constexpr std::size_t kNodesMax = 1000;
constexpr std::size_t kNameSizeBytesMax = 64;
constexpr std::size_t kPasswordSizeBytesMax = 1024;

/// What a service of the cluster file is to systemd.
constexpr std::pair<std::string_view, std::string_view> kUnits[] = {
    {"glusterfs", "glusterd.service"},
    {"mariadb", "mariadb.service"},
    {"redis", "redis-server.service"},
    {"slurm", "slurmctld.service"},
};

struct Vip {
  std::optional<Prefix> prefix;
  std::string interface;
  std::string password;  ///< empty: none
};

struct Controller {
  std::string name;
  std::optional<IpAddress> address;
  int priority = 0;
  bool owner = false;
  bool takes_part = false;
  std::vector<std::string> services;  ///< those there is a check for
  Position position;
};

/// The value of `key`, or null. Unlike a configuration's, such a map may have any other keys.
const Node* find(const Node* map, std::string_view key) {
  if (map == nullptr) return nullptr;
  for (const config::Entry& entry : map->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

const Node* require(const Node* map, std::string_view key, std::string_view where,
                    Diagnostics& diagnostics) {
  const Node* const found = find(map, key);
  if (found == nullptr && map != nullptr) {
    diagnostics.error(map->position, fmt::format("{} has no '{}'", where, key));
  }
  return found;
}

template <class Parse>
auto read(const Node* map, std::string_view key, Diagnostics& diagnostics, Parse parse)
    -> std::optional<typename std::invoke_result_t<Parse, std::string_view>::value_type> {
  const Node* const value = find(map, key);
  if (value == nullptr) return std::nullopt;
  return config::read_scalar(*value, key, diagnostics, parse);
}

config::Parsed<std::string> parse_name(std::string_view text) {
  return config::parse_word(text, kNameSizeBytesMax);
}

/// VRRP carries 8 bytes of it.
std::string cut_password(const Node& value, std::string password, Diagnostics& diagnostics) {
  if (password.size() <= kPasswordMax) return password;
  diagnostics.warning(value.position,
                      "auth_pass is longer than 8 bytes; the rest is cut off, as keepalived does");
  password.resize(kPasswordMax);
  return password;
}

Vip read_vip(const Node* network, Diagnostics& diagnostics) {
  Vip vip;
  const Node* const section = require(network, "vip", "network", diagnostics);
  if (section == nullptr) return vip;
  if (require(section, "address", "vip", diagnostics) == nullptr) return vip;
  const auto address = read(section, "address", diagnostics, config::parse_host_address);
  if (!address) return vip;
  const int bits = address->is_v6() ? 128 : 32;
  const auto length = read(section, "netmask", diagnostics, [bits](std::string_view text) {
    return config::parse_integer(text, {1, bits});
  });
  vip.prefix = Prefix{*address, static_cast<std::uint8_t>(length.value_or(bits))};
  vip.interface = read(section, "interface", diagnostics, config::parse_interface).value_or("");
  const auto password = read(section, "auth_pass", diagnostics, [](std::string_view text) {
    return config::parse_word(text, kPasswordSizeBytesMax);
  });
  if (!password) return vip;
  if (address->is_v6()) {
    diagnostics.warning(find(section, "auth_pass")->position,
                        "auth_pass is left out: over IPv6 there is no VRRP version with passwords");
  } else {
    vip.password = cut_password(*find(section, "auth_pass"), *password, diagnostics);
  }
  return vip;
}

void read_services(const Node* services, Controller& controller, Diagnostics& diagnostics) {
  if (services == nullptr) return;
  for (const config::Entry& entry : services->entries) {
    const auto wanted =
        config::read_scalar(entry.value, entry.key, diagnostics, config::parse_boolean);
    if (!wanted.value_or(false)) continue;
    const bool known = std::any_of(std::begin(kUnits), std::end(kUnits),
                                   [&](const auto& unit) { return unit.first == entry.key; });
    if (entry.key == "keepalived") {
      controller.takes_part = true;
    } else if (known) {
      controller.services.push_back(entry.key);
    } else {
      diagnostics.warning(entry.position, fmt::format("no check is known for the service {}",
                                                      config::shown(entry.key)));
    }
  }
}

Controller read_controller(const Node& node, Diagnostics& diagnostics) {
  Controller controller;
  controller.position = node.position;
  for (const char* key : {"hostname", "ip_address", "priority"}) {
    static_cast<void>(require(&node, key, "the controller", diagnostics));
  }
  controller.name = read(&node, "hostname", diagnostics, parse_name).value_or("");
  controller.address = read(&node, "ip_address", diagnostics, config::parse_host_address);
  controller.priority = read(&node, "priority", diagnostics, [](std::string_view text) {
                          return config::parse_integer(text, {1, 254});
                        }).value_or(0);
  controller.owner = read(&node, "vip_owner", diagnostics, config::parse_boolean).value_or(false);
  read_services(find(&node, "services"), controller, diagnostics);
  return controller;
}

/// Complains of each value that an earlier controller has, too.
template <class Value>
void check_unique(const std::vector<Controller>& controllers, std::string_view what, Value value,
                  Diagnostics& diagnostics) {
  std::map<std::string, std::string> seen;
  for (const Controller& controller : controllers) {
    const std::string text = value(controller);
    if (text.empty()) continue;
    const auto [known, is_new] = seen.emplace(text, controller.name);
    if (is_new) continue;
    diagnostics.error(controller.position, fmt::format("{} has the same {} as {}: {}",
                                                       controller.name, what, known->second, text));
  }
}

void check_owner(const std::vector<Controller>& controllers, Diagnostics& diagnostics) {
  const Controller* owner = nullptr;
  for (const Controller& controller : controllers) {
    if (!controller.owner) continue;
    if (owner != nullptr) {
      diagnostics.error(controller.position,
                        fmt::format("{} and {} are both vip_owner", owner->name, controller.name));
      continue;
    }
    owner = &controller;
  }
  for (const Controller& controller : controllers) {
    if (owner == nullptr || controller.priority <= owner->priority) continue;
    diagnostics.error(
        controller.position,
        fmt::format("{} has priority {}, more than the {} of the vip_owner, {}", controller.name,
                    controller.priority, owner->priority, owner->name));
  }
}

std::vector<Controller> read_controllers(const Node* nodes, const Vip& vip,
                                         Diagnostics& diagnostics) {
  std::vector<Controller> controllers;
  const Node* const list = require(nodes, "controllers", "nodes", diagnostics);
  if (list == nullptr || !config::is_list(*list, "controllers", kNodesMax, diagnostics)) {
    return controllers;
  }
  for (const Node& item : list->items) {
    Controller controller = read_controller(item, diagnostics);
    if (controller.address && vip.prefix && *controller.address == vip.prefix->address) {
      diagnostics.error(controller.position,
                        fmt::format("{} has the virtual address as its own", controller.name));
    }
    if (controller.takes_part) controllers.push_back(std::move(controller));
  }
  if (controllers.empty() && !diagnostics.has_errors()) {
    diagnostics.error(list->position, "no controller has the service keepalived");
  }
  check_unique(
      controllers, "name", [](const Controller& c) { return c.name; }, diagnostics);
  check_unique(
      controllers, "priority",
      [](const Controller& c) { return c.priority == 0 ? "" : std::to_string(c.priority); },
      diagnostics);
  check_unique(
      controllers, "address",
      [](const Controller& c) { return c.address ? c.address->to_string() : ""; }, diagnostics);
  check_owner(controllers, diagnostics);
  return controllers;
}

std::string in_quotes(std::string_view text) {
  std::string quoted{'"'};
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string text_for(const Controller& controller, const Vip& vip, std::string_view name) {
  std::string text = fmt::format(
      "# Made by `vrrpctl generate` from {}, for {} ({}).\n"
      "node: {}\n\ninstances:\n"
      "  - name: VI_MAIN\n",
      name, controller.name, controller.address->to_string(), in_quotes(controller.name));
  const auto out = std::back_inserter(text);
  if (vip.interface.empty()) {
    text += "    # No interface is named: it is the one whose network holds the address.\n";
  } else {
    fmt::format_to(out, "    interface: {}\n", in_quotes(vip.interface));
  }
  fmt::format_to(out, "    vrid: {}\n    version: {}\n    priority: {}\n", kVrid,
                 vip.password.empty() ? 3 : 2, controller.priority);
  if (!vip.password.empty()) {
    fmt::format_to(out, "    authentication: {{type: pass, password: {}}}\n",
                   in_quotes(vip.password));
  }
  fmt::format_to(out, "    addresses: [{}]\n", in_quotes(to_string(*vip.prefix)));
  if (controller.services.empty()) return text;
  text += "    track:\n";
  for (const std::string& service : controller.services) {
    fmt::format_to(out, "      - {{check: {}, demote: {}}}\n", service, kDemotion);
  }
  text += "\n# Two failures, 5 s apart, count as down, and two successes as up.\nchecks:\n";
  for (const auto& [service, unit] : kUnits) {
    const auto& wanted = controller.services;
    if (std::find(wanted.begin(), wanted.end(), service) == wanted.end()) continue;
    fmt::format_to(out, "  {}: {{unit: {}, interval: 5s, fall: 2, rise: 2}}\n", service, unit);
  }
  return text;
}

}  // namespace

Generated generate(std::string_view text, std::string_view name) {
  Diagnostics diagnostics{name};
  Generated generated;
  if (const auto root = config::parse(text, diagnostics)) {
    const Node* const map = &*root;
    const Vip vip = read_vip(require(map, "network", "the file", diagnostics), diagnostics);
    const std::vector<Controller> controllers =
        read_controllers(require(map, "nodes", "the file", diagnostics), vip, diagnostics);
    if (!diagnostics.has_errors()) {
      for (const Controller& controller : controllers) {
        generated.files.push_back({controller.name, text_for(controller, vip, name)});
      }
    }
  }
  for (const config::Diagnostic& diagnostic : diagnostics.in_file_order()) {
    generated.diagnostics.push_back(to_string(diagnostic));
  }
  return generated;
}

}  // namespace ha::ctl
