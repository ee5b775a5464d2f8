#include "vrrpd/kernel/descriptor.hpp"

#include <linux/close_range.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace ha::vrrp {
namespace {

void enlarge(int descriptor, int forced, int limited, int size_bytes) {
  if (::setsockopt(descriptor, SOL_SOCKET, forced, &size_bytes, sizeof size_bytes) == 0) return;
  // A smaller queue loses more in a burst, which every reader and sender here survives.
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, limited, &size_bytes, sizeof size_bytes));
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<void> close_all_on_exec() {
  // Linux 5.11; before that Asio's signal pipe is the one that stays open.
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return {};
  return failure(errno, "make all descriptors close-on-exec");
}

void enlarge_receive_queue(int descriptor, int size_bytes) {
  enlarge(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, size_bytes);
}

void enlarge_send_queue(int descriptor, int size_bytes) {
  enlarge(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, size_bytes);
}

}  // namespace ha::vrrp
