/// From the text of a YAML file to a tree of values that know where they stand. This is the only
/// part that knows yaml-cpp, and it takes none of its interpretations: every scalar stays the text
/// it is in the file.
///
/// Only the plain part of YAML is taken: one document, no anchors, aliases or tags, no key twice,
/// keys that are scalars, UTF-8 without control characters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "vrrpd/settings/diagnostics.hpp"

namespace ha::config {

inline constexpr std::size_t kTextSizeBytesMax = 1024 * 1024;
inline constexpr std::size_t kNestingMax = 16;

struct Entry;

struct Node {
  enum class Kind : std::uint8_t {
    kEmpty,    ///< nothing, `~` or `null`
    kScalar,   ///< `text`
    kList,     ///< `items`
    kMap,      ///< `entries`
    kRefused,  ///< something that has been reported already: say no more about it
  };

  Kind kind = Kind::kEmpty;
  Position position;           ///< of an empty one: its key, or the list it is in
  std::string text;            ///< valid UTF-8 without control characters
  std::vector<Node> items;     ///< in the order of the file
  std::vector<Entry> entries;  ///< in the order of the file, each key once
};

struct Entry {
  std::string key;
  Position position;
  Node value;
};

enum class FileKind : std::uint8_t {
  kAny,
  kPlain,  ///< its end is there already; a pipe would make us wait for somebody to write
};

/// The content of the file; of one that is larger than parse() accepts, enough for it to see that.
[[nodiscard]] Result<std::string> read_text(const std::filesystem::path& path,
                                            FileKind kind = FileKind::kAny);

/// How a file that another one names is read: read_text(), or not at all.
using FileReader = std::function<Result<std::string>(const std::filesystem::path& path)>;

/// Reads `text` and reports what is not plain YAML. Returns the root, whose parts may be kRefused,
/// or nothing if the text cannot be read as YAML at all. Does not throw.
[[nodiscard]] std::optional<Node> parse(std::string_view text, Diagnostics& diagnostics);

}  // namespace ha::config
