/// Memory that a guard shares with all engines it will start; they inherit it by fork(), and what
/// one leaves there the next one finds.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "ha/result.hpp"

namespace ha::vrrp {

class SharedMemory {
 public:
  /// All bytes are 0; none of them takes up memory before it is written.
  [[nodiscard]] static Result<SharedMemory> create(std::size_t size_bytes);
  SharedMemory(SharedMemory&& other) noexcept : bytes_{std::exchange(other.bytes_, {})} {}
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  explicit SharedMemory(std::span<std::byte> bytes) : bytes_{bytes} {}
  std::span<std::byte> bytes_;
};

}  // namespace ha::vrrp
