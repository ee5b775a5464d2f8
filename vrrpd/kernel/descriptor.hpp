/// A file descriptor with an owner, and the socket options that every socket of this folder needs.
#pragma once

#include <utility>

namespace ha::vrrp {

/// Owns a file descriptor and closes it. Move-only; a moved-from one owns nothing.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_{number} {}
  Descriptor(Descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  /// Negative if it owns none.
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_ = -1;
};

/// Ask for a queue of `size_bytes`; what the system refuses stays as it was. With CAP_NET_ADMIN the
/// system-wide limits (net.core.rmem_max, wmem_max) do not apply.
void enlarge_receive_queue(int descriptor, int size_bytes);
void enlarge_send_queue(int descriptor, int size_bytes);

}  // namespace ha::vrrp
