#include "sync/meta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sync/files.hpp"

namespace ha::sync {
namespace {

constexpr std::size_t kPrivateSizeBytesMax = 256 * 1024;

/// Whether `name` is VOLUME-KIND-NUMBER. A volume's own name may contain anything.
[[nodiscard]] bool is_of_kind(std::string_view name, std::string_view kind) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash + 1 == name.size()) return false;
  const std::string_view number = name.substr(dash + 1);
  const bool is_number = std::all_of(number.begin(), number.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; });
  const std::string_view before = name.substr(0, dash);
  return is_number && before.size() > kind.size() &&
         before.substr(before.size() - kind.size()) == kind;
}

}  // namespace

std::string_view value_in(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    constexpr std::string_view kSeparator = " = ";
    if (line.substr(0, key.size()) == key &&
        line.substr(key.size(), kSeparator.size()) == kSeparator) {
      return line.substr(key.size() + kSeparator.size());
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return {};
}

void add_translator(std::string_view name, std::string_view text, BrickView& view) {
  if (is_of_kind(name, "-client")) {
    ++view.bricks;
    view.connected += value_in(text, "connected") == "1" ? 1U : 0U;
  } else if (is_of_kind(name, "-replicate")) {
    const std::string_view up = value_in(text, "up");
    if (up.empty()) return;
    view.quorum = view.quorum.value_or(true) && up == "1";
  }
}

Result<BrickView> read_bricks(const std::string& mount) {
  const std::string graph = mount + "/.meta/graphs/active";
  const auto names = list_directory(graph);
  if (!names) return tl::make_unexpected(names.error());
  BrickView view;
  for (const std::string& name : *names) {
    if (!is_of_kind(name, "-client") && !is_of_kind(name, "-replicate")) continue;
    const auto text = read_file(graph + "/" + name + "/private", kPrivateSizeBytesMax);
    if (!text) return tl::make_unexpected(text.error());
    add_translator(name, *text, view);
  }
  return view;
}

std::string why_not_writable(const BrickView& view) {
  if (view.quorum.value_or(true)) return {};
  return fmt::format("has no quorum: {} of {} bricks are connected", view.connected, view.bricks);
}

}  // namespace ha::sync
