/// Collects what is wrong with one file, in words, while the rest of it is still being read.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ha::config {

/// A note says that something makes no difference, as it made none elsewhere.
enum class Severity : std::uint8_t { kError, kWarning, kNote };

/// One problem and where it is. Line and column count from 1. Line 0 means the file as a whole,
/// column 0 the line as a whole.
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  Severity severity = Severity::kError;
  std::string text;

  friend bool operator==(const Diagnostic&, const Diagnostic&) = default;
};

/// "vrrpd.yaml:14:17: error: priority 300 is not in 1-254".
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

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
  [[nodiscard]] std::vector<Diagnostic> in_file_order() const;

 private:
  void add(Position position, Severity severity, std::string text);

  std::string file_;
  std::vector<Diagnostic> kept_;
  std::size_t dropped_ = 0;
  bool has_errors_ = false;
};

/// A value as a message shows it: bare where it is a number with or without a unit, or an address;
/// otherwise in single quotes; cut when long.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace ha::config
