/// Files as wholes: read, written so that a crash leaves the old or the new one, listed, removed.
/// Every function may block for as long as the file system does.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ha/result.hpp"

namespace ha::sync {

/// Owns a file descriptor and closes it. Move-only; a moved-from one owns nothing.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_{descriptor} {}
  File(File&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File();

  /// Negative if it owns none.
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

/// The whole file; one of more than `size_bytes_max` is an error (EFBIG).
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t size_bytes_max);

/// Replaces the file by way of PATH.tmp and a rename; when it returns, the new one is on the disk.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view content);

/// Creates the file with this content. False: it is there already. A crash can leave it empty.
[[nodiscard]] Result<bool> create_file(const std::string& path, std::string_view content);

[[nodiscard]] Result<void> rename_file(const std::string& from, const std::string& to);

/// Removes one file; one that is not there is fine.
[[nodiscard]] Result<void> remove_file(const std::string& path);

/// Creates the directory and those above it (mode 0700); one that is there is fine.
[[nodiscard]] Result<void> make_directories(const std::string& path);

/// Removes a directory and all below it; one that is not there is fine.
[[nodiscard]] Result<void> remove_tree(const std::string& path);

/// The names in a directory, in order, without "." and "..". One that is not there has none.
[[nodiscard]] Result<std::vector<std::string>> list_directory(const std::string& path);

enum class Found : std::uint8_t { kNothing, kDirectory, kOther };
/// What is at `path` itself, without following a link.
[[nodiscard]] Result<Found> look_at(const std::string& path);

/// The path of a file below a directory.
[[nodiscard]] inline std::string join(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string{name};
}

}  // namespace ha::sync
