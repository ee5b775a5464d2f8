/// keepalived.conf, read into the same Config as vrrpd.yaml.
#pragma once

#include <filesystem>
#include <string>

#include "vrrpd/config/load.hpp"
#include "vrrpd/keepalived/machine.hpp"

namespace ha::keepalived {

/// Reads `content`, which came from `path`, and what it includes. Never throws; asks nothing but
/// `machine`. `config_id` is what `@` conditions compare with.
///
/// A configuration that this returns is one that vrrpd.yaml could say, and passed the same checks:
/// load(print(config)) is equal to it.
[[nodiscard]] vrrp::Loaded load(const std::string& path, const std::string& content,
                                const std::string& config_id, const Machine& machine);

/// Whether a file is a keepalived.conf rather than a vrrpd.yaml: by the end of its name, .conf or
/// .yaml and .yml; another name leaves it to the first line that is not empty or a comment, which
/// in YAML starts with a key and a colon.
[[nodiscard]] bool is_keepalived_conf(const std::filesystem::path& path, std::string_view content);

/// Reads a file of either form on this machine.
[[nodiscard]] vrrp::Loaded load_file(const std::filesystem::path& path,
                                     config::FileKind kind = config::FileKind::kAny);

/// Reads a file that is a keepalived.conf whatever its name. `config_id` empty: the host name.
[[nodiscard]] vrrp::Loaded load_conf(const std::string& path, const std::string& config_id);

/// What `vrrpctl convert` prints.
struct Converted {
  std::string yaml;      ///< with everything that was not honoured as comments; empty after errors
  std::string problems;  ///< the same as lines of diagnostics
  bool is_usable = false;
};
[[nodiscard]] Converted convert(const std::filesystem::path& path);

}  // namespace ha::keepalived
