#include "haproxy_probe/cli/replay.hpp"

#include <fmt/format.h>

#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::cli;
using namespace std::chrono_literals;

namespace {

/// Four teams with a server each, `up` of them up, `second` seconds after 10:00.
std::string answer(int second, int up) {
  std::string teams;
  for (int team = 0; team < 4; ++team) {
    teams += fmt::format(R"({}{{"name":"t{}","up":{},"servers":1}})", team == 0 ? "" : ",", team,
                         team < up ? 1 : 0);
  }
  return fmt::format(R"({{"time":"2026-01-07T10:{:02}:{:02}Z","event":"answer","teams":[{}]}})",
                     second / 60, second % 60, teams);
}

/// The changes of a history of answers, one a second, `ups[i]` servers up in the i-th.
std::vector<std::string> play(Replay& replay, const std::vector<int>& ups) {
  std::vector<std::string> texts;
  for (std::size_t second = 0; second < ups.size(); ++second) {
    const auto changes = replay.take(answer(static_cast<int>(second), ups[second]));
    REQUIRE(changes);
    for (const Change& change : *changes) texts.push_back(to_text(change));
  }
  return texts;
}

ProbeConfig with(ha::Duration grace, int threshold = 50) {
  ProbeConfig config;
  config.grace = grace;
  config.threshold = threshold;
  config.recover = 3s;
  return config;
}

const std::vector<int> kHistory{4, 4, 1, 1, 1, 1, 4, 4, 4, 4, 4};

}  // namespace

TEST_CASE("a history is judged by the settings it is played against") {
  Replay lasting{with(5s)};
  CHECK(play(lasting, kHistory) ==
        std::vector<std::string>{
            "2026-01-07T10:00:00.000Z unknown -> healthy (demoted by 0): Overall: 4/4 (100%) | "
            "Teams: t0:UP(1/1) t1:UP(1/1) t2:UP(1/1) t3:UP(1/1) | NO FAILOVER: 100% is not below "
            "50%; 4 healthy teams"});
  CHECK(lasting.summary() == "11 lines, demoted 0 times; healthy 10.000 s");
  CHECK_FALSE(lasting.was_demoted());

  Replay quick{with(1500ms)};
  const auto changes = play(quick, kHistory);
  REQUIRE(changes.size() == 3);
  CHECK(changes[1] ==
        "2026-01-07T10:00:03.500Z healthy -> unhealthy (demoted by 50): Overall: 1/4 (25%) | "
        "Teams: t0:UP(1/1) t1:DOWN(0/1) t2:DOWN(0/1) t3:DOWN(0/1) | FAILOVER: 25% is below 50% and "
        "1 healthy team is below the quorum of 2");
  CHECK(changes[2].substr(0, 46) == "2026-01-07T10:00:09.000Z unhealthy -> healthy ");
  CHECK(quick.summary() == "11 lines, demoted 1 time; healthy 4.500 s; unhealthy 5.500 s");
  CHECK(quick.was_demoted());

  Replay tolerant{with(1500ms, 25)};
  CHECK(play(tolerant, kHistory).size() == 1);
}

TEST_CASE("a dead HAProxy of the recording is down in the replay") {
  Replay replay{with(5s)};
  play(replay, {4});
  const auto changes =
      replay.take(R"({"time":"2026-01-07T10:00:01Z","event":"gone","cause":"refused"})");
  REQUIRE(changes);
  REQUIRE(changes->size() == 1);
  CHECK(changes->front().report.reason == "FAILOVER: HAProxy is gone: refused");
  CHECK(changes->front().demotion == 100);
}

TEST_CASE("unusable answers are down after stale_after, a pause of the recording is not") {
  Replay silent{with(5s)};
  play(silent, {4});
  for (int second = 1; second <= 5; ++second) {
    const auto changes = silent.take(fmt::format(
        R"({{"time":"2026-01-07T10:00:{:02}Z","event":"unusable","cause":"401"}})", second));
    REQUIRE(changes);
    CHECK(changes->size() == (second == 5 ? 1 : 0));
  }
  Replay paused{with(5s)};
  play(paused, {4});
  const auto changes = paused.take(answer(3000, 4));
  REQUIRE(changes);
  CHECK(changes->empty());
}

TEST_CASE("a history that goes back in time or says nothing is refused") {
  Replay replay{with(5s)};
  CHECK(replay.is_empty());
  REQUIRE(replay.take(" "));
  CHECK(replay.is_empty());
  REQUIRE(replay.take(answer(5, 4)));
  CHECK_FALSE(replay.is_empty());
  CHECK(replay.take(answer(4, 4)).error() ==
        "the time goes back, from 2026-01-07T10:00:05.000Z to 2026-01-07T10:00:04.000Z");
  CHECK(replay.take("x").error() == "not a JSON object");
}
