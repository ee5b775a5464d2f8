/// Copying with rsync as a child process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "ha/result.hpp"
#include "sync/files.hpp"

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

/// One run of rsync. Ends it if it is destroyed before it has ended; it also ends with this
/// process.
class Rsync {
 public:
  /// Copies with owners, modes, times, links, access control lists and extended attributes, without
  /// going through a temporary name: nobody reads below `to` before it has ended. Paths that have
  /// vanished are left out.
  [[nodiscard]] static Result<Rsync> start(const Copy& copy);
  ~Rsync();
  Rsync(Rsync&& other) noexcept;
  Rsync& operator=(Rsync&&) = delete;

  /// What it has said so far; does not wait.
  [[nodiscard]] CopyProgress poll();

  /// Waits for its end, telling `on_progress` now and then.
  [[nodiscard]] Result<CopyProgress> wait(
      const std::function<void(const CopyProgress&)>& on_progress);

  /// What it has said that it copied, in no order. Some of what it did may be missing.
  [[nodiscard]] const std::unordered_set<std::string>& named() const { return named_; }

 private:
  Rsync(pid_t child, File output, File errors);
  /// Reads what there is; false at the end of the output.
  bool drain(int patience_ms);
  void take_lines();

  pid_t child_ = -1;
  File output_;
  File errors_;
  std::string unread_;
  CopyProgress progress_;
  std::unordered_set<std::string> named_;
};

/// One line of its output: what was copied, and how large it is. A directory has no size.
struct CopiedLine {
  std::string path;
  std::uint64_t size_bytes = 0;

  friend bool operator==(const CopiedLine&, const CopiedLine&) = default;
};
/// Any bytes; nothing: the line says something else.
[[nodiscard]] std::optional<CopiedLine> parse_copied(std::string_view line);

/// What rsync's exit code and its last words mean to an operator; empty for success.
[[nodiscard]] std::string rsync_failure(int exit_code, std::string_view last_words);

}  // namespace ha::sync
