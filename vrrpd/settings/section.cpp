#include "vrrpd/settings/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ha::config {
namespace {

/// Longer words are not compared: nobody means a key with them.
constexpr std::size_t kComparedSizeMax = 64;

/// How many letters have to be inserted, dropped, replaced or swapped with their neighbour to get
/// from `a` to `b` (optimal string alignment, by rows).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

/// The known key that `word` was most probably meant to be: a third of its letters may be wrong.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> known) {
  if (word.size() > kComparedSizeMax) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view key : known) {
    const std::size_t distance = edit_distance(word, key);
    if (distance <= (key.size() + 2) / 3 && (!best || distance < best_distance)) {
      best = key;
      best_distance = distance;
    }
  }
  return best;
}

[[nodiscard]] bool contains(std::span<const std::string_view> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void check_key(const Entry& entry, std::span<const std::string_view> known,
               Diagnostics& diagnostics) {
  if (contains(known, entry.key)) return;
  // A key is a word even if it looks like a number.
  const std::string word = shown(entry.key);
  const std::string quoted = word.front() == '\'' ? word : "'" + word + "'";
  const std::optional<std::string_view> meant = nearest(entry.key, known);
  diagnostics.error(
      entry.position,
      meant ? fmt::format("unknown key {}; did you mean '{}'?", quoted, *meant)
            : fmt::format("unknown key {}; known here: {}", quoted, fmt::join(known, ", ")));
}

/// What `value` is, for "has to be …, not …".
[[nodiscard]] std::string_view kind_of(const Node& value) {
  switch (value.kind) {
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      return "a single value";
    case Node::Kind::kEmpty:
    case Node::Kind::kRefused:
      break;
  }
  return "empty";
}

/// Whether `value` is of `kind`; says so if it is not, unless it was reported already.
[[nodiscard]] bool check_kind(const Node& value, Node::Kind kind, std::string_view expected,
                              std::string_view name, Diagnostics& diagnostics) {
  if (value.kind == kind) return true;
  if (value.kind == Node::Kind::kEmpty) {
    diagnostics.error(value.position, fmt::format("{} has no value", name));
  } else if (value.kind != Node::Kind::kRefused) {
    diagnostics.error(value.position,
                      fmt::format("{} has to be {}, not {}", name, expected, kind_of(value)));
  }
  return false;
}

}  // namespace

const std::string* scalar_of(const Node& value, std::string_view name, Diagnostics& diagnostics) {
  return check_kind(value, Node::Kind::kScalar, "a single value", name, diagnostics) ? &value.text
                                                                                     : nullptr;
}

bool is_list(const Node& value, std::string_view name, std::size_t items_max,
             Diagnostics& diagnostics) {
  if (!check_kind(value, Node::Kind::kList, "a list", name, diagnostics)) return false;
  if (value.items.empty()) {
    diagnostics.error(value.position, fmt::format("{} is an empty list", name));
  } else if (value.items.size() > items_max) {
    diagnostics.error(value.position, fmt::format("{} has {} items; at most {} are accepted", name,
                                                  value.items.size(), items_max));
  }
  return !value.items.empty() && value.items.size() <= items_max;
}

std::optional<Section> Section::open(const Node& value, std::string_view name,
                                     std::span<const std::string_view> known,
                                     Diagnostics& diagnostics) {
  if (!check_kind(value, Node::Kind::kMap, "a map", name, diagnostics)) return std::nullopt;
  for (const Entry& entry : value.entries) check_key(entry, known, diagnostics);
  return Section{value, diagnostics};
}

const Node* Section::find(std::string_view key) const {
  for (const Entry& entry : node_->entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

const Node* Section::require(std::string_view key) const {
  const Node* value = find(key);
  if (value == nullptr) diagnostics_->error(node_->position, fmt::format("'{}' is required", key));
  return value;
}

Position Section::position_of(std::string_view key) const {
  const Node* value = find(key);
  return value != nullptr ? value->position : node_->position;
}

Read Section::integer(std::string_view key, int& into, IntegerRange range) const {
  return read(key, into, [range](std::string_view text) { return parse_integer(text, range); });
}

Read Section::duration(std::string_view key, Duration& into, const DurationRange& range) const {
  return read(key, into, [&range](std::string_view text) { return parse_duration(text, range); });
}

Read Section::boolean(std::string_view key, bool& into) const {
  return read(key, into, parse_boolean);
}

}  // namespace ha::config
