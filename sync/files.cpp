#include "sync/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace ha::sync {
namespace {

constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

[[nodiscard]] Result<void> write_all(int descriptor, std::string_view content,
                                     const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure(errno, "write " + path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(descriptor) != 0) return failure(errno, "write " + path);
  return {};
}

/// Makes a rename in the directory of `path` durable.
[[nodiscard]] Result<void> sync_directory_of(const std::string& path) {
  const std::string directory = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  const File opened{open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (opened.get() < 0) return failure(errno, "open " + directory);
  // Some FUSE file systems do not know fsync of a directory; then there is nothing to wait for.
  if (fsync(opened.get()) != 0 && errno != EINVAL && errno != ENOSYS) {
    return failure(errno, "sync " + directory);
  }
  return {};
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

Result<std::string> read_file(const std::string& path, std::size_t size_bytes_max) {
  const File file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failure(errno, "read " + path);
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return failure(errno, "read " + path);
  // As large as it says, so that most files need one read; /proc and .meta say 0.
  std::string content;
  std::size_t size = 0;
  while (true) {
    const std::size_t expected = static_cast<std::size_t>(std::max<off_t>(found.st_size, 0));
    content.resize(std::min(size_bytes_max + 1, std::max(expected + 1, size + 65536)));
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno, "read " + path);
    size += static_cast<std::size_t>(got);
    if (size > size_bytes_max) return failure(EFBIG, "read " + path);
    if (got == 0) break;
  }
  content.resize(size);
  return content;
}

Result<void> write_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  {
    const File file{open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode)};
    if (file.get() < 0) return failure(errno, "write " + temporary);
    if (auto done = write_all(file.get(), content, temporary); !done) return done;
  }
  if (auto done = rename_file(temporary, path); !done) return done;
  return sync_directory_of(path);
}

Result<bool> create_file(const std::string& path, std::string_view content) {
  const File file{open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode)};
  if (file.get() < 0) {
    if (errno == EEXIST) return false;
    return failure(errno, "create " + path);
  }
  if (auto done = write_all(file.get(), content, path); !done) {
    return tl::make_unexpected(done.error());
  }
  if (auto done = sync_directory_of(path); !done) return tl::make_unexpected(done.error());
  return true;
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return failure(errno, "rename " + from + " to " + to);
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return failure(errno, "remove " + path);
  return {};
}

Result<void> make_directories(const std::string& path) {
  if (mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
  const std::size_t slash = path.rfind('/');
  if (errno != ENOENT || slash == std::string::npos || slash == 0) {
    return failure(errno, "create directory " + path);
  }
  if (auto done = make_directories(path.substr(0, slash)); !done) return done;
  if (mkdir(path.c_str(), kDirectoryMode) == 0 || errno == EEXIST) return {};
  return failure(errno, "create directory " + path);
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const std::unique_ptr<DIR, DirectoryCloser> directory{opendir(path.c_str())};
  if (!directory) {
    if (errno == ENOENT) return std::vector<std::string>{};
    return failure(errno, "list " + path);
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failure(errno, "list " + path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> remove_tree(const std::string& path) {
  const auto found = look_at(path);
  if (!found) return tl::make_unexpected(found.error());
  if (*found == Found::kNothing) return {};
  if (*found == Found::kOther) return remove_file(path);
  const auto names = list_directory(path);
  if (!names) return tl::make_unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto done = remove_tree(join(path, name)); !done) return done;
  }
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) return failure(errno, "remove " + path);
  return {};
}

Result<Found> look_at(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    return S_ISDIR(found.st_mode) ? Found::kDirectory : Found::kOther;
  }
  // A parent that is a file or gone: nothing is at this path.
  if (errno == ENOENT || errno == ENOTDIR) return Found::kNothing;
  return failure(errno, "look at " + path);
}

}  // namespace ha::sync
