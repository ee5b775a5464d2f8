#include "sync/remount.hpp"

#include <fmt/format.h>
#include <mntent.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "sync/files.hpp"
#include "sync/fuse_clients.hpp"
#include "sync/mounts.hpp"
#include "sync/tool.hpp"

namespace ha::sync {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMountinfoSizeBytesMax = 16 * 1024 * 1024;
constexpr Duration kMountPatience = 25s;
/// Mounts stacked on one place: every attempt that failed half-way can have left one.
constexpr int kStackMax = 16;

[[nodiscard]] bool is_mounted(const std::string& place) {
  const auto text = read_file("/proc/self/mountinfo", kMountinfoSizeBytesMax);
  if (!text) return false;
  const auto mounts = parse_mountinfo(*text);
  return std::any_of(mounts.begin(), mounts.end(),
                     [&](const Mount& mount) { return mount.point == place; });
}

[[nodiscard]] bool is_in_fstab(const std::string& place) {
  const std::unique_ptr<FILE, int (*)(FILE*)> table{setmntent("/etc/fstab", "re"), endmntent};
  if (!table) return false;
  while (const mntent* const entry = getmntent(table.get())) {
    if (place == entry->mnt_dir && std::string_view{entry->mnt_type} == "glusterfs") return true;
  }
  return false;
}

}  // namespace

Result<void> remount(const VolumeConfig& volume) {
  for (int i = 0; i < kStackMax && is_mounted(volume.mount); ++i) {
    if (umount2(volume.mount.c_str(), MNT_FORCE | MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return failure(errno, "unmount " + volume.mount);
    }
  }
  // One that hangs stays behind when its mount is gone.
  for (const pid_t client : fuse_clients_of(volume.mount)) kill(client, SIGKILL);
  std::vector<std::string> words{"mount"};
  if (!is_in_fstab(volume.mount)) {
    words.insert(words.end(), {"-t", "glusterfs", volume.server + ":/" + volume.name});
  }
  words.push_back(volume.mount);
  std::string said;
  const auto code = run_tool(words, kMountPatience, [&](std::string_view line) {
    if (said.empty()) said = line;
  });
  if (!code) return tl::make_unexpected(code.error());
  if (*code == 0) return {};
  return tl::unexpected<Error>{{{}, fmt::format("mount {}: {}", volume.mount, said)}};
}

}  // namespace ha::sync
