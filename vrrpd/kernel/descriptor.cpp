#include "vrrpd/kernel/descriptor.hpp"

#include <sys/socket.h>
#include <unistd.h>

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

void enlarge_receive_queue(int descriptor, int size_bytes) {
  enlarge(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, size_bytes);
}

void enlarge_send_queue(int descriptor, int size_bytes) {
  enlarge(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, size_bytes);
}

}  // namespace ha::vrrp
