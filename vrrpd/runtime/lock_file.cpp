#include "vrrpd/runtime/lock_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

namespace ha::vrrp {
namespace {

constexpr mode_t kMode = 0600;
/// Each attempt fails only if a holder goes away at that very moment.
constexpr int kAttemptsMax = 100;

/// "process 123", as far as the file tells.
std::string holder(int descriptor) {
  std::array<char, 20> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  std::string pid{text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  pid.resize(std::min(pid.find_first_not_of("0123456789"), pid.size()));
  return pid.empty() ? "another process" : "process " + pid;
}

void name_holder(int descriptor) {
  const std::string text = fmt::format("{}\n", getpid());
  // For people only: a full disk must not keep anybody from running.
  if (ftruncate(descriptor, 0) != 0) return;
  static_cast<void>(pwrite(descriptor, text.data(), text.size(), 0));
}

/// Whether the file at `path` is still the one that is open: its last holder removes it.
bool is_in_place(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat found {};
  return fstat(descriptor, &opened) == 0 && lstat(path.c_str(), &found) == 0 &&
         opened.st_dev == found.st_dev && opened.st_ino == found.st_ino;
}

}  // namespace

LockFile::LockFile(Descriptor descriptor, std::string path)
    : descriptor_{std::move(descriptor)}, path_{std::move(path)} {}

LockFile::~LockFile() {
  // Before the descriptor is closed: whoever waits for the lock finds that the file is another one.
  if (descriptor_.get() >= 0 && is_in_place(descriptor_.get(), path_)) unlink(path_.c_str());
}

Result<LockFile> LockFile::take(const std::string& path) {
  const std::string context = "lock " + path;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    // Neither a symbolic link nor a pipe that somebody left there leads us astray.
    Descriptor descriptor{
        open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kMode)};
    if (descriptor.get() < 0) return failure(errno, context);
    struct stat found {};
    if (fstat(descriptor.get(), &found) != 0) return failure(errno, context);
    if (!S_ISREG(found.st_mode)) return failure(EEXIST, context + ", which is no plain file");
    if (flock(descriptor.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return failure(errno, context);
      return failure(EADDRINUSE,
                     fmt::format("{}, which {} holds", context, holder(descriptor.get())));
    }
    if (!is_in_place(descriptor.get(), path)) continue;
    name_holder(descriptor.get());
    return LockFile{std::move(descriptor), path};
  }
  return failure(EAGAIN, context);
}

}  // namespace ha::vrrp
