/// Collects what is wrong with one file, in words, while the rest of it is still being read.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/load.hpp"

namespace ha::config {

/// Where something stands in the file. Both count from 1, the column in bytes; 0 is the file as a
/// whole.
struct Position {
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) = default;
};

/// At most this many problems are kept, so that a hostile file cannot turn one megabyte into a
/// hundred.
inline constexpr std::size_t kDiagnosticsMax = 1000;

class Diagnostics {
 public:
  /// `file` is how the file is named in each diagnostic.
  explicit Diagnostics(std::string_view file) : file_{file} {}

  void error(Position position, std::string text);
  void warning(Position position, std::string text);

  /// Whether anything was an error, even one that was not kept.
  [[nodiscard]] bool has_errors() const { return has_errors_; }

  /// Everything that was kept, in the order of the file, and a last one that counts the rest.
  [[nodiscard]] std::vector<vrrp::Diagnostic> in_file_order() const;

 private:
  void add(Position position, vrrp::Severity severity, std::string text);

  std::string file_;
  std::vector<vrrp::Diagnostic> kept_;
  std::size_t dropped_ = 0;
  bool has_errors_ = false;
};

/// A value as a message shows it: bare where it is a number with or without a unit, or an address;
/// otherwise in single quotes; cut when long.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace ha::config
