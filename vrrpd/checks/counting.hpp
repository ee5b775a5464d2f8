/// From the results of single probes to the health of what is watched: a failure has to repeat
/// itself before it counts, and so has a recovery. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "ha/messages.hpp"
#include "ha/types.hpp"
#include "vrrpd/checks/config.hpp"

namespace ha::checks {

/// The result of one probe. What could not be made at all is not good either.
struct Outcome {
  bool good = false;
  std::string reason;  ///< "exited with status 1"
  int number = 0;      ///< of a check that gives one

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// What outlives the daemon's engine process, so that its successor does not begin with ignorance.
struct Standing {
  Health::Verdict verdict = Health::Verdict::kUnknown;
  int number = 0;

  friend bool operator==(const Standing&, const Standing&) = default;
};

/// A standing as one number that is never torn when it is written while others read, and back. An
/// unknown one is 0, and so is what no encode() has made.
[[nodiscard]] std::int32_t encode(const Standing& standing);
[[nodiscard]] Standing decode(std::int32_t code);

struct Counting {
  Health health;
  int contrary = 0;       ///< results in a row that speak against the verdict
  TimePoint last_bad_at;  ///< the last bad result, or the beginning
  TimePoint bad_since;    ///< the first of the bad results that speak against the verdict

  friend bool operator==(const Counting&, const Counting&) = default;
};

/// Before the first result. `previous` is what was known of this check before, by another process
/// or with other settings.
[[nodiscard]] Counting begin(const CheckConfig& check, const Standing& previous, TimePoint now);

/// After one more result.
[[nodiscard]] Counting count(const CheckConfig& check, Counting counting, const Outcome& outcome,
                             TimePoint now);

}  // namespace ha::checks
