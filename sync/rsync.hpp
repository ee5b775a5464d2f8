/// Copying with rsync as a child process.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "sync/manifest.hpp"

namespace ha::sync {

struct CopyProgress {
  std::uint64_t entries = 0;     ///< files, directories and links that rsync is done with
  std::uint64_t size_bytes = 0;  ///< of the files among them
};

/// Whether the copies are on the disk before it ends.
enum class Durability : std::uint8_t { kLeaveToSystem, kOnDisk };

/// What to copy. Each name below the flags costs rsync calls for every file, and every call on a
/// GlusterFS mount takes a while: whoever knows that the files have nothing of the kind says so.
struct Copy {
  std::string from;
  std::string to;
  std::vector<std::string> paths;  ///< relative to `from`
  /// Directories among the paths with all they hold, except what fits these patterns of rsync;
  /// nothing: without what they hold. rsync is faster with few directories than with many files.
  std::optional<std::vector<std::string>> whole_except;
  Durability durability = Durability::kLeaveToSystem;
  bool has_hard_links = true;
  bool has_holes = true;       ///< sparse files
  bool has_attributes = true;  ///< extended ones, access control lists among them
};

/// One line of its output: what was copied.
struct CopiedLine {
  std::string path;
  std::uint64_t size_bytes = 0;  ///< as it was told; of a directory 0
  bool is_directory = false;
  /// Of the content that it has sent, if it is as long as a digest; of whatever kind rsync chose.
  Digest sum;

  friend bool operator==(const CopiedLine&, const CopiedLine&) = default;
};
/// Any bytes; nothing: the line says something else.
[[nodiscard]] std::optional<CopiedLine> parse_copied(std::string_view line);

/// Copies with owners, modes, times, links, access control lists and extended attributes, without
/// going through a temporary name: nobody reads at the destination before this returns. Paths that
/// have vanished are left out. Each of `copies` is a process of its own, at the same time; all end
/// with this one, and if one of them fails the others are ended.
///
/// `on_copied` is told of everything that they say they have copied, once they have read all of it,
/// and `on_progress` now and then. What was copied may be told late, or never.
[[nodiscard]] Result<CopyProgress> run_rsync(
    const std::vector<Copy>& copies, const std::function<void(const CopiedLine&)>& on_copied,
    const std::function<void(const CopyProgress&)>& on_progress);

/// What rsync's exit code and its last words mean to an operator; empty for success.
[[nodiscard]] std::string rsync_failure(int exit_code, std::string_view last_words);

}  // namespace ha::sync
