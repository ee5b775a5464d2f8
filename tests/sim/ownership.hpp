/// How many machines could be reached at the addresses, and for how long it was not one.
#pragma once

#include <algorithm>
#include <cstddef>

#include "ha/types.hpp"

namespace ha::sim {

class Ownership {
 public:
  /// Forgets what was before `now`, not who serves.
  void watch(TimePoint now) {
    since_ = now;
    fewest_ = owners_;
    longest_with_none_ = {};
    longest_with_several_ = {};
  }
  /// One more machine serves, or one less.
  void gained(TimePoint now) { change(owners_ + 1, now); }
  void lost(TimePoint now) { change(owners_ - 1, now); }

  /// At any instant, however short.
  [[nodiscard]] std::size_t fewest() const { return fewest_; }
  /// Without a break.
  [[nodiscard]] Duration longest_with_none(TimePoint now) const {
    return owners_ == 0 ? std::max(longest_with_none_, now - since_) : longest_with_none_;
  }
  [[nodiscard]] Duration longest_with_several(TimePoint now) const {
    return owners_ > 1 ? std::max(longest_with_several_, now - since_) : longest_with_several_;
  }

 private:
  void change(std::size_t owners, TimePoint now) {
    longest_with_none_ = longest_with_none(now);
    longest_with_several_ = longest_with_several(now);
    // From two owners to three it is still several.
    if (owners_ < 2 || owners < 2) since_ = now;
    owners_ = owners;
    fewest_ = std::min(fewest_, owners_);
  }

  std::size_t owners_ = 0;
  std::size_t fewest_ = 0;
  TimePoint since_;  ///< there are none, one or several
  Duration longest_with_none_{};
  Duration longest_with_several_{};
};

}  // namespace ha::sim
