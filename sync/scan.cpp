#include "sync/scan.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "sync/delta.hpp"
#include "sync/files.hpp"

namespace ha::sync {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::size_t kDepthMax = 512;
constexpr std::size_t kChunkSizeBytes = 256 * 1024;
/// Of the names that are read at once: most directories have fewer.
constexpr std::size_t kNamesSizeBytes = 32 * 1024;

struct HashFreer {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};

[[nodiscard]] std::int64_t ns_of(const timespec& time) {
  return time.tv_sec * kNsPerSecond + time.tv_nsec;
}

/// Nothing for what is neither file, directory nor symbolic link.
[[nodiscard]] std::optional<Entry> entry_of(const struct stat& found) {
  Entry entry;
  if (S_ISREG(found.st_mode)) {
    entry.kind = Kind::kFile;
    entry.size_bytes = static_cast<std::uint64_t>(found.st_size);
    entry.mtime_ns = ns_of(found.st_mtim);
  } else if (S_ISDIR(found.st_mode)) {
    entry.kind = Kind::kDirectory;
  } else if (S_ISLNK(found.st_mode)) {
    entry.kind = Kind::kSymlink;
  } else {
    return std::nullopt;
  }
  entry.mode = found.st_mode & 07777U;
  entry.uid = found.st_uid;
  entry.gid = found.st_gid;
  entry.stamp = {found.st_ino, ns_of(found.st_ctim)};
  return entry;
}

[[nodiscard]] Result<std::string> read_link(int directory, const char* name) {
  std::string target(4096, '\0');
  const ssize_t size = readlinkat(directory, name, target.data(), target.size());
  if (size < 0) return failure(errno, std::string{"read link "} + name);
  target.resize(static_cast<std::size_t>(size));
  return target;
}

/// One walk: what it goes through, and what it has found.
class Walk {
 public:
  Walk(const Exclusions& exclusions, Scan& into) : exclusions_{exclusions}, into_{into} {}

  /// Everything in the directory `name` below `parent`, whose path is `path` (empty: the root).
  [[nodiscard]] Result<void> directory(int parent, const char* name, const std::string& path,
                                       std::size_t depth) {
    if (depth > kDepthMax) return failure(ELOOP, "scan " + path);
    const int descriptor =
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOATIME);
    const File opened{descriptor < 0 && errno == EPERM
                          ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                          : descriptor};
    if (opened.get() < 0) {
      if (vanished(errno) && !path.empty()) return {};
      return failure(errno, "scan " + (path.empty() ? std::string{name} : path));
    }
    const auto names = names_in(opened.get(), path);
    if (!names) return tl::make_unexpected(names.error());
    std::string below = path.empty() ? std::string{} : path + '/';
    const std::size_t size = below.size();
    for (const std::string& leaf : *names) {
      if (path.empty() && leaf == kReserved) continue;
      below.resize(size);
      below += leaf;
      if (auto done = one(opened.get(), leaf.c_str(), below, depth); !done) return done;
    }
    return {};
  }

  /// What is at `path`, which is `name` in the open directory `parent`.
  [[nodiscard]] Result<void> one(int parent, const char* name, const std::string& path,
                                 std::size_t depth) {
    struct stat status {};
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (vanished(errno)) return {};
      return failure(errno, "scan " + path);
    }
    std::optional<Entry> entry = entry_of(status);
    const Leaf leaf = S_ISDIR(status.st_mode) ? Leaf::kDirectory : Leaf::kOther;
    if (exclusions_.fits(path, leaf)) return {};
    if (!entry) {
      ++into_.special_files;
      return {};
    }
    if (entry->kind == Kind::kSymlink) {
      auto link = read_link(parent, name);
      if (!link) {
        if (vanished(link.error().code.value())) return {};
        return tl::make_unexpected(link.error());
      }
      entry->link = std::move(*link);
    }
    if (entry->kind == Kind::kFile) {
      constexpr blkcnt_t kBlockSizeBytes = 512;
      into_.has_hard_links = into_.has_hard_links || status.st_nlink > 1;
      into_.has_holes = into_.has_holes || status.st_blocks * kBlockSizeBytes < status.st_size;
    }
    const bool descend = entry->kind == Kind::kDirectory;
    // Mostly it comes behind all there is.
    into_.manifest.insert_or_assign(into_.manifest.end(), path, std::move(*entry));
    return descend ? directory(parent, name, path, depth + 1) : Result<void>{};
  }

 private:
  [[nodiscard]] static bool vanished(int error) { return error == ENOENT || error == ENOTDIR; }

  /// In the order of their bytes, which is about that of the manifest.
  [[nodiscard]] Result<std::vector<std::string>> names_in(int directory, const std::string& path) {
    std::vector<std::string> names;
    while (true) {
      const ssize_t size = getdents64(directory, buffer_.data(), buffer_.size());
      // ENOENT: the directory has been removed since it was opened.
      if (size == 0 || (size < 0 && errno == ENOENT)) break;
      if (size < 0) return failure(errno, "scan " + path);
      for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
        const auto* const found = reinterpret_cast<const dirent64*>(buffer_.data() + at);
        const std::string_view leaf{found->d_name};
        if (leaf != "." && leaf != "..") names.emplace_back(leaf);
        at += found->d_reclen;
      }
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const Exclusions& exclusions_;
  Scan& into_;
  alignas(dirent64) std::array<char, kNamesSizeBytes> buffer_{};
};

/// Forgets `path` and all below it.
void forget(Manifest& manifest, const std::string& path) {
  manifest.erase(path);
  const std::string prefix = path + "/";
  auto at = manifest.lower_bound(prefix);
  while (at != manifest.end() && at->first.compare(0, prefix.size(), prefix) == 0) {
    at = manifest.erase(at);
  }
}

/// Whether one of the directories above `path` is excluded.
[[nodiscard]] bool is_below_excluded(std::string_view path, const Exclusions& exclusions) {
  for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above)) {
    if (exclusions.fits(above, Leaf::kDirectory)) return true;
  }
  return false;
}

[[nodiscard]] Result<void> look_at_root(const std::string& root, Manifest& manifest) {
  auto entry = look_closely(root + "/.");
  if (!entry) return tl::make_unexpected(entry.error());
  if (!*entry) return failure(ENOENT, "scan " + root);
  (*entry)->stamp = {};
  manifest.insert_or_assign(std::string{kRoot}, std::move(**entry));
  return {};
}

}  // namespace

Result<Scan> scan_tree(const std::string& root, const Exclusions& exclusions) {
  Scan scan;
  if (auto done = look_at_root(root, scan.manifest); !done)
    return tl::make_unexpected(done.error());
  Walk walk{exclusions, scan};
  if (auto done = walk.directory(AT_FDCWD, root.c_str(), {}, 0); !done) {
    return tl::make_unexpected(done.error());
  }
  return scan;
}

Result<Scan> scan_paths(const std::string& root, const Exclusions& exclusions,
                        const Manifest& before, const std::vector<std::string>& paths) {
  Scan scan;
  scan.manifest = before;
  if (auto done = look_at_root(root, scan.manifest); !done)
    return tl::make_unexpected(done.error());
  Walk walk{exclusions, scan};
  for (const std::string& path : paths) {
    if (path == kRoot || !is_acceptable_path(path) || is_below_excluded(path, exclusions)) continue;
    forget(scan.manifest, path);
    // The directories above may be as new as the path; they are looked at, not walked.
    bool has_parents = true;
    for (std::size_t slash = path.find('/'); slash != std::string::npos && has_parents;
         slash = path.find('/', slash + 1)) {
      const std::string above = path.substr(0, slash);
      auto entry = look_closely(join(root, above));
      if (!entry) return tl::make_unexpected(entry.error());
      has_parents = *entry && (*entry)->kind == Kind::kDirectory;
      if (has_parents) scan.manifest.insert_or_assign(above, std::move(**entry));
      if (!has_parents) forget(scan.manifest, above);
    }
    if (!has_parents) continue;
    const std::string whole = join(root, path);
    if (auto done = walk.one(AT_FDCWD, whole.c_str(), path, 0); !done) {
      return tl::make_unexpected(done.error());
    }
  }
  return scan;
}

void take_over_digests(const Manifest& known, Manifest& into) {
  for (auto& [path, entry] : into) {
    if (entry.kind != Kind::kFile || !entry.digest.empty()) continue;
    const auto found = known.find(path);
    if (found == known.end() || found->second.kind != Kind::kFile) continue;
    const Entry& old = found->second;
    const bool untouched =
        old.stamp != Stamp{} ? old.stamp == entry.stamp
                             : old.size_bytes == entry.size_bytes && old.mtime_ns == entry.mtime_ns;
    if (untouched) entry.digest = old.digest;
  }
}

Result<std::optional<Entry>> look_closely(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<Entry>{};
    return failure(errno, "look at " + path);
  }
  std::optional<Entry> entry = entry_of(status);
  if (entry && entry->kind == Kind::kSymlink) {
    auto link = read_link(AT_FDCWD, path.c_str());
    if (!link) return tl::make_unexpected(link.error());
    entry->link = std::move(*link);
  }
  return entry;
}

bool is_still(const Entry& scanned, const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return false;
  const auto now = entry_of(status);
  // A file that is being truncated is shorter before its stamp says so (ext4).
  return now && now->kind == scanned.kind && now->size_bytes == scanned.size_bytes &&
         now->stamp.shows_same(scanned.stamp);
}

bool has_attributes(const std::string& path) {
  const ssize_t size = llistxattr(path.c_str(), nullptr, 0);
  return size > 0 || (size < 0 && errno != ENOTSUP && errno != ENOENT);
}

Result<Digest> digest_of_file(const std::string& path) {
  const File file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (file.get() < 0) return failure(errno, "read " + path);
  static thread_local std::vector<char> chunk(kChunkSizeBytes);
  const std::unique_ptr<XXH3_state_t, HashFreer> state{XXH3_createState()};
  XXH3_128bits_reset(state.get());
  while (true) {
    const ssize_t got = read(file.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(errno, "read " + path);
    XXH3_128bits_update(state.get(), chunk.data(), static_cast<std::size_t>(got));
    // Of a file, less than what was asked for is the last of it.
    if (static_cast<std::size_t>(got) < chunk.size()) break;
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace ha::sync
