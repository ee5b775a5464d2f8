/// A number that means one thing and does not mix with the others.
#pragma once

#include <compare>
#include <concepts>

namespace ha {

/// `Rep` under a name of its own: no arithmetic, no implicit conversion either way, ordered like
/// `Rep`.
template <class Tag, std::integral Rep>
class Strong {
 public:
  using rep = Rep;

  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_{value} {}

  [[nodiscard]] constexpr Rep value() const { return value_; }

  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

 private:
  Rep value_{};
};

}  // namespace ha
