#include "vrrpd/runtime/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {
namespace {

/// The protocol of sd_notify(3): one datagram to the socket that is named in the environment, `@`
/// first for one without a file. Nobody may be there, and nothing depends on it.
void tell(std::string_view message) {
  const char* const variable = std::getenv("NOTIFY_SOCKET");
  const std::string_view path = variable == nullptr ? "" : variable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  std::copy(path.begin(), path.end(), address.sun_path);
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  static_cast<void>(::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address), size));
}

/// sd_watchdog_enabled(3); 0 if the unit has none. The process it names is the guard, which is the
/// unit's main process; the one to watch is this.
std::chrono::microseconds watchdog() {
  const char* const variable = std::getenv("WATCHDOG_USEC");
  const std::string_view text = variable == nullptr ? "" : variable;
  std::int64_t us = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), us);
  const bool valid = error == std::errc{} && end == text.data() + text.size() && us > 0;
  return std::chrono::microseconds{valid ? us : 0};
}

}  // namespace

ServiceManager::ServiceManager(boost::asio::io_context& io) : timer_{io}, watchdog_{watchdog()} {}

void ServiceManager::ready(const std::string& status) {
  tell("READY=1\nSTATUS=" + status);
  if (watchdog_.count() > 0) feed_watchdog();
}

void ServiceManager::stopping() { tell("STOPPING=1"); }

void ServiceManager::feed_watchdog() {
  tell("WATCHDOG=1");
  timer_.expires_after(watchdog_ / 2);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) feed_watchdog();
  });
}

}  // namespace ha::vrrp
