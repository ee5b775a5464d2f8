/// How late the event loop was, each time its timer fired.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "ha/types.hpp"

namespace ha::vrrp {

struct LoopLag {
  static constexpr std::array<std::chrono::microseconds, 10> kBounds{
      std::chrono::microseconds{100},       std::chrono::microseconds{500},
      std::chrono::microseconds{1'000},     std::chrono::microseconds{5'000},
      std::chrono::microseconds{10'000},    std::chrono::microseconds{50'000},
      std::chrono::microseconds{100'000},   std::chrono::microseconds{500'000},
      std::chrono::microseconds{1'000'000}, std::chrono::microseconds{5'000'000}};

  /// By the first bound that is not exceeded; the last counts what exceeds all.
  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  Duration sum{};

  void add(Duration lag) {
    const auto bound = std::find_if(kBounds.begin(), kBounds.end(),
                                    [lag](auto limit) { return lag <= Duration{limit}; });
    ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
    sum += lag;
  }
};

}  // namespace ha::vrrp
