/// A machine in memory for the tests of keepalived.conf, and what load() says about a text on it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "vrrpd/keepalived/load.hpp"

namespace ha::keepalived {

class FakeMachine final : public Machine {
 public:
  std::map<std::string, std::string> files;
  std::set<std::string> accounts;
  std::map<std::pair<std::string, std::string>, std::string> untrusted;  ///< by program and user
  std::map<std::string, std::string> programs{{"killall", "/usr/bin/killall"}};

  [[nodiscard]] std::string host_name() const override { return "vm1"; }

  [[nodiscard]] Result<std::string> read(const std::string& path,
                                         std::size_t size_bytes_max) const override {
    const auto found = files.find(path);
    if (found == files.end()) return failure(ENOENT, "cannot be read");
    return found->second.substr(0, size_bytes_max);
  }

  /// Knows no patterns but one '*' at the end.
  [[nodiscard]] std::vector<std::string> matching(const std::string& pattern) const override {
    std::vector<std::string> paths;
    for (const auto& [path, content] : files) {
      const bool fits = pattern.back() == '*'
                            ? path.rfind(pattern.substr(0, pattern.size() - 1), 0) == 0
                            : path == pattern;
      if (fits) paths.push_back(path);
    }
    return paths;
  }

  [[nodiscard]] std::optional<std::string> find_program(const std::string& name) const override {
    const auto found = programs.find(name);
    if (found == programs.end()) return std::nullopt;
    return found->second;
  }

  [[nodiscard]] bool has_account(const std::string& user) const override {
    return accounts.count(user) == 1;
  }

  [[nodiscard]] std::string why_untrusted(const std::string& program,
                                          const std::string& user) const override {
    const auto found = untrusted.find({program, user});
    return found == untrusted.end() ? "" : found->second;
  }
};

[[nodiscard]] inline vrrp::Loaded load_text(const std::string& text,
                                            const FakeMachine& machine = {}) {
  return load("/etc/keepalived/k.conf", text, "main", machine);
}

/// The configuration of a text without errors.
[[nodiscard]] inline vrrp::Config config_of(const std::string& text,
                                            const FakeMachine& machine = {}) {
  const vrrp::Loaded loaded = load_text(text, machine);
  for (const auto& diagnostic : loaded.diagnostics) UNSCOPED_INFO(to_string(diagnostic));
  INFO(text);
  REQUIRE(loaded.config.has_value());
  return *loaded.config;
}

/// All diagnostics as "3: error: …" (without the file's name), or "error: …" for the file as a
/// whole.
[[nodiscard]] inline std::vector<std::string> diagnose(const std::string& text,
                                                       const FakeMachine& machine = {}) {
  std::vector<std::string> lines;
  for (vrrp::Diagnostic diagnostic : load_text(text, machine).diagnostics) {
    if (diagnostic.file == "/etc/keepalived/k.conf") diagnostic.file.clear();
    const std::string line = to_string(diagnostic);
    lines.push_back(line.substr(!diagnostic.file.empty() ? 0 : diagnostic.line == 0 ? 2 : 1));
  }
  return lines;
}

/// A good file of one instance, in whose line 4 on stand `lines`.
[[nodiscard]] inline std::string instance_with(std::string_view lines) {
  return "vrrp_instance A {\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.9 }\n" +
         std::string{lines} + "\n}\n";
}

/// The same with `lines` in global_defs, which end with line 6.
[[nodiscard]] inline std::string globals_with(std::string_view lines) {
  return instance_with("") + "global_defs {\n" + std::string{lines} + "\n}\n";
}

[[nodiscard]] inline vrrp::InstanceConfig instance_of(const std::string& text,
                                                      const FakeMachine& machine = {}) {
  return config_of(text, machine).instances.at(0);
}

}  // namespace ha::keepalived
