/// The status as Prometheus reads it: text format 0.0.4.
#pragma once

#include <string>

#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

/// Every family has its HELP and TYPE, also where there is no sample now.
[[nodiscard]] std::string to_metrics(const Status& status);

}  // namespace ha::vrrp
