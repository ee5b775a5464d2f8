/// What modules tell each other.
#pragma once

#include <string>
#include <vector>

#include "ha/ip.hpp"

namespace ha {

/// One source's claim on the priority: `effective = base - sum of amounts`, clamped to 1-254.
/// A source that is satisfied says so with an amount of 0; its reason is shown either way.
struct Demotion {
  std::string source;  ///< "haproxy", "interface eth1"
  int amount = 0;      ///< 0-254
  std::string reason;  ///< "75% up, 3 of 4 teams healthy"

  friend bool operator==(const Demotion&, const Demotion&) = default;
};

/// The addresses that belong to this machine itself, without any virtual one; `servers: local`
/// counts by them.
struct LocalAddresses {
  std::vector<IpAddress> addresses;

  friend bool operator==(const LocalAddresses&, const LocalAddresses&) = default;
};

}  // namespace ha
