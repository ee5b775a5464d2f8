/// From what a keepalived.conf says to what it means.
#pragma once

#include "vrrpd/keepalived/draft.hpp"
#include "vrrpd/keepalived/values.hpp"

namespace ha::keepalived {

/// A configuration, and the lines its parts come from.
struct Resolved {
  vrrp::Config config;
  std::vector<Place> instances;  ///< of config.instances, one by one; and so on
  std::vector<Place> groups;
  std::vector<Place> checks;
};

/// Fills defaults in and looks names up. What is left out or refused is in the report; ranges and
/// uniqueness are not checked here, since what reads vrrpd.yaml does that for both.
[[nodiscard]] Resolved resolve(Draft draft, Reading& reading);

}  // namespace ha::keepalived
