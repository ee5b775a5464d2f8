/// How old gluster-sync says the teams' files on this machine are, for as long as it goes on saying
/// so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <string>

#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {

class SyncHealth {
 public:
  /// Without news for so long nothing is known.
  static constexpr Duration kSilenceMax = std::chrono::seconds{30};

  /// Both must outlive the object.
  SyncHealth(boost::asio::io_context& io, VirtualRouters& routers)
      : routers_{routers}, timer_{io} {}

  /// False, and of no effect, if no instance tracks the team.
  bool report(const std::string& team, std::chrono::milliseconds lag);

 private:
  void forget_silent();

  VirtualRouters& routers_;
  std::map<std::string, TimePoint> heard_;  ///< by team
  boost::asio::steady_timer timer_;         ///< while anything is known
};

}  // namespace ha::vrrp
