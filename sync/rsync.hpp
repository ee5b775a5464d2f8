/// Copying a list of paths with rsync as a child process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

/// One run of rsync. Ends it if it is destroyed before it has ended; it also ends with this
/// process.
class Rsync {
 public:
  /// Copies `paths` from below `from` to below `to`, with owners, modes, times, links, access
  /// control lists and extended attributes, without going through a temporary name: nobody reads
  /// below `to` before it has ended. Directories are copied without what they hold, paths that have
  /// vanished are left out.
  [[nodiscard]] static Result<Rsync> start(const std::string& from, const std::string& to,
                                           const std::vector<std::string>& paths,
                                           Durability durability);
  ~Rsync();
  Rsync(Rsync&& other) noexcept;
  Rsync& operator=(Rsync&&) = delete;

  /// What it has said so far; does not wait.
  [[nodiscard]] CopyProgress poll();

  /// Waits for its end, telling `on_progress` now and then.
  [[nodiscard]] Result<CopyProgress> wait(
      const std::function<void(const CopyProgress&)>& on_progress);

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
};

/// What rsync's exit code and its last words mean to an operator; empty for success.
[[nodiscard]] std::string rsync_failure(int exit_code, std::string_view last_words);

}  // namespace ha::sync
