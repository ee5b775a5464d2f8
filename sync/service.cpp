#include "sync/service.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>

#include "sync/files.hpp"

namespace ha::sync {

void tell_service_manager(std::string_view state) {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return;
  const std::string_view path{name};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  path.copy(address.sun_path, path.size());
  // sd_notify(3): "@" stands for a name in the abstract namespace.
  if (path.front() == '@') address.sun_path[0] = '\0';
  const File socket_file{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  if (sendto(socket_file.get(), state.data(), state.size(), MSG_NOSIGNAL, generic, size) < 0) {
    return;  // it will notice that nothing comes
  }
}

}  // namespace ha::sync
