/// Which paths are left out, by patterns that mean what they mean to rsync. Pure.
///
/// A pattern without a slash fits a name anywhere; one with a slash inside fits the end of a path;
/// one that starts with a slash, a path from the root. A slash at its end makes it fit directories
/// only. `*` fits any part of a name, `**` any part of a path, `?` one character, `[…]` one of a
/// set; a backslash takes the next character as it is. A directory that is left out takes all it
/// holds with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ha::sync {

enum class Leaf : std::uint8_t { kDirectory, kOther };

class Exclusions {
 public:
  Exclusions() = default;
  explicit Exclusions(const std::vector<std::string>& patterns);

  /// Whether one of the patterns fits `path` itself; whoever walks a tree asks about directories
  /// before what they hold.
  [[nodiscard]] bool fits(std::string_view path, Leaf leaf) const;

 private:
  struct Pattern {
    std::string text;       ///< without the slashes that only say how to use it
    bool anchored = false;  ///< from the root
    bool whole_path = false;
    bool directories_only = false;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace ha::sync
