/// What modules tell each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ha/ip.hpp"

namespace ha {

/// One source's claim on the priority: `effective = base - sum of amounts`, clamped to 1-254.
/// A source that is satisfied says so with an amount of 0; its reason is shown either way.
struct Demotion {
  std::string source;          ///< "haproxy", "interface eth1", "check glusterd"
  int amount = 0;              ///< -254 to 254; below 0 it raises the priority
  std::string reason;          ///< "75% up, 3 of 4 teams healthy"
  bool fault = false;          ///< keeps the router out of the election, whatever its priority
  bool spares_master = false;  ///< counts only while the router is not master
  /// Only until there is a first result: a router that has not started yet waits for it, rather
  /// than being in fault.
  bool pending = false;

  friend bool operator==(const Demotion&, const Demotion&) = default;
};

/// What a check says about what it watches.
struct Health {
  enum class Verdict : std::uint8_t {
    kUnknown,  ///< no result yet; counts as unhealthy
    kHealthy,
    kUnhealthy,
  };
  Verdict verdict = Verdict::kUnknown;
  int number = 0;      ///< of a check that gives one
  std::string reason;  ///< "exited with status 1"

  friend bool operator==(const Health&, const Health&) = default;
};

/// The addresses that belong to this machine itself, without any virtual one; `servers: local`
/// counts by them.
struct LocalAddresses {
  std::vector<IpAddress> addresses;

  friend bool operator==(const LocalAddresses&, const LocalAddresses&) = default;
};

}  // namespace ha
