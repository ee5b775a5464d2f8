/// Commands of the configuration: notifications, and what checks run.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {

/// The arguments of a command: the absolute path of a program, or a list of it and its arguments.
/// Nothing after a diagnostic.
[[nodiscard]] std::optional<std::vector<std::string>> read_arguments(const Node& value,
                                                                     std::string_view name,
                                                                     Diagnostics& diagnostics);

/// Reads `user` and `group` into `command`.
Read read_identity(const Section& section, Command& command);

enum class Notified : std::uint8_t { kInstance, kGroup };

/// The map `notify`; what is wrong with it is in `diagnostics`, and then the value is of no use.
/// Where it asks for mail is added to `mails`.
[[nodiscard]] vrrp::NotifyConfig read_notify(const Node& value, Notified notified,
                                             std::vector<Position>& mails,
                                             Diagnostics& diagnostics);

/// The section `notify_fifo`, likewise.
[[nodiscard]] vrrp::NotifyFifo read_notify_fifo(const Node& value, Diagnostics& diagnostics);

}  // namespace ha::config
