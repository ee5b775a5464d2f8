#include "haproxy_probe/cli/record.hpp"

#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::cli;
using namespace std::chrono_literals;
using ha::TimePoint;

namespace {

const TimePoint kNow{1h};
const WallTime kTime = *parse_time("2026-01-07T10:15:00.250Z");

ServerRow server(std::string team, ServerClass status) {
  return {std::move(team), "s", status, std::nullopt, true};
}

/// What is left of an event after it was written and read again.
Event again(const Event& event, const Report& report = {}) {
  const auto recorded = parse_line(line_of(kTime, kNow, event, report));
  if (!recorded) throw std::runtime_error{recorded.error()};
  CHECK(recorded->time == kTime);
  return recorded->event;
}

}  // namespace

TEST_CASE("times are written with milliseconds and read with any fraction") {
  CHECK(to_text(kTime) == "2026-01-07T10:15:00.250Z");
  CHECK(*parse_time("2026-01-07T10:15:00Z") == kTime - 250ms);
  CHECK(*parse_time("2026-01-07T10:15:00.25Z") == kTime);
  CHECK(*parse_time("2026-01-07T10:15:00.250999999Z") == kTime);
  CHECK(to_text(*parse_time("2199-12-31T23:59:59.999Z")) == "2199-12-31T23:59:59.999Z");
}

TEST_CASE("what is no time is refused") {
  for (const std::string text :
       {"", "2026-01-07", "2026-13-07T10:15:00Z", "2026-02-30T10:15:00Z", "2026-01-07T24:00:00Z",
        "2026-01-07T10:15:00", "2026-01-07T10:15:00.Z", "2026-01-07T10:15:00.0000000000Z",
        "2026-01-07T10:15:00Zx", "-026-01-07T10:15:00Z", "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z", "2026-01-07 10:15:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_time(text));
  }
}

TEST_CASE("a line says what happened and what was thought of it") {
  Report report;
  report.verdict = Verdict::kHealthy;
  report.servers_up = 1;
  report.servers = 2;
  report.percentage = 50;
  report.healthy_teams = 1;
  report.teams = {{"ma", 1, 1}, {"ba", 0, 1}};
  report.grace_ends_at = kNow + 1500ms;
  report.reason = "NO FAILOVER: 50% is not below 50%; 1 healthy team";
  report.alarm = "a \xff";
  CHECK(line_of(kTime, kNow, StatsReceived{}, report) ==
        R"({"time":"2026-01-07T10:15:00.250Z","event":"answer",)"
        R"("teams":[{"name":"ma","up":1,"servers":1,"healthy":true},)"
        R"({"name":"ba","up":0,"servers":1,"healthy":false}],)"
        R"("verdict":"healthy","servers-up":1,"servers":2,"percentage":50,"healthy-teams":1,)"
        R"("grace-remaining-ms":1500,)"
        "\"reason\":\"NO FAILOVER: 50% is not below 50%; 1 healthy team\","
        "\"alarm\":\"a \xef\xbf\xbd\"}");
}

TEST_CASE("an answer survives as the servers of its teams") {
  Report report;
  report.teams = {{"ma", 1, 2}, {"ba", 0, 0}};
  const Event event = again(StatsReceived{}, report);
  CHECK(std::get<StatsReceived>(event).servers ==
        std::vector{server("ma", ServerClass::kUp), server("ma", ServerClass::kDown),
                    server("ba", ServerClass::kExcluded)});
}

TEST_CASE("what went wrong survives with its cause, and time that passed without one") {
  CHECK(std::get<HaproxyGone>(again(HaproxyGone{"refused"})).reason == "refused");
  CHECK(std::get<AnswerUnusable>(again(AnswerUnusable{"401"})).reason == "401");
  CHECK(std::holds_alternative<DeadlineReached>(again(DeadlineReached{})));
}

TEST_CASE("a line that does not say enough is refused with what it lacks") {
  const std::string time = R"("time":"2026-01-07T10:15:00Z")";
  const std::string answer = "{" + time + R"(,"event":"answer","teams":)";
  const auto [line, reason] = GENERATE_COPY(table<std::string, std::string>({
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{\"time\":", "not a JSON object"},
      {"{}", "no `time` like 2026-01-07T10:15:00.250Z, of 1970 to 2199"},
      {R"({"time":5})", "no `time` like 2026-01-07T10:15:00.250Z, of 1970 to 2199"},
      {"{" + time + "}", "no `event` that is answer, unusable, gone or time"},
      {"{" + time + R"(,"event":"dead"})", "no `event` that is answer, unusable, gone or time"},
      {"{" + time + R"(,"event":"answer"})", "no list `teams`"},
      {answer + "[5]}", "a team without a `name`"},
      {answer + R"([{"name":"","up":0,"servers":0}]})", "a team without a `name`"},
      {answer + R"([{"name":"a","up":2,"servers":1}]})",
       "team a without whole numbers `servers` and, not above it, `up`; at most 250000 servers in "
       "all"},
      {answer + R"([{"name":"a","up":0,"servers":250000},{"name":"b","up":0,"servers":1}]})",
       "team b without whole numbers `servers` and, not above it, `up`; at most 250000 servers in "
       "all"},
      {std::string(kLineBytesMax + 1, ' '), "more than 1048576 bytes"},
  }));
  const auto recorded = parse_line(line);
  REQUIRE_FALSE(recorded);
  CHECK(recorded.error() == reason);
}
