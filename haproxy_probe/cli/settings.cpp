#include "haproxy_probe/cli/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vrrpd/config/schema_haproxy.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::probe::cli {
namespace {

using config::Diagnostics;
using config::Entry;
using config::Node;

/// Sets `key` in `map`, wherever it came from before.
void set(Node& map, const std::string& key, Node value) {
  const auto same = [&](const Entry& entry) { return entry.key == key; };
  const auto found = std::find_if(map.entries.begin(), map.entries.end(), same);
  if (found != map.entries.end()) {
    found->value = std::move(value);
  } else {
    map.entries.push_back({key, {}, std::move(value)});
  }
}

Node scalar(const std::string& text) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.text = text;
  return node;
}

/// The file's section, or an empty one.
Node section_of(const SettingsFile& file, Diagnostics& diagnostics) {
  Node empty;
  empty.kind = Node::Kind::kMap;
  if (file.name.empty()) return empty;
  const auto root = config::parse(file.text, diagnostics);
  if (!root) return empty;
  for (const Entry& entry : root->entries) {
    if (entry.key == "haproxy" && entry.value.kind != Node::Kind::kEmpty) return entry.value;
  }
  return empty;
}

}  // namespace

tl::expected<ProbeConfig, std::vector<std::string>> settings_of(
    const SettingsFile& file, const Options& options, const config::FileReader& read_file) {
  Diagnostics diagnostics{file.name};
  Node section = section_of(file, diagnostics);
  if (section.kind == Node::Kind::kMap) {
    for (const auto& [key, value] : options) {
      if (key == "match") {
        Node match;
        match.kind = Node::Kind::kMap;
        match.entries.push_back({key, {}, scalar(value)});
        set(section, "servers", std::move(match));
      } else {
        set(section, key, scalar(value));
      }
    }
  }
  ProbeConfig config = config::read_haproxy(section, read_file, diagnostics);
  if (!diagnostics.has_errors()) return config;
  std::vector<std::string> problems;
  for (const config::Diagnostic& diagnostic : diagnostics.in_file_order()) {
    problems.push_back(diagnostic.line > 0 ? config::to_string(diagnostic)
                                           : "haproxy-probe: " + diagnostic.text);
  }
  return tl::make_unexpected(std::move(problems));
}

}  // namespace ha::probe::cli
