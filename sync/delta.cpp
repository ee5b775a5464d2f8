#include "sync/delta.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace ha::sync {
namespace {

[[nodiscard]] bool equal(const Entry& a, const Entry& b) {
  return a.same_as(b) && a.digest == b.digest;
}

[[nodiscard]] bool changed(const Entry& before, const Entry& after) {
  if (!before.same_as(after)) return true;
  if (before.kind == Kind::kDirectory) return false;  // its stamp changes with what it holds
  const bool both_stamped = before.stamp != Stamp{} && after.stamp != Stamp{};
  return both_stamped && before.stamp != after.stamp;
}

[[nodiscard]] char letter_of(Change change) {
  switch (change) {
    case Change::kCreated:
      return '+';
    case Change::kReplaced:
      return '=';
    case Change::kAttributes:
      return '~';
    case Change::kRemoved:
      return '-';
  }
  return '?';
}

[[nodiscard]] std::optional<Change> change_of(char letter) {
  switch (letter) {
    case '+':
      return Change::kCreated;
    case '=':
      return Change::kReplaced;
    case '~':
      return Change::kAttributes;
    case '-':
      return Change::kRemoved;
    default:
      return std::nullopt;
  }
}

/// Whether one of the directories above `path` is in `tops`.
[[nodiscard]] bool is_covered(std::string_view path,
                              const std::set<std::string, std::less<>>& tops) {
  for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above)) {
    if (tops.find(above) != tops.end()) return true;
  }
  return false;
}

}  // namespace

bool operator==(const Difference& a, const Difference& b) {
  return a.change == b.change && a.path == b.path && equal(a.entry, b.entry) &&
         equal(a.before, b.before);
}

bool operator==(const Move& a, const Move& b) {
  return a.kind == b.kind && a.path == b.path && equal(a.after, b.after) &&
         equal(a.before, b.before);
}

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

Delta difference(const Manifest& before, const Manifest& after) {
  Delta delta;
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    if (now == after.end() || (old != before.end() && old->first < now->first)) {
      if (old->first != kRoot) delta.push_back({Change::kRemoved, old->first, old->second, {}});
      ++old;
    } else if (old == before.end() || now->first < old->first) {
      // The root is there before anything is in it.
      const bool is_root = now->first == kRoot;
      delta.push_back({is_root ? Change::kAttributes : Change::kCreated, now->first, now->second,
                       is_root ? now->second : Entry{}});
      ++now;
    } else {
      if (changed(old->second, now->second)) {
        const bool stays_directory =
            old->second.kind == Kind::kDirectory && now->second.kind == Kind::kDirectory;
        if (stays_directory) {
          delta.push_back({Change::kAttributes, now->first, now->second, old->second});
        } else {
          delta.push_back({Change::kReplaced, now->first, now->second, {}});
        }
      }
      ++old;
      ++now;
    }
  }
  return delta;
}

Delta with_other_names(Delta delta, const Manifest& after) {
  std::unordered_map<std::uint64_t, std::set<std::string>> copied;
  for (const Difference& one : delta) {
    const auto found = after.find(one.path);
    const bool counts = (one.change == Change::kCreated || one.change == Change::kReplaced) &&
                        found != after.end() && found->second.kind == Kind::kFile &&
                        found->second.stamp.inode != 0;
    if (counts) copied[found->second.stamp.inode].insert(one.path);
  }
  if (copied.empty()) return delta;
  Delta others;
  for (const auto& [path, entry] : after) {
    if (entry.kind != Kind::kFile) continue;
    const auto names = copied.find(entry.stamp.inode);
    if (names == copied.end() || names->second.count(path) > 0) continue;
    others.push_back({Change::kReplaced, path, entry, {}});
  }
  const auto in_order = [](const Difference& a, const Difference& b) { return a.path < b.path; };
  Delta all;
  std::merge(delta.begin(), delta.end(), others.begin(), others.end(), std::back_inserter(all),
             in_order);
  return all;
}

void apply(const Delta& delta, Manifest& manifest) {
  for (const Difference& one : delta) {
    if (one.change == Change::kRemoved) {
      manifest.erase(one.path);
      continue;
    }
    Entry entry = one.entry;
    entry.stamp = {};
    manifest.insert_or_assign(one.path, std::move(entry));
  }
}

std::vector<Move> moves_for(const Delta& delta) {
  std::set<std::string, std::less<>> gone;   // moved aside as a whole
  std::set<std::string, std::less<>> added;  // moved in as a whole
  std::vector<Move> moves;
  for (const Difference& one : delta) {
    const bool leaves = one.change == Change::kRemoved || one.change == Change::kReplaced;
    if (!leaves || is_covered(one.path, gone)) continue;
    gone.insert(one.path);
    moves.push_back({Move::Kind::kAside, one.path, {}, {}});
  }
  for (const Difference& one : delta) {
    if (one.change == Change::kAttributes) {
      moves.push_back({Move::Kind::kAttributes, one.path, one.entry, one.before});
    }
    const bool comes = one.change == Change::kCreated || one.change == Change::kReplaced;
    if (!comes || is_covered(one.path, added)) continue;
    added.insert(one.path);
    moves.push_back({Move::Kind::kIn, one.path, {}, {}});
  }
  return moves;
}

std::vector<std::string> paths_to_copy(const Delta& delta) {
  std::vector<std::string> paths;
  for (const Difference& one : delta) {
    if (one.change == Change::kCreated || one.change == Change::kReplaced) {
      paths.push_back(one.path);
    }
  }
  return paths;
}

namespace {

/// Fewer are copied before another process has been started.
constexpr std::size_t kEntriesOfShareMin = 500;
/// More paths make a list that takes longer to read than dividing it saves.
constexpr std::size_t kPathsOfShareMax = 4096;

/// A range of a delta that is copied as a whole: a path and all below it.
struct Unit {
  std::string path;
  Entry entry;
  std::size_t entries = 1;
};

[[nodiscard]] Delta::const_iterator first_from(const Delta& delta, const std::string& path) {
  return std::lower_bound(
      delta.begin(), delta.end(), path,
      [](const Difference& one, const std::string& wanted) { return one.path < wanted; });
}

/// What is below a directory stands together: nothing but what starts with "path/" is behind that
/// and before "path0", since '0' follows '/'.
[[nodiscard]] std::pair<Delta::const_iterator, Delta::const_iterator> below(
    const Delta& delta, const std::string& path) {
  return {first_from(delta, path + '/'), first_from(delta, path + '0')};
}

[[nodiscard]] Unit unit_of(const Delta& delta, const Difference& one) {
  // Below what is no directory any more there is only what was removed.
  if (one.entry.kind != Kind::kDirectory) return {one.path, one.entry, 1};
  const auto [first, last] = below(delta, one.path);
  return {one.path, one.entry, 1 + static_cast<std::size_t>(last - first)};
}

/// What is directly in the directory `unit`; nothing if it cannot or need not be divided.
[[nodiscard]] std::vector<Unit> parts_of(const Delta& delta, const Unit& unit) {
  constexpr std::uint32_t kOwnerWrites = 0300;
  const bool may_be_shared =
      unit.entry.kind == Kind::kDirectory && (unit.entry.mode & kOwnerWrites) == kOwnerWrites;
  if (!may_be_shared) return {};
  std::vector<Unit> parts;
  const auto [first, last] = below(delta, unit.path);
  for (auto one = first; one != last; ++one) {
    if (parent_of(one->path) != unit.path) continue;
    if (parts.size() == kPathsOfShareMax) return {};
    parts.push_back(unit_of(delta, *one));
  }
  return parts;
}

}  // namespace

std::vector<std::vector<std::string>> shares_of(const Delta& delta, std::size_t count) {
  std::vector<Unit> units;
  std::size_t total = 0;
  for (const Move& move : moves_for(delta)) {
    if (move.kind != Move::Kind::kIn) continue;
    units.push_back(unit_of(delta, *first_from(delta, move.path)));
    total += units.back().entries;
  }
  const std::size_t shares =
      std::clamp<std::size_t>(total / kEntriesOfShareMin, 1, std::max<std::size_t>(count, 1));
  // Small enough for shares that differ by an eighth at most.
  for (std::size_t i = 0; shares > 1 && i < units.size();) {
    std::vector<Unit> parts;
    if (units[i].entries * shares * 8 > total) parts = parts_of(delta, units[i]);
    if (parts.empty()) {
      ++i;
      continue;
    }
    --total;
    const auto at = units.erase(units.begin() + static_cast<std::ptrdiff_t>(i));
    units.insert(at, std::make_move_iterator(parts.begin()), std::make_move_iterator(parts.end()));
  }
  std::vector<std::vector<std::string>> result(1);
  std::size_t done = 0;
  for (Unit& unit : units) {
    if (done * shares >= total * result.size()) result.emplace_back();
    result.back().push_back(std::move(unit.path));
    done += unit.entries;
  }
  return result;
}

std::string to_text(const Delta& delta) {
  std::string text;
  for (const Difference& one : delta) {
    text += letter_of(one.change);
    text += '\t';
    if (one.change == Change::kAttributes) {
      text += fmt::format("{:o}\t{}\t{}\t", one.before.mode, one.before.uid, one.before.gid);
    }
    append_line(one.path, one.entry, Stamps::kWithout, text);
  }
  return text + fmt::format("end\t{}\n", delta.size());
}

namespace {

tl::unexpected<std::string> refuse(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

[[nodiscard]] bool parse_number(std::string_view text, std::uint32_t& into, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into, base);
  return error == std::errc{} && end == text.data() + text.size();
}

[[nodiscard]] tl::expected<Difference, std::string> parse_difference(std::string_view line) {
  const std::string_view letter = next_field(line);
  const auto change = letter.size() == 1 ? change_of(letter[0]) : std::nullopt;
  if (!change) return refuse("is no change");
  Difference one;
  one.change = *change;
  if (*change == Change::kAttributes) {
    one.before.kind = Kind::kDirectory;
    const bool fits = parse_number(next_field(line), one.before.mode, 8) &&
                      parse_number(next_field(line), one.before.uid, 10) &&
                      parse_number(next_field(line), one.before.gid, 10);
    if (!fits || one.before.mode > 07777) return refuse("has broken attributes");
  }
  auto parsed = parse_line(line);
  if (!parsed) return refuse(parsed.error());
  one.path = std::move(parsed->first);
  one.entry = std::move(parsed->second);
  if (*change == Change::kAttributes && one.entry.kind != Kind::kDirectory) {
    return refuse("changes the attributes of what is no directory");
  }
  return one;
}

}  // namespace

tl::expected<Delta, std::string> parse_delta(std::string_view text) {
  Delta delta;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.substr(0, 4) == "end\t") {
      if (line.substr(4) == std::to_string(delta.size()) && text.empty()) return delta;
      return refuse("does not end where it says");
    }
    auto parsed = parse_difference(line);
    if (!parsed) return refuse(fmt::format("line {} {}", delta.size() + 1, parsed.error()));
    if (!delta.empty() && parsed->path <= delta.back().path) {
      return refuse(fmt::format("line {} is out of order", delta.size() + 1));
    }
    delta.push_back(std::move(*parsed));
  }
  return refuse("is cut: it has no end");
}

}  // namespace ha::sync
