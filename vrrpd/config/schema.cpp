#include "vrrpd/config/schema.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "settings/section.hpp"
#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/schema_haproxy.hpp"
#include "vrrpd/config/schema_instances.hpp"

namespace ha::config {
namespace {

constexpr std::string_view kKnown[] = {"node", "instances", "haproxy", "control", "log"};
constexpr std::string_view kLater[] = {"groups", "checks", "http"};
constexpr std::string_view kControlKnown[] = {"socket", "group"};
constexpr std::string_view kLogKnown[] = {"level", "format"};

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
  const auto section = Section::open(value, "control", {kControlKnown, {}}, diagnostics);
  if (!section) return control;
  section->read("socket", control.socket, parse_socket_path);
  section->read("group", control.group,
                [](std::string_view text) { return parse_word(text, kGroupSizeBytesMax); });
  return control;
}

[[nodiscard]] vrrp::LogConfig read_log(const Node& value, Diagnostics& diagnostics) {
  vrrp::LogConfig log;
  const auto section = Section::open(value, "log", {kLogKnown, {}}, diagnostics);
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
    if (instances.haproxy_tracks.empty() && instances.tracks_are_complete) {
      diagnostics.warning(haproxy->position,
                          "haproxy has no effect: no instance has it in 'track'");
    }
    return;
  }
  for (const Position position : instances.haproxy_tracks) {
    diagnostics.error(
        position, "track haproxy needs the section 'haproxy'; 'haproxy: {}' takes its defaults");
  }
}

}  // namespace

vrrp::Config read_config(const Node& root, std::string_view host, const FileReader& read_file,
                         Diagnostics& diagnostics) {
  vrrp::Config config;
  const auto section = Section::open(root, "the file", {kKnown, kLater}, diagnostics);
  if (!section) return config;

  config.node = read_node(*section, host, diagnostics);
  Instances instances;
  if (const Node* list = section->require("instances")) {
    instances = read_instances(*list, diagnostics);
  }
  if (const Node* haproxy = section->find("haproxy"))
    config.haproxy = read_haproxy(*haproxy, read_file, diagnostics);
  check_haproxy_use(*section, instances, diagnostics);
  config.instances = std::move(instances.configs);
  if (const Node* control = section->find("control"))
    config.control = read_control(*control, diagnostics);
  if (const Node* log = section->find("log")) config.log = read_log(*log, diagnostics);
  return config;
}

}  // namespace ha::config
