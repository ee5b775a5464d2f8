/// A program to be run for somebody: a check's script, a notify command.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "ha/types.hpp"

namespace ha {

struct Command {
  /// The absolute path of the program, then its arguments; never empty. No shell is involved.
  std::vector<std::string> arguments;
  /// Who runs it. Empty: the daemon's own user; for a check's script `nobody` where that is root.
  std::string user;
  std::string group;  ///< empty: the user's primary group
  /// A longer run is ended, with everything it started; 0 for no limit.
  Duration timeout = std::chrono::seconds{30};

  friend bool operator==(const Command&, const Command&) = default;
};

}  // namespace ha
