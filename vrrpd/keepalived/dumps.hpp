/// What keepalived writes to keepalived.data, keepalived.stats and keepalived.json, so that what
/// reads those files goes on reading them. Pure.
///
/// What differs: passwords are left out; the wanted state is the present one, since `state` means
/// nothing to an election; of the data only what concerns virtual routers is there.
#pragma once

#include <map>
#include <string>

#include "vrrpd/config/config.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::keepalived {

/// Counters that a dump starts from, by instance; see signal_for_stats_clear().
using Baseline = std::map<std::string, vrrp::RouterStatistics>;

/// Those of `status` as they are now.
[[nodiscard]] Baseline baseline_of(const vrrp::Status& status);

/// `status` with the counters since `baseline`.
[[nodiscard]] vrrp::Status since(const Baseline& baseline, vrrp::Status status);

[[nodiscard]] std::string stats_text(const vrrp::Status& status);

/// `status` is that of `config`; an instance that one of them does not know is left out.
[[nodiscard]] std::string data_text(const vrrp::Config& config, const vrrp::Status& status);

/// Version 1 of keepalived's format, in one line.
[[nodiscard]] std::string json_text(const vrrp::Config& config, const vrrp::Status& status);

}  // namespace ha::keepalived
