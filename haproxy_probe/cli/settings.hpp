/// The settings of haproxy-probe: the `haproxy` section of a vrrpd.yaml, and on top of it what the
/// command line says. Each option is a key of the section, read by the same rules.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "haproxy_probe/config.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::probe::cli {

/// The configuration file, if one is named.
struct SettingsFile {
  std::string name;  ///< empty: none
  std::string text;
};

/// Keys with their values, as "threshold" and "60%"; `match` is that of `servers`.
using Options = std::vector<std::pair<std::string, std::string>>;

/// The settings, or everything that is wrong with them, a line each.
[[nodiscard]] tl::expected<ProbeConfig, std::vector<std::string>> settings_of(
    const SettingsFile& file, const Options& options, const config::FileReader& read_file);

}  // namespace ha::probe::cli
