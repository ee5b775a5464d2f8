/// Reading one map of the file: which keys it may have, and their values with diagnostics where
/// they stand.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "vrrpd/settings/diagnostics.hpp"
#include "vrrpd/settings/scalars.hpp"
#include "vrrpd/settings/source.hpp"

namespace ha::config {

enum class Read : std::uint8_t { kAbsent, kValid, kRefused };

/// Returns the text of a scalar, or null after a diagnostic. `name` is what the messages call it,
/// here and below.
[[nodiscard]] const std::string* scalar_of(const Node& value, std::string_view name,
                                           Diagnostics& diagnostics);

/// Returns whether `value` is a list of 1 to `items_max` items, after a diagnostic if it is not.
[[nodiscard]] bool is_list(const Node& value, std::string_view name, std::size_t items_max,
                           Diagnostics& diagnostics);

/// Reads a scalar with `parse` (string_view -> Parsed<T>); nothing after a diagnostic "NAME VALUE
/// is not …".
template <class Parse>
[[nodiscard]] auto read_scalar(const Node& value, std::string_view name, Diagnostics& diagnostics,
                               Parse&& parse)
    -> std::optional<typename std::invoke_result_t<Parse, std::string_view>::value_type> {
  const std::string* text = scalar_of(value, name, diagnostics);
  if (text == nullptr) return std::nullopt;
  auto parsed = std::invoke(std::forward<Parse>(parse), std::string_view{*text});
  if (!parsed) {
    diagnostics.error(value.position,
                      std::string{name} + " " + shown(*text) + " " + std::move(parsed.error()));
    return std::nullopt;
  }
  return std::move(*parsed);
}

/// One map. Refers to the tree and the diagnostics it was made from, which have to outlive it.
class Section {
 public:
  /// Reports every key that does not belong here. Nothing, after a diagnostic, if `value` is no
  /// map.
  [[nodiscard]] static std::optional<Section> open(const Node& value, std::string_view name,
                                                   std::span<const std::string_view> known,
                                                   Diagnostics& diagnostics);

  /// The value of `key`, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;

  /// The same, after a diagnostic if there is none.
  [[nodiscard]] const Node* require(std::string_view key) const;

  /// Where the value of `key` stands, or the section if there is none.
  [[nodiscard]] Position position_of(std::string_view key) const;

  /// Reads the scalar `key` with `parse` (string_view -> Parsed<T>); `into` changes only if that
  /// succeeds.
  template <class T, class Parse>
  Read read(std::string_view key, T& into, Parse&& parse) const {
    const Node* value = find(key);
    if (value == nullptr) return Read::kAbsent;
    auto parsed = read_scalar(*value, key, *diagnostics_, std::forward<Parse>(parse));
    if (!parsed) return Read::kRefused;
    into = std::move(*parsed);
    return Read::kValid;
  }

  /// The common kinds of scalars.
  Read integer(std::string_view key, int& into, IntegerRange range) const;
  Read duration(std::string_view key, Duration& into, const DurationRange& range) const;
  Read boolean(std::string_view key, bool& into) const;

 private:
  Section(const Node& node, Diagnostics& diagnostics) : node_{&node}, diagnostics_{&diagnostics} {}

  const Node* node_;
  Diagnostics* diagnostics_;
};

}  // namespace ha::config
