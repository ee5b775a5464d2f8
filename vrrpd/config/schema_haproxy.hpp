/// The section `haproxy` of the configuration.
#pragma once

#include <optional>

#include "haproxy_probe/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::config {

/// Reads the section; what is wrong with it is in `diagnostics`, and then the value is of no use.
/// Without `read_file` the credentials stay unknown.
[[nodiscard]] probe::ProbeConfig read_haproxy(const Node& value, const FileReader& read_file,
                                              Diagnostics& diagnostics);

}  // namespace ha::config
