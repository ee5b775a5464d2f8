/// What load() says about a text, the way a test can list it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"
#include "vrrpd/config/load.hpp"

namespace ha::vrrp {

/// All diagnostics as "3:5: error: …" (without the file's name), or "error: …" for the file as a
/// whole.
[[nodiscard]] inline std::vector<std::string> diagnose(std::string_view text) {
  std::vector<std::string> lines;
  for (Diagnostic diagnostic : load(text, "", "vm1").diagnostics) {
    lines.push_back(to_string(diagnostic).substr(diagnostic.line == 0 ? 2 : 1));
  }
  return lines;
}

/// A good file of one instance whose line 5, from column 5 on, is `line`.
[[nodiscard]] inline std::string instance_with(std::string_view line) {
  return "instances:\n  - name: A\n    vrid: 1\n    addresses: [10.0.0.1/24]\n    " +
         std::string{line} + "\n";
}

/// The same without addresses, so that line 4 is free.
[[nodiscard]] inline std::string instance_without_addresses_with(std::string_view line) {
  return "instances:\n  - name: A\n    vrid: 1\n    " + std::string{line} + "\n";
}

/// A good file that tracks HAProxy, whose line 7, from column 3 on, is `line`.
[[nodiscard]] inline std::string haproxy_with(std::string_view line) {
  return instance_with("track: [haproxy]") + "haproxy:\n  " + std::string{line} + "\n";
}

/// A text and everything load() has to say about it.
struct Broken {
  std::string text;
  std::vector<std::string> diagnostics;
};

inline void check_all(const std::vector<Broken>& files) {
  for (const Broken& file : files) {
    INFO(file.text);
    CHECK(diagnose(file.text) == file.diagnostics);
  }
}

}  // namespace ha::vrrp
