/// What separates two states of a tree, and the moves that turn one into the other on a target.
/// Pure.
///
/// A generation is staged in a directory of its own: `new/` receives the files that change, `old/`
/// those they replace. Publishing is a list of renames between these two and the tree, so that each
/// move can be told from its outcome, taken back, and fails by itself once the staging directory is
/// gone.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sync/manifest.hpp"

namespace ha::sync {

enum class Change : std::uint8_t {
  kCreated,
  kReplaced,    ///< content, attributes or kind of what was there
  kAttributes,  ///< mode or owner of a directory that stays
  kRemoved,
};

struct Difference {
  Change change = Change::kCreated;
  std::string path;
  Entry entry;   ///< after; of kRemoved: before
  Entry before;  ///< of kAttributes

  friend bool operator==(const Difference& a, const Difference& b);
};

/// In the order of the paths, each once.
using Delta = std::vector<Difference>;

/// From `before` to `after`. An entry counts as changed if same_as() says so, or if both have
/// stamps and these differ: a change of extended attributes shows in nothing else.
[[nodiscard]] Delta difference(const Manifest& before, const Manifest& after);

/// `delta` and, as replaced, the other names in `after` of the files that it copies: only what is
/// copied together stays one file with several names. Names are told by the stamps' inodes.
[[nodiscard]] Delta with_other_names(Delta delta, const Manifest& after);

/// Makes the changes in `manifest`. Entries keep no stamps of the delta.
void apply(const Delta& delta, Manifest& manifest);

/// What is moved or changed on the target, in this order. Paths are relative to the tree.
struct Move {
  enum class Kind : std::uint8_t {
    kAside,       ///< tree/path -> old/path
    kIn,          ///< new/path -> tree/path
    kAttributes,  ///< of the directory tree/path
  };
  Kind kind = Kind::kAside;
  std::string path;
  Entry after;   ///< of kAttributes
  Entry before;  ///< of kAttributes

  friend bool operator==(const Move& a, const Move& b);
};

/// One move for a directory that appears or disappears with all it holds. Everything is moved aside
/// before anything is moved in.
[[nodiscard]] std::vector<Move> moves_for(const Delta& delta);

/// The paths that have to be copied into `new/`: what was created or replaced.
[[nodiscard]] std::vector<std::string> paths_to_copy(const Delta& delta);

/// The same paths in up to `count` parts of about the same number of entries each, to be copied at
/// the same time: directories with all that is copied below them, and what is copied by itself. A
/// directory that is divided is in none of the parts: it comes with whatever is copied into it. Few
/// entries are one part, and so is everything in a directory that its owner may not write.
[[nodiscard]] std::vector<std::vector<std::string>> shares_of(const Delta& delta,
                                                              std::size_t count);

/// The same forms of text as a manifest's, with the kind of change in front.
[[nodiscard]] std::string to_text(const Delta& delta);
[[nodiscard]] tl::expected<Delta, std::string> parse_delta(std::string_view text);

/// The directory of `path`, empty for the root.
[[nodiscard]] std::string_view parent_of(std::string_view path);

}  // namespace ha::sync
