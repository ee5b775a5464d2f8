#include "vrrpd/runtime/alarms.hpp"

#include <chrono>

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1000s};
constexpr Duration kLasting = 10s;

std::string peer(int number) { return "10.0.0." + std::to_string(number); }

/// As the driver does it. Returns whether a line is logged.
bool alarm(Alarms& alarms, std::string_view kind, std::string_view peer, TimePoint now,
           std::string_view theirs = "2s") {
  if (!alarms.refresh(kind, peer, now, kLasting)) return false;
  return alarms.raise(kind, peer, "1s", theirs, now).has_value();
}

TEST_CASE("an alarm is news once for each peer and kind") {
  Alarms alarms;
  CHECK(alarm(alarms, "interval-mismatch", peer(1), kStart));
  CHECK_FALSE(alarm(alarms, "interval-mismatch", peer(1), kStart + 1s));
  CHECK(alarm(alarms, "interval-mismatch", peer(2), kStart + 1s));
  CHECK(alarm(alarms, "password-mismatch", peer(1), kStart + 1s));
  CHECK(alarms.current(kStart + 1s, kLasting).size() == 3);
}

TEST_CASE("an alarm has both values, the latest ones") {
  Alarms alarms;
  alarm(alarms, "interval-mismatch", peer(1), kStart, "2s");
  alarm(alarms, "interval-mismatch", peer(1), kStart + 1s, "3s");
  const auto listed = alarms.current(kStart + 1s, kLasting);
  REQUIRE(listed.size() == 1);
  CHECK(listed[0].kind == "interval-mismatch");
  CHECK(listed[0].peer == peer(1));
  CHECK(listed[0].ours == "1s");
  CHECK(listed[0].theirs == "3s");
}

TEST_CASE("an alarm lasts as long as its cause, and is news when it comes back") {
  Alarms alarms;
  alarm(alarms, "interval-mismatch", peer(1), kStart);
  alarm(alarms, "interval-mismatch", peer(1), kStart + 8s);
  CHECK(alarms.current(kStart + 18s, kLasting).size() == 1);
  CHECK(alarms.current(kStart + 18s + 1ns, kLasting).empty());
  CHECK(alarm(alarms, "interval-mismatch", peer(1), kStart + 20s));
}

TEST_CASE("an alarm comes to its end without anybody looking") {
  Alarms alarms;
  alarm(alarms, "interval-mismatch", peer(1), kStart);
  CHECK(alarm(alarms, "interval-mismatch", peer(1), kStart + 11s));
}

TEST_CASE("what is said of a condition that lasts is renewed once a second") {
  Alarms alarms;
  CHECK(alarms.refresh("interval-mismatch", peer(1), kStart, kLasting));
  alarms.raise("interval-mismatch", peer(1), "1s", "2s", kStart);
  CHECK_FALSE(alarms.refresh("interval-mismatch", peer(1), kStart + 999ms, kLasting));
  CHECK(alarms.refresh("interval-mismatch", peer(1), kStart + 1s, kLasting));
}

TEST_CASE("forged peers fill neither the list nor the log and keep no other kind out") {
  Alarms alarms;
  int lines = 0;
  TimePoint now = kStart;
  for (int i = 0; i < 60'000; ++i, now += 1ms) {
    lines += alarm(alarms, "invalid-packets", std::to_string(i), now) ? 1 : 0;
    REQUIRE(alarms.current(now, kLasting).size() <= Alarms::kPeersMax);
  }
  CHECK(lines == Alarms::kLinesPerMinute);
  CHECK(alarm(alarms, "version-mismatch", peer(1), now));

  now += 1min;
  REQUIRE(alarms.refresh("invalid-packets", peer(1), now, kLasting));
  const auto news = alarms.raise("invalid-packets", peer(1), "", "checksum-errors", now);
  REQUIRE(news);
  CHECK(*news > 0);  // and how many were left out
}

TEST_CASE("a peer that is listed stays listed in a flood of forged ones") {
  Alarms alarms;
  alarm(alarms, "invalid-packets", peer(1), kStart);
  TimePoint now = kStart;
  for (int i = 0; i < 60'000; ++i, now += 1ms) {
    alarm(alarms, "invalid-packets", std::to_string(i), now);
    if (i % 1000 == 0) alarm(alarms, "invalid-packets", peer(1), now);
  }
  const auto listed = alarms.current(now, kLasting);
  CHECK(std::any_of(listed.begin(), listed.end(),
                    [](const Alarm& alarm) { return alarm.peer == peer(1); }));
}

}  // namespace
}  // namespace ha::vrrp
