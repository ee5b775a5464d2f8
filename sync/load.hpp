/// From the text of gluster-sync.yaml to a Config, or to everything that is wrong with it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"

namespace ha::sync {

/// Whether targets have to be below the mount of a configured volume. kAllowLocal is for trying
/// things out, and for tests.
enum class Locality : std::uint8_t { kGlusterOnly, kAllowLocal };

struct Loaded {
  std::optional<Config> config;                 ///< present exactly if no diagnostic is an error
  std::vector<config::Diagnostic> diagnostics;  ///< in the order of the file
};

/// Never throws and never touches anything but its arguments. `file` is for the diagnostics.
[[nodiscard]] Loaded load(std::string_view text, std::string_view file, Locality locality);

/// load() of a file's content; one that cannot be read is one diagnostic.
[[nodiscard]] Loaded load_file(const std::filesystem::path& path, Locality locality);

/// Whether one of two normal absolute paths is the other, or lies below it.
[[nodiscard]] bool overlap(std::string_view a, std::string_view b);

/// Whether `path` is `directory` or lies below it; both normal and absolute.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory);

}  // namespace ha::sync
