#include "vrrpd/keepalived/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrpd/keepalived/resolve.hpp"
#include "vrrpd/keepalived/sections.hpp"

namespace ha::keepalived {
namespace {

void read_statement(Draft& draft, const Statement& statement, Reading& reading) {
  const std::string& keyword = statement.keyword();
  if (keyword == "vrrp_instance") {
    read_instance(draft, statement, reading);
  } else if (keyword == "vrrp_sync_group") {
    read_sync_group(draft, statement, reading);
  } else if (keyword == "global_defs" || keyword == "global_definitions") {
    read_globals(draft.globals, statement, reading);
  } else if (keyword == "static_ipaddress" || keyword == "static_routes" ||
             keyword == "static_rules") {
    read_static(draft, statement, reading);
  } else {
    read_tracker(draft, statement, reading);
  }
}

/// One message for all virtual servers, however many there are.
[[nodiscard]] bool is_balancer(const Statement& statement) {
  return statement.keyword() == "virtual_server" || statement.keyword() == "virtual_server_group";
}

[[nodiscard]] Draft read_draft(const std::vector<Statement>& statements, Reading& reading) {
  Draft draft;
  bool balancers_are_reported = false;
  for (const Statement& statement : statements) {
    if (is_balancer(statement) && std::exchange(balancers_are_reported, true)) continue;
    if (is_read(Context::kFile, statement, reading)) read_statement(draft, statement, reading);
  }
  return draft;
}

/// The line of keepalived.conf that each line of the printed configuration comes from.
[[nodiscard]] std::vector<Place> places_of_lines(const std::string& yaml,
                                                 const Resolved& resolved) {
  std::vector<Place> places{Place{}};  // lines count from 1
  const std::vector<Place>* section = nullptr;
  std::size_t item = 0;
  for (std::size_t at = 0; at < yaml.size(); at = yaml.find('\n', at) + 1) {
    const std::string_view line = std::string_view{yaml}.substr(at, yaml.find('\n', at) - at);
    if (!line.empty() && line.front() != ' ') {
      section = line == "instances:" ? &resolved.instances
                : line == "groups:"  ? &resolved.groups
                : line == "checks:"  ? &resolved.checks
                                     : nullptr;
      item = 0;
    }
    const bool is_item = section == &resolved.checks ? line.size() > 2 && line.substr(0, 2) == "  "
                                                     : line.substr(0, 4) == "  - ";
    if (is_item && section != nullptr) ++item;
    const bool is_known = section != nullptr && item > 0 && item <= section->size();
    places.push_back(is_known ? (*section)[item - 1] : Place{});
  }
  return places;
}

/// A message about a second line names that of keepalived.conf, too.
[[nodiscard]] std::string translated(const std::string& text, const std::vector<Place>& places,
                                     const Report& report) {
  constexpr std::string_view kAtLine = " at line ";
  const std::size_t at = text.rfind(kAtLine);
  if (at == std::string::npos) return text;
  const std::string digits = text.substr(at + kAtLine.size());
  std::size_t line = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return text;
    line = line * 10 + static_cast<std::size_t>(c - '0');
    if (line >= places.size()) return text;
  }
  return text.substr(0, at) + " at " + report.name_of(places[line]);
}

/// What reads vrrpd.yaml says what a valid configuration is, here as there.
void check(const Resolved& resolved, Report& report, vrrp::Loaded& loaded) {
  const std::string yaml = print(resolved.config);
  vrrp::Loaded checked = vrrp::load(yaml, "", "");
  const std::vector<Place> places = places_of_lines(yaml, resolved);
  for (const vrrp::Diagnostic& diagnostic : checked.diagnostics) {
    const auto line = static_cast<std::size_t>(diagnostic.line);
    report.add(line < places.size() ? places[line] : Place{}, diagnostic.severity,
               translated(diagnostic.text, places, report));
  }
  if (checked.config && *checked.config != resolved.config) {
    report.error({}, "has a value with characters that a configuration cannot hold");
  } else {
    loaded.config = std::move(checked.config);
  }
}

}  // namespace

vrrp::Loaded load(const std::string& path, const std::string& content, const std::string& config_id,
                  const Machine& machine) {
  Report report;
  Reading reading{report, machine};
  vrrp::Loaded loaded;
  const auto tokens = read_lines(path, content, config_id, machine, report);
  const Resolved resolved = resolve(read_draft(read_blocks(tokens, report), reading), reading);
  if (resolved.config.instances.empty()) {
    if (!report.has_errors()) report.error({}, "has no vrrp_instance");
  } else {
    check(resolved, report, loaded);
  }
  if (report.has_errors()) loaded.config.reset();
  loaded.diagnostics = report.diagnostics();
  return loaded;
}

bool is_keepalived_conf(const std::filesystem::path& path, std::string_view content) {
  const std::string extension = path.extension().string();
  if (extension == ".conf") return true;
  if (extension == ".yaml" || extension == ".yml") return false;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view line = trimmed(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    return word.find(':') == std::string_view::npos && word != "---" && line.front() != '{';
  }
  return false;
}

vrrp::Loaded load_file(const std::filesystem::path& path, config::FileKind kind) {
  const ThisMachine machine;
  const auto content = machine.read(path.string(), kFileSizeBytesMax + 1);
  // What cannot be read is reported in the one way there is for it.
  if (!content || !is_keepalived_conf(path, *content)) return vrrp::load_file(path, kind);
  return load(path.string(), *content, machine.host_name(), machine);
}

vrrp::Loaded load_conf(const std::string& path, const std::string& config_id) {
  const ThisMachine machine;
  const auto content = machine.read(path, kFileSizeBytesMax + 1);
  if (content) {
    return load(path, *content, config_id.empty() ? machine.host_name() : config_id, machine);
  }
  return {std::nullopt, {{path, 0, 0, vrrp::Severity::kError, content.error().message()}}};
}

Converted convert(const std::filesystem::path& path) {
  const vrrp::Loaded loaded = load_file(path);
  Converted converted;
  std::string comments;
  for (const vrrp::Diagnostic& diagnostic : loaded.diagnostics) {
    const std::string line = to_string(diagnostic);
    converted.problems += line + '\n';
    comments += "#   " + line + '\n';
  }
  if (!loaded.config) return converted;
  converted.is_usable = true;
  converted.yaml = fmt::format("# Converted by vrrpctl convert.\n");
  if (!comments.empty())
    converted.yaml += "# What is not here, or means something else:\n" + comments;
  converted.yaml += '\n' + print(*loaded.config);
  return converted;
}

}  // namespace ha::keepalived
