/// A look at a local directory tree. Blocks for as long as the disk does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ha/result.hpp"
#include "sync/exclude.hpp"
#include "sync/manifest.hpp"

namespace ha::sync {

struct Scan {
  Manifest manifest;                ///< with stamps, without digests
  std::uint64_t special_files = 0;  ///< sockets, pipes and devices: left out
  bool has_hard_links = false;      ///< among the files that were looked at
  bool has_holes = false;           ///< the same
};

/// Everything below `root` but what is excluded and our own name. What vanishes meanwhile is left
/// out; what cannot be read is an error, since leaving it out would delete it elsewhere.
[[nodiscard]] Result<Scan> scan_tree(const std::string& root, const Exclusions& exclusions);

/// `before` with what is at `paths` now, and below those that are directories. Paths that are
/// excluded, or whose directory is gone, are not there.
[[nodiscard]] Result<Scan> scan_paths(const std::string& root, const Exclusions& exclusions,
                                      const Manifest& before,
                                      const std::vector<std::string>& paths);

/// Fills in digests from `known` where the stamp says that nothing was touched, or, where `known`
/// has no stamp, where size and times agree.
void take_over_digests(const Manifest& known, Manifest& into);

/// What is at one path, with its stamp; nothing if there is nothing that can be copied.
[[nodiscard]] Result<std::optional<Entry>> look_closely(const std::string& path);

/// Whether what is at `path` shows no change since it was `scanned`. Not if that cannot be told.
[[nodiscard]] bool is_still(const Entry& scanned, const std::string& path);

/// Whether what is at `path` has extended attributes, access control lists among them. Also if
/// that cannot be told; not if there is nothing.
[[nodiscard]] bool has_attributes(const std::string& path);

/// The digest of a file's content.
[[nodiscard]] Result<Digest> digest_of_file(const std::string& path);

}  // namespace ha::sync
