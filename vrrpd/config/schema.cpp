#include "vrrpd/config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/schema_checks.hpp"
#include "vrrpd/config/schema_haproxy.hpp"
#include "vrrpd/config/schema_instances.hpp"
#include "vrrpd/config/schema_mail.hpp"
#include "vrrpd/config/schema_notify.hpp"
#include "vrrpd/config/schema_static.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {
namespace {

constexpr std::string_view kKnown[] = {"node",    "startup_delay", "instances", "groups",
                                       "checks",  "notify_fifo",   "mail",      "static",
                                       "haproxy", "control",       "http",      "log"};
constexpr std::string_view kControlKnown[] = {"socket", "group"};
constexpr std::string_view kHttpKnown[] = {"listen"};
constexpr std::string_view kLogKnown[] = {"level", "format"};

constexpr DurationRange kStartupDelayRange{Duration{}, std::chrono::hours{2}};
constexpr std::size_t kNodeSizeBytesMax = 64;   // HOST_NAME_MAX
constexpr std::size_t kGroupSizeBytesMax = 32;  // LOGIN_NAME_MAX of useradd and groupadd

[[nodiscard]] std::string read_node(const Section& section, std::string_view host,
                                    Diagnostics& diagnostics) {
  const auto parse = [](std::string_view text) { return parse_word(text, kNodeSizeBytesMax); };
  std::string node;
  if (section.read("node", node, parse) != Read::kAbsent) return node;
  if (const Parsed<std::string> name = parse(host)) return *name;
  diagnostics.error({}, "this machine's host name is of no use as the default of 'node'; set it");
  return node;
}

[[nodiscard]] vrrp::ControlConfig read_control(const Node& value, Diagnostics& diagnostics) {
  vrrp::ControlConfig control;
  const auto section = Section::open(value, "control", kControlKnown, diagnostics);
  if (!section) return control;
  section->read("socket", control.socket, parse_socket_path);
  section->read("group", control.group,
                [](std::string_view text) { return parse_word(text, kGroupSizeBytesMax); });
  return control;
}

/// "127.0.0.1:9650", "[::1]:9650" or "off".
[[nodiscard]] Parsed<std::optional<vrrp::HttpConfig>> parse_listen(std::string_view text) {
  constexpr std::string_view kForm = "is not off, ADDRESS:PORT or [IPV6-ADDRESS]:PORT";
  if (text == "off") return std::optional<vrrp::HttpConfig>{};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return tl::make_unexpected(std::string{kForm});
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const Parsed<IpAddress> address = parse_address(host);
  if (!address || address->is_v6() != in_brackets || address->is_multicast()) {
    return tl::make_unexpected(std::string{kForm});
  }
  const Parsed<int> port = parse_integer(text.substr(colon + 1), {1, 65'535});
  if (!port) return tl::make_unexpected("has a port that is not in 1-65535");
  return std::optional{vrrp::HttpConfig{*address, static_cast<std::uint16_t>(*port)}};
}

/// `off` for the whole section is as good as for its only key.
[[nodiscard]] std::optional<vrrp::HttpConfig> read_http(const Node& value,
                                                        Diagnostics& diagnostics) {
  std::optional<vrrp::HttpConfig> http;
  if (value.kind == Node::Kind::kScalar) {
    static_cast<void>(
        read_scalar(value, "http", diagnostics, [](std::string_view text) -> Parsed<bool> {
          if (text == "off") return false;
          return tl::make_unexpected("is not off or {listen: ADDRESS:PORT}");
        }));
    return http;
  }
  const auto section = Section::open(value, "http", kHttpKnown, diagnostics);
  if (section && section->require("listen") != nullptr) {
    section->read("listen", http, parse_listen);
  }
  return http;
}

[[nodiscard]] vrrp::LogConfig read_log(const Node& value, Diagnostics& diagnostics) {
  vrrp::LogConfig log;
  const auto section = Section::open(value, "log", kLogKnown, diagnostics);
  if (!section) return log;
  section->read("level", log.level,
                [](std::string_view text) { return parse_choice(text, kLogLevelChoices); });
  section->read("format", log.format,
                [](std::string_view text) { return parse_choice(text, kLogFormatChoices); });
  return log;
}

/// A track without the section does nothing, and neither does the section without a track.
void check_haproxy_use(const Section& section, const Instances& instances,
                       Diagnostics& diagnostics) {
  if (const Node* haproxy = section.find("haproxy")) {
    if (instances.tracks.haproxy.empty() && instances.tracks.are_complete) {
      diagnostics.warning(haproxy->position,
                          "haproxy has no effect: no instance has it in 'track'");
    }
    return;
  }
  for (const Position position : instances.tracks.haproxy) {
    diagnostics.error(
        position, "track haproxy needs the section 'haproxy'; 'haproxy: {}' takes its defaults");
  }
}

/// Nobody gets a mail without the section, nor with it alone.
[[nodiscard]] std::optional<vrrp::MailConfig> read_used_mail(const Section& section,
                                                             const std::string& node,
                                                             const std::vector<Position>& uses,
                                                             Diagnostics& diagnostics) {
  const Node* value = section.find("mail");
  if (value == nullptr) {
    for (const Position position : uses) {
      diagnostics.error(position, "mail needs the section 'mail', with 'to' at least");
    }
    return std::nullopt;
  }
  vrrp::MailConfig mail = read_mail(*value, node, diagnostics);
  if (!uses.empty()) return mail;
  diagnostics.warning(value->position, "mail has no effect: no 'notify' has 'mail: true'");
  return std::nullopt;
}

/// It would be there on every machine that has it here.
void check_static(const Section& section, const vrrp::Config& config, Diagnostics& diagnostics) {
  for (const vrrp::VirtualAddress& fixed : config.fixed.addresses) {
    const IpAddress& address = fixed.prefix.address;
    for (const vrrp::InstanceConfig& instance : config.instances) {
      const auto& its_own = instance.addresses;
      const bool is_virtual = std::any_of(
          its_own.begin(), its_own.end(),
          [&](const vrrp::VirtualAddress& other) { return other.prefix.address == address; });
      if (!is_virtual) continue;
      diagnostics.warning(section.position_of("static"),
                          fmt::format("static address {} is also a virtual one, of instance {}",
                                      address.to_string(), shown(instance.name)));
    }
  }
}

}  // namespace

vrrp::Config read_config(const Node& root, std::string_view host, const FileReader& read_file,
                         Diagnostics& diagnostics) {
  vrrp::Config config;
  const auto section = Section::open(root, "the file", kKnown, diagnostics);
  if (!section) return config;

  config.node = read_node(*section, host, diagnostics);
  section->duration("startup_delay", config.startup_delay, kStartupDelayRange);
  Instances instances;
  if (const Node* list = section->require("instances")) {
    instances = read_instances(*list, diagnostics);
  }
  if (const Node* haproxy = section->find("haproxy"))
    config.haproxy = read_haproxy(*haproxy, read_file, diagnostics);
  check_haproxy_use(*section, instances, diagnostics);
  config.checks = read_checks(section->find("checks"), instances.tracks, diagnostics);
  config.instances = std::move(instances.configs);
  if (const Node* groups = section->find("groups")) {
    config.groups = read_groups(*groups, config.instances, instances.mails, diagnostics);
  }
  config.mail = read_used_mail(*section, config.node, instances.mails, diagnostics);
  if (const Node* fifo = section->find("notify_fifo")) {
    config.notify_fifo = read_notify_fifo(*fifo, diagnostics);
  }
  if (const Node* fixed = section->find("static")) config.fixed = read_static(*fixed, diagnostics);
  check_static(*section, config, diagnostics);
  if (const Node* control = section->find("control"))
    config.control = read_control(*control, diagnostics);
  if (const Node* http = section->find("http")) config.http = read_http(*http, diagnostics);
  if (const Node* log = section->find("log")) config.log = read_log(*log, diagnostics);
  return config;
}

}  // namespace ha::config
