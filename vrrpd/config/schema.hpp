/// From the tree of a file to a Config.
#pragma once

#include <string_view>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::config {

/// Reads all sections and checks them against each other; what is wrong is in `diagnostics`, and
/// then the value is of no use. `host` is the default of `node`; without `read_file` the files that
/// are named in it are not read.
[[nodiscard]] vrrp::Config read_config(const Node& root, std::string_view host,
                                       const FileReader& read_file, Diagnostics& diagnostics);

}  // namespace ha::config
