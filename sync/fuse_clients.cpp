#include "sync/fuse_clients.hpp"

#include "sync/files.hpp"
#include "sync/records.hpp"

namespace ha::sync {

std::vector<pid_t> fuse_clients_of(const std::string& place) {
  constexpr std::size_t kNameSizeBytesMax = 64;
  constexpr std::size_t kCommandLineSizeBytesMax = 256 * 1024;
  std::vector<pid_t> clients;
  const auto names = list_directory("/proc");
  if (!names) return clients;
  const std::string last = std::string(1, '\0') + place + std::string(1, '\0');
  for (const std::string& name : *names) {
    const auto pid = parse_number(name);
    if (!pid) continue;
    const auto program = read_file(join("/proc", name) + "/comm", kNameSizeBytesMax);
    if (!program || *program != "glusterfs\n") continue;
    const auto words = read_file(join("/proc", name) + "/cmdline", kCommandLineSizeBytesMax);
    if (!words || words->size() < last.size()) continue;
    if (words->compare(words->size() - last.size(), last.size(), last) == 0) {
      clients.push_back(static_cast<pid_t>(*pid));
    }
  }
  return clients;
}

}  // namespace ha::sync
