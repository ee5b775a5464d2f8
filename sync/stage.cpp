#include "sync/stage.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sync/files.hpp"

namespace ha::sync {
namespace {

/// Each may fail once more because of a rename that was under way in another process; more often is
/// a fight between two living writers.
constexpr int kAttemptsMax = 5;

[[nodiscard]] Result<void> make_parent(const std::string& root, std::string_view path) {
  const std::string_view parent = parent_of(path);
  return parent.empty() ? make_directories(root) : make_directories(join(root, parent));
}

/// rename() unless that has happened already.
[[nodiscard]] Result<void> move_once(const std::string& from, const std::string& to) {
  auto moved = rename_file(from, to);
  if (moved || moved.error().code.value() != ENOENT) return moved;
  const auto source = look_at(from);
  const auto destination = look_at(to);
  if (source && destination && *source == Found::kNothing && *destination != Found::kNothing) {
    return {};
  }
  return moved;
}

/// Puts everything below `from` (a directory of `outgoing`) back to `to`.
[[nodiscard]] Result<void> put_back(const std::string& from, const std::string& to) {
  const auto names = list_directory(from);
  if (!names) return tl::make_unexpected(names.error());
  for (const std::string& name : *names) {
    const std::string old = join(from, name);
    const std::string place = join(to, name);
    const auto old_kind = look_at(old);
    if (!old_kind) return tl::make_unexpected(old_kind.error());
    const auto place_kind = look_at(place);
    if (!place_kind) return tl::make_unexpected(place_kind.error());
    // A directory that stays in the tree is only the way to what was moved out of it.
    if (*old_kind == Found::kDirectory && *place_kind == Found::kDirectory) {
      if (auto done = put_back(old, place); !done) return done;
      continue;
    }
    // What was committed wins over what took its place.
    if (*place_kind == Found::kDirectory || *old_kind == Found::kDirectory) {
      if (auto done = remove_tree(place); !done) return done;
    }
    if (auto done = move_once(old, place); !done) return done;
  }
  if (rmdir(from.c_str()) != 0 && errno != ENOENT) return failure(errno, "remove " + from);
  return {};
}

}  // namespace

Result<void> set_attributes(const std::string& path, const Entry& entry) {
  if (lchown(path.c_str(), entry.uid, entry.gid) != 0 && errno != ENOENT) {
    return failure(errno, "change the owner of " + path);
  }
  // After the owner: changing that clears set-user-id bits.
  if (chmod(path.c_str(), entry.mode) != 0 && errno != ENOENT) {
    return failure(errno, "change the mode of " + path);
  }
  return {};
}

Result<void> carry_out(const Move& move, const Stage& stage) {
  const std::string in_tree = join(stage.tree, move.path);
  switch (move.kind) {
    case Move::Kind::kAside:
      if (auto done = make_parent(stage.outgoing, move.path); !done) return done;
      return move_once(in_tree, join(stage.outgoing, move.path));
    case Move::Kind::kIn:
      return move_once(join(stage.incoming, move.path), in_tree);
    case Move::Kind::kAttributes:
      return set_attributes(in_tree, move.after);
  }
  return {};
}

Result<void> take_back(const std::vector<Move>& moves, const Stage& stage) {
  for (auto move = moves.rbegin(); move != moves.rend(); ++move) {
    const std::string in_tree = join(stage.tree, move->path);
    if (move->kind == Move::Kind::kAttributes) {
      if (auto done = set_attributes(in_tree, move->before); !done) return done;
    }
    if (move->kind != Move::Kind::kIn) continue;
    const std::string waiting = join(stage.incoming, move->path);
    const auto is_waiting = look_at(waiting);
    if (!is_waiting) return tl::make_unexpected(is_waiting.error());
    if (*is_waiting != Found::kNothing) continue;  // it was never moved in
    const auto is_in = look_at(in_tree);
    if (!is_in) return tl::make_unexpected(is_in.error());
    if (*is_in == Found::kNothing) continue;
    if (auto done = make_parent(stage.incoming, move->path); !done) return done;
    if (auto done = move_once(in_tree, waiting); !done) return done;
  }
  Result<void> done;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    const auto left = look_at(stage.outgoing);
    if (!left) return tl::make_unexpected(left.error());
    if (*left == Found::kNothing) return {};
    done = put_back(stage.outgoing, stage.tree);
    if (!done && done.error().code.value() != ENOTEMPTY) return done;
  }
  return done;
}

}  // namespace ha::sync
