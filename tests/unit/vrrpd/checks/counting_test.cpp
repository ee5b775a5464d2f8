#include "vrrpd/checks/counting.hpp"

#include "tests/support/catch.hpp"

namespace ha::checks {
namespace {

using namespace std::chrono_literals;
using Verdict = Health::Verdict;

const TimePoint kStart{1000s};

CheckConfig config(int fall, int rise, Duration recover = 0s) {
  CheckConfig check;
  check.name = "it";
  check.fall = fall;
  check.rise = rise;
  check.recover = recover;
  return check;
}

/// Counts results, good for '+' and bad for '-', one a second, and spells the verdict after each:
/// 'h', 'u' or '?'.
std::string verdicts(const CheckConfig& check, const std::string& results, Standing previous = {}) {
  TimePoint now = kStart;
  Counting counting = begin(check, previous, now);
  std::string spelled;
  for (const char result : results) {
    now += 1s;
    counting = count(check, counting, {result == '+', "reason", 0}, now);
    const Verdict verdict = counting.health.verdict;
    spelled += verdict == Verdict::kHealthy ? 'h' : verdict == Verdict::kUnhealthy ? 'u' : '?';
  }
  return spelled;
}

TEST_CASE("with a grace bad results count only when they have lasted", "[checks]") {
  CheckConfig check = config(1, 1);
  check.grace = 2s;
  CHECK(verdicts(check, "+--+--+---") == "hhhhhhhhhu");
  CHECK(verdicts(check, "-") == "u");
  check.fall = 4;
  CHECK(verdicts(check, "+-----") == "hhhhuu");
}

TEST_CASE("the first result alone decides about a check that nothing is known of", "[checks]") {
  CHECK(begin(config(3, 2), {}, kStart).health.verdict == Verdict::kUnknown);
  CHECK(verdicts(config(3, 2), "+") == "h");
  CHECK(verdicts(config(3, 2), "-") == "u");
}

TEST_CASE("a check that begins unhealthy has to rise first", "[checks]") {
  CheckConfig check = config(3, 2);
  check.initial = Initial::kUnhealthy;
  CHECK(begin(check, {}, kStart).health.verdict == Verdict::kUnhealthy);
  CHECK(verdicts(check, "++") == "uh");
}

TEST_CASE("only so many bad results in a row make a check unhealthy", "[checks]") {
  CHECK(verdicts(config(3, 2), "+--+--+---") == "hhhhhhhhhu");
  CHECK(verdicts(config(1, 1), "+-+-") == "huhu");
}

TEST_CASE("only so many good results in a row make it healthy again", "[checks]") {
  CHECK(verdicts(config(1, 3), "+-++-+++") == "huuuuuuh");
}

TEST_CASE("recovery takes its time after the last bad result", "[checks]") {
  CHECK(verdicts(config(1, 1, 3s), "+-++-++++") == "huuuuuuhh");
  CHECK(verdicts(config(1, 5, 3s), "+-+++++") == "huuuuuh");
}

TEST_CASE("a check goes on from what was known before", "[checks]") {
  CHECK(verdicts(config(2, 2), "--", {Verdict::kHealthy, 0}) == "hu");
  CHECK(verdicts(config(2, 2), "++", {Verdict::kUnhealthy, 0}) == "uh");
  CHECK(verdicts(config(1, 1, 2s), "++", {Verdict::kUnhealthy, 0}) == "uh");
  const Counting begun = begin(config(1, 1), {Verdict::kHealthy, 7}, kStart);
  CHECK(begun.health == Health{Verdict::kHealthy, 7, "no result yet"});
}

TEST_CASE("the reason says what was seen, and how far it is from counting", "[checks]") {
  const CheckConfig check = config(3, 2, 5s);
  Counting counting = count(check, begin(check, {}, kStart), {true, "fine", 4}, kStart);
  CHECK(counting.health == Health{Verdict::kHealthy, 4, "fine"});
  counting = count(check, counting, {false, "broken", 0}, kStart + 1s);
  CHECK(counting.health == Health{Verdict::kHealthy, 4, "broken, 1 of 3 times"});
  counting = count(check, counting, {false, "broken", 0}, kStart + 2s);
  counting = count(check, counting, {false, "broken", 0}, kStart + 3s);
  CHECK(counting.health == Health{Verdict::kUnhealthy, 0, "broken"});
  counting = count(check, counting, {true, "fine", 5}, kStart + 4s);
  CHECK(counting.health.reason == "fine, 1 of 2 times");
  counting = count(check, counting, {true, "fine", 5}, kStart + 5s);
  CHECK(counting.health.reason == "fine, for 2 of 5 seconds");
  counting = count(check, counting, {true, "fine", 5}, kStart + 8s);
  CHECK(counting.health == Health{Verdict::kHealthy, 5, "fine"});
}

TEST_CASE("a standing survives being one number, and no number is mistaken for one", "[checks]") {
  for (const Verdict verdict : {Verdict::kUnknown, Verdict::kHealthy, Verdict::kUnhealthy}) {
    for (const int number : {-1'000'000, -7, -1, 0, 1, 1'000'000}) {
      const Standing standing{verdict, number};
      CHECK(decode(encode(standing)) == (verdict == Verdict::kUnknown ? Standing{} : standing));
    }
  }
  CHECK(encode({}) == 0);
  CHECK(decode(3) == Standing{});
  CHECK(decode(-1) == Standing{});
}

}  // namespace
}  // namespace ha::checks
