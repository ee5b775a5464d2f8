#include "vrrpd/guard/shared_memory.hpp"

#include <sys/mman.h>

#include <cerrno>

namespace ha::vrrp {

Result<SharedMemory> SharedMemory::create(std::size_t size_bytes) {
  void* const memory = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return failure(errno, "allocate memory to share with the guard");
  return SharedMemory{std::span{static_cast<std::byte*>(memory), size_bytes}};
}

SharedMemory::~SharedMemory() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace ha::vrrp
