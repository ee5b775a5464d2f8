/// What is mounted where, as /proc/self/mountinfo says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ha::sync {

struct Mount {
  std::string point;   ///< absolute
  std::string type;    ///< "fuse.glusterfs"
  std::string source;  ///< "localhost:/jenkins-devops-data"

  friend bool operator==(const Mount&, const Mount&) = default;
};

inline constexpr std::string_view kGlusterType = "fuse.glusterfs";

/// Lines that are not understood are left out.
[[nodiscard]] std::vector<Mount> parse_mountinfo(std::string_view text);

/// The mount that `path` (absolute, normal) is on: the longest that fits, the last of those.
[[nodiscard]] std::optional<Mount> mount_of(std::string_view path,
                                            const std::vector<Mount>& mounts);

/// "jenkins-devops-data" of "localhost:/jenkins-devops-data" or "localhost:jenkins-devops-data".
[[nodiscard]] std::string volume_of(const Mount& mount);

}  // namespace ha::sync
