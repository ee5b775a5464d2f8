/// The only source of chance in the simulation: SplitMix64 (Steele, Lea, Flood 2014) and the few
/// draws we need. The standard library's distributions differ between implementations; a seed has
/// to mean the same schedule everywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "ha/types.hpp"

namespace ha::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_{seed} {}

  [[nodiscard]] std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  /// Uniform enough in [0, bound); 0 for a bound of 0. The bias of the modulo is below 2^-30 for
  /// every bound used here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

  /// In [low, high], both included.
  [[nodiscard]] int between(int low, int high) {
    return low + static_cast<int>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  [[nodiscard]] Duration between(Duration low, Duration high) {
    const auto span = static_cast<std::uint64_t>((high - low).count());
    return low + Duration{static_cast<Duration::rep>(below(span + 1))};
  }

  /// True in `numerator` of `denominator` cases.
  [[nodiscard]] bool chance(unsigned numerator, unsigned denominator) {
    return below(denominator) < numerator;
  }

  template <class T>
  [[nodiscard]] T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + static_cast<std::ptrdiff_t>(below(choices.size())));
  }

 private:
  std::uint64_t state_;
};

}  // namespace ha::sim
