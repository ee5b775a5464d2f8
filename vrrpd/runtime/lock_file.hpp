/// A file that at most one process holds: of several that start at the same moment exactly one gets
/// it.
#pragma once

#include <string>
#include <utility>

#include "ha/result.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::vrrp {

/// Held until it is destroyed or its process ends, however that happens. The file has mode 0600 and
/// names the process that holds it, for people; it goes with the lock, and one that a killed
/// process has left behind is taken over.
class LockFile {
 public:
  /// Holds nothing.
  LockFile() = default;
  LockFile(LockFile&& other) noexcept = default;
  /// What it held goes to `other`, and with that.
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~LockFile();

  /// Does not wait: that another process has it is an error with the code EADDRINUSE, which names
  /// that process.
  [[nodiscard]] static Result<LockFile> take(const std::string& path);

 private:
  LockFile(Descriptor descriptor, std::string path);

  Descriptor descriptor_;
  std::string path_;
};

}  // namespace ha::vrrp
