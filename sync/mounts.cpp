#include "sync/mounts.hpp"

#include <algorithm>
#include <array>

namespace ha::sync {
namespace {

/// mountinfo writes blank, tab, line end and backslash as three octal digits.
[[nodiscard]] std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (text[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      const int value = (text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0');
      result += static_cast<char>(value);
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string_view next_word(std::string_view& rest) {
  const std::size_t blank = rest.find(' ');
  const std::string_view word = rest.substr(0, blank);
  rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
  return word;
}

/// proc(5): id, parent, device, root, mount point, options, optional fields, "-", type, source.
[[nodiscard]] std::optional<Mount> parse_line(std::string_view line) {
  constexpr int kFieldsBeforePoint = 4;
  for (int i = 0; i < kFieldsBeforePoint; ++i) next_word(line);
  Mount mount;
  mount.point = decoded(next_word(line));
  const std::size_t separator = line.find(" - ");
  if (mount.point.empty() || separator == std::string_view::npos) return std::nullopt;
  line.remove_prefix(separator + 3);
  mount.type = decoded(next_word(line));
  mount.source = decoded(next_word(line));
  return mount;
}

[[nodiscard]] bool is_on(std::string_view path, std::string_view point) {
  if (point == "/") return true;
  return path.substr(0, point.size()) == point &&
         (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (auto mount = parse_line(text.substr(0, end))) mounts.push_back(std::move(*mount));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return mounts;
}

std::optional<Mount> mount_of(std::string_view path, const std::vector<Mount>& mounts) {
  std::optional<Mount> best;
  for (const Mount& mount : mounts) {
    if (is_on(path, mount.point) && (!best || mount.point.size() >= best->point.size())) {
      best = mount;
    }
  }
  return best;
}

std::string volume_of(const Mount& mount) {
  std::string name = mount.source.substr(mount.source.rfind(':') + 1);
  if (!name.empty() && name.front() == '/') name.erase(0, 1);
  return name;
}

}  // namespace ha::sync
