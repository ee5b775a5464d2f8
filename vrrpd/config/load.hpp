/// From the text of vrrpd.yaml to a Config, or to everything that is wrong with it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"

namespace ha::vrrp {

enum class Severity : std::uint8_t { kError, kWarning };

/// One problem and where it is. Line and column count from 1; 0 means the file as a whole.
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

struct Loaded {
  std::optional<Config> config;         ///< present exactly if no diagnostic is an error
  std::vector<Diagnostic> diagnostics;  ///< in the order of the file
};

/// Never throws and never touches anything but its arguments. `file` is for the diagnostics, `host`
/// (the short host name) the default of `node`.
[[nodiscard]] Loaded load(std::string_view text, std::string_view file, std::string_view host);

/// load() of a file's content; one that cannot be read, or is larger than 1 MiB, is one diagnostic.
[[nodiscard]] Loaded load_file(const std::filesystem::path& path);

/// The canonical YAML with every default filled in; load() of it gives an equal Config.
[[nodiscard]] std::string print(const Config& config);

}  // namespace ha::vrrp
