/// From the text of vrrpd.yaml to a Config, or to everything that is wrong with it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::vrrp {

using config::Diagnostic;
using config::Severity;
using config::to_string;

struct Loaded {
  std::optional<Config> config;         ///< present exactly if no diagnostic is an error
  std::vector<Diagnostic> diagnostics;  ///< in the order of the file
};

/// Never throws and never touches anything but its arguments: `credentials_file` is not read.
/// `file` is for the diagnostics, `host` (the short host name) the default of `node`.
[[nodiscard]] Loaded load(std::string_view text, std::string_view file, std::string_view host);

/// load() of a file's content and of the credentials it names; one that cannot be read, is of
/// another kind, or is larger than 1 MiB, is one diagnostic.
[[nodiscard]] Loaded load_file(const std::filesystem::path& path,
                               config::FileKind kind = config::FileKind::kAny);

/// The canonical YAML with every default filled in, and without secrets of other files; load() of
/// it gives an equal Config.
[[nodiscard]] std::string print(const Config& config);

}  // namespace ha::vrrp
