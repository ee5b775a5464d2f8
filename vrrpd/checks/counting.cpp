#include "vrrpd/checks/counting.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace ha::checks {
namespace {

using Verdict = Health::Verdict;

void settle(Counting& counting, Verdict verdict, const Outcome& outcome) {
  counting.contrary = 0;
  counting.health = {verdict, outcome.number, outcome.reason};
}

using Seconds = std::chrono::duration<double>;

void count_bad(const CheckConfig& check, Counting& counting, const Outcome& outcome,
               TimePoint now) {
  if (counting.health.verdict != Verdict::kHealthy) {
    return settle(counting, Verdict::kUnhealthy, outcome);
  }
  if (counting.contrary == 0) counting.bad_since = now;
  if (counting.contrary < check.fall) ++counting.contrary;
  if (counting.contrary < check.fall) {
    counting.health.reason =
        fmt::format("{}, {} of {} times", outcome.reason, counting.contrary, check.fall);
    return;
  }
  if (now - counting.bad_since < check.grace) {
    counting.health.reason = fmt::format("{}, for less than {:g} seconds so far", outcome.reason,
                                         Seconds{check.grace}.count());
    return;
  }
  settle(counting, Verdict::kUnhealthy, outcome);
}

void count_good(const CheckConfig& check, Counting& counting, const Outcome& outcome,
                Duration good_for) {
  if (counting.health.verdict != Verdict::kUnhealthy) {
    return settle(counting, Verdict::kHealthy, outcome);
  }
  if (counting.contrary < check.rise) ++counting.contrary;
  if (counting.contrary < check.rise) {
    counting.health.reason =
        fmt::format("{}, {} of {} times", outcome.reason, counting.contrary, check.rise);
    return;
  }
  if (good_for < check.recover) {
    counting.health.reason = fmt::format("{}, for {:.0f} of {:g} seconds", outcome.reason,
                                         Seconds{good_for}.count(), Seconds{check.recover}.count());
    return;
  }
  settle(counting, Verdict::kHealthy, outcome);
}

}  // namespace

// The verdict is the remainder by 4: numbers are small enough (kNumberMax).
std::int32_t encode(const Standing& standing) {
  return standing.number * 4 + static_cast<std::int32_t>(standing.verdict);
}

Standing decode(std::int32_t code) {
  const std::int32_t verdict = ((code % 4) + 4) % 4;
  if (verdict != static_cast<std::int32_t>(Verdict::kHealthy) &&
      verdict != static_cast<std::int32_t>(Verdict::kUnhealthy)) {
    return {};
  }
  return {static_cast<Verdict>(verdict), (code - verdict) / 4};
}

Counting begin(const CheckConfig& check, const Standing& previous, TimePoint now) {
  Counting counting;
  counting.last_bad_at = now;
  counting.health = {previous.verdict, previous.number, "no result yet"};
  if (previous.verdict == Verdict::kUnknown && check.initial == Initial::kUnhealthy) {
    counting.health.verdict = Verdict::kUnhealthy;
  }
  return counting;
}

Counting count(const CheckConfig& check, Counting counting, const Outcome& outcome, TimePoint now) {
  if (outcome.good) {
    count_good(check, counting, outcome, now - counting.last_bad_at);
  } else {
    counting.last_bad_at = now;
    count_bad(check, counting, outcome, now);
  }
  return counting;
}

}  // namespace ha::checks
