/// vrrpd called by keepalived's name: its command line, its processes, its files.
#pragma once

#include <string>
#include <vector>

namespace ha::vrrp {

/// `arguments` are those after the program's name. Returns the exit status, one of
/// keepalived::ExitCode or, with -t, of keepalived::TestExitCode.
[[nodiscard]] int run_as_keepalived(const std::vector<std::string>& arguments);

}  // namespace ha::vrrp
