#include "haproxy_probe/dialogue.hpp"

#include <fmt/format.h>

#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;
using namespace std::chrono_literals;
using ha::TimePoint;

namespace {

const TimePoint kStart{1h};
constexpr Identity kFirst{100, 1'700'000'000, false};
constexpr Identity kSecond{200, 1'700'000'009, false};
constexpr Identity kStopping{100, 1'700'000'000, true};

PollAnswered answered(const Identity& identity) { return {{identity, {}}}; }

std::string in_words(const DialogueAction& action) {
  struct Words {
    std::string operator()(const StartPoll& start) const {
      return start.question == Question::kStats ? "poll stats" : "poll";
    }
    std::string operator()(const AbandonPoll&) const { return "abandon"; }
    std::string operator()(const Hold& hold) const { return hold.events ? "follow" : "hold"; }
    std::string operator()(const LetGo&) const { return "let go"; }
    std::string operator()(const Tell& tell) const {
      if (const auto* stats = std::get_if<StatsReceived>(&tell.event)) {
        return "stats" + (stats->remark.empty() ? "" : " but " + stats->remark);
      }
      if (const auto* gone = std::get_if<HaproxyGone>(&tell.event)) return "gone: " + gone->reason;
      return "unusable: " + std::get<AnswerUnusable>(tell.event).reason;
    }
  };
  return std::visit(Words{}, action);
}

/// A dialogue with an interval of 1 s and a timeout of 500 ms; actions come out as words.
class Played {
 public:
  explicit Played(std::string events = {}) : dialogue_{config(std::move(events))} {}

  std::string at(ha::Duration at, DialogueEvent event) {
    std::string words;
    for (const DialogueAction& action : dialogue_.handle(std::move(event), kStart + at)) {
      words += (words.empty() ? "" : ", ") + in_words(action);
    }
    return words;
  }
  [[nodiscard]] ha::Duration deadline() const { return dialogue_.deadline() - kStart; }
  /// As after a first poll at 0 ms, answered by kFirst after 1 ms.
  Played& held() {
    REQUIRE(at(0ms, TimeReached{}) == "poll");
    REQUIRE(at(1ms, answered(kFirst)) == "hold, stats");
    return *this;
  }

 private:
  static ProbeConfig config(std::string events) {
    ProbeConfig config;
    config.stats = "/s";
    config.events = std::move(events);
    return config;
  }
  Dialogue dialogue_;
};

}  // namespace

TEST_CASE("the first poll is at once, the next ones an interval after the one before began") {
  Played played;
  CHECK(Dialogue{ProbeConfig{}}.deadline() < kStart);
  played.held();
  CHECK(played.deadline() == 1000ms);
  CHECK(played.at(999ms, TimeReached{}).empty());
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1300ms, answered(kFirst)) == "stats");
  CHECK(played.deadline() == 2000ms);
}

TEST_CASE("a poll runs for timeout at most, and none begins while one runs") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.deadline() == 1500ms);
  CHECK(played.at(1499ms, TimeReached{}).empty());
  CHECK(played.at(1500ms, TimeReached{}) ==
        "abandon, let go, unusable: /s: no whole answer in time");
  CHECK(played.deadline() == 2000ms);
}

TEST_CASE(
    "a process that was stopped gives a poll whose answer may be waiting the same time again") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(9000ms, TimeReached{}).empty());
  CHECK(played.deadline() == 9500ms);
  SECTION("in which it is read") { CHECK(played.at(9001ms, answered(kFirst)) == "stats"); }
  SECTION("or not") {
    CHECK(played.at(9500ms, TimeReached{}) ==
          "abandon, let go, unusable: /s: no whole answer in time");
  }
}

TEST_CASE("when the held connection ends, a poll is made at once, and its refusal is death") {
  Played played;
  played.held();
  CHECK(played.at(400ms, HeldEnded{}) == "poll");
  CHECK(played.at(400ms, PollRefused{"connect /s: refused"}) == "gone: connect /s: refused");
  CHECK(played.deadline() == 1400ms);
}

TEST_CASE("a refusal while the held connection lives must outlast a reload") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1000ms, PollRefused{"refused"}).empty());
  CHECK(played.deadline() == 1001ms);
  SECTION("one that does not is nothing") {
    CHECK(played.at(1001ms, TimeReached{}) == "poll");
    CHECK(played.at(1002ms, answered(kSecond)) == "let go, hold, stats");
    CHECK(played.deadline() == 2000ms);
  }
  SECTION("one that does is death, within a third of a second") {
    for (const ha::Duration next : {1005ms, 1020ms, 1080ms, 1320ms}) {
      const ha::Duration at = played.deadline();
      CHECK(played.at(at, TimeReached{}) == "poll");
      CHECK(played.at(at, PollRefused{"refused"}).empty());
      CHECK(played.deadline() == next);
    }
    CHECK(played.at(1320ms, TimeReached{}) == "poll");
    CHECK(played.at(1320ms, PollRefused{"refused"}) == "let go, gone: refused");
    CHECK(played.deadline() == 2000ms);
  }
  SECTION("the end of the held connection meanwhile ends the patience") {
    CHECK(played.at(1001ms, HeldEnded{}) == "poll");
    CHECK(played.at(1001ms, PollRefused{"refused"}) == "gone: refused");
  }
}

TEST_CASE("a socket that is missing at the start is HAProxy gone, polled every interval") {
  Played played;
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(0ms, PollRefused{"missing"}).empty());
  CHECK(played.at(1ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, PollRefused{"missing"}).empty());
  CHECK(played.at(5ms, TimeReached{}) == "poll");
  CHECK(played.at(5ms, PollRefused{"missing"}).empty());
  CHECK(played.at(20ms, TimeReached{}) == "poll");
  CHECK(played.at(20ms, PollRefused{"missing"}) == "gone: missing");
  CHECK(played.deadline() == 1000ms);
}

TEST_CASE("the held connection is replaced as soon as another worker answers") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1001ms, answered(kSecond)) == "let go, hold, stats");
  CHECK(played.at(2000ms, TimeReached{}) == "poll");
  CHECK(played.at(2001ms, answered(kSecond)) == "stats");
}

TEST_CASE("a restart between two polls is seen and its worker is held") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1001ms, answered(kFirst)) == "stats");
  CHECK(played.at(1400ms, HeldEnded{}) == "poll");
  CHECK(played.at(1401ms, answered(kSecond)) == "hold, stats");
}

TEST_CASE("a stopping worker is not believed, and asked again for a successor") {
  Played played;
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, answered(kStopping)).empty());
  CHECK(played.deadline() == 2ms);
  CHECK(played.at(2ms, TimeReached{}) == "poll stats");
  SECTION("who may answer") { CHECK(played.at(3ms, answered(kSecond)) == "hold, stats"); }
  SECTION("or not") {
    CHECK(played.at(3ms, answered(kStopping)).empty());
    CHECK(played.at(7ms, TimeReached{}) == "poll stats");
    CHECK(played.at(8ms, answered(kStopping)).empty());
    CHECK(played.at(23ms, TimeReached{}) == "poll stats");
    CHECK(played.at(24ms, answered(kStopping)) ==
          "unusable: /s: the worker that answers, pid 100, is stopping");
    CHECK(played.deadline() == 1000ms);
  }
}

TEST_CASE("a poll that fails is unusable if its repetitions fail, too") {
  Played played;
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, PollFailed{"garbage 1"}).empty());
  CHECK(played.at(2ms, TimeReached{}) == "poll stats");
  CHECK(played.at(3ms, PollFailed{"garbage 2"}).empty());
  CHECK(played.at(7ms, TimeReached{}) == "poll stats");
  CHECK(played.at(8ms, PollFailed{"garbage 3"}).empty());
  CHECK(played.at(23ms, TimeReached{}) == "poll stats");
  CHECK(played.at(24ms, PollFailed{"garbage 4"}) == "unusable: garbage 4");
  CHECK(played.deadline() == 1000ms);
}

TEST_CASE("a poll cut short by a dying HAProxy leads to its refusal") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1001ms, HeldEnded{}).empty());
  CHECK(played.at(1001ms, PollFailed{"cut short"}).empty());
  CHECK(played.at(1002ms, TimeReached{}) == "poll stats");
  CHECK(played.at(1002ms, PollRefused{"refused"}) == "gone: refused");
}

TEST_CASE("a refusal that may be older than the end of the held connection is checked at once") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1001ms, HeldEnded{}).empty());
  CHECK(played.at(1001ms, PollRefused{"refused"}) == "poll");
  SECTION("and stands") { CHECK(played.at(1001ms, PollRefused{"refused"}) == "gone: refused"); }
  SECTION("or not") { CHECK(played.at(1001ms, answered(kSecond)) == "hold, stats"); }
}

TEST_CASE("an answer that may be older than the end of the held connection is checked at once") {
  Played played;
  played.held();
  CHECK(played.at(1000ms, TimeReached{}) == "poll");
  CHECK(played.at(1001ms, HeldEnded{}).empty());
  CHECK(played.at(1002ms, answered(kFirst)) == "hold, poll, stats");
  CHECK(played.at(1003ms, PollRefused{"refused"}).empty());
}

TEST_CASE("what answers but keeps no connection gets at most three polls an interval") {
  Played played;
  played.held();
  CHECK(played.at(2ms, HeldEnded{}) == "poll");
  CHECK(played.at(3ms, answered(kFirst)) == "stats");  // not held again before the next interval
  CHECK(played.deadline() == 1002ms);
  CHECK(played.at(1002ms, TimeReached{}) == "poll");
  CHECK(played.at(1003ms, answered(kFirst)) == "hold, stats");
  CHECK(played.at(2002ms, TimeReached{}) == "poll");
  CHECK(played.at(2003ms, HeldEnded{}).empty());
  CHECK(played.at(2004ms, answered(kFirst)) == "hold, poll, stats");
  CHECK(played.at(2005ms, HeldEnded{}).empty());
  CHECK(played.at(2006ms, answered(kFirst)) == "poll, stats");
  CHECK(played.at(2007ms, answered(kFirst)) == "stats");
  CHECK(played.deadline() == 3006ms);
}

TEST_CASE("what `show servers state` does not tell is asked of `show stat` at once") {
  Played played;
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, PollAnswered{{kFirst, {}, true}}) == "poll stats");
  CHECK(played.at(2ms, answered(kFirst)) == "hold, stats");
  CHECK(played.at(1001ms, TimeReached{}) == "poll stats");
  CHECK(played.at(1002ms, answered(kSecond)) == "let go, hold, stats");
  CHECK(played.at(2001ms, TimeReached{}) == "poll");  // the next worker may have other servers
}

TEST_CASE("an event of the ring asks for a poll at once") {
  Played played{"ev"};
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, answered(kFirst)) == "follow, stats");
  CHECK(played.at(500ms, Rang{}) == "poll");
  CHECK(played.at(501ms, answered(kFirst)) == "stats");
  CHECK(played.deadline() == 1500ms);
}

TEST_CASE("a storm of events leaves HAProxy alone four fifths of the time, and none is forgotten") {
  Played played{"ev"};
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(10ms, answered(kFirst)) == "follow, stats");
  CHECK(played.at(11ms, Rang{}).empty());
  CHECK(played.deadline() == 50ms);
  CHECK(played.at(49ms, Rang{}).empty());
  CHECK(played.at(50ms, TimeReached{}) == "poll");
  CHECK(played.at(51ms, Rang{}).empty());  // while the poll runs: its answer may be older
  CHECK(played.at(70ms, answered(kFirst)) == "stats");
  CHECK(played.deadline() == 150ms);
  CHECK(played.at(150ms, TimeReached{}) == "poll");
  CHECK(played.at(150ms, answered(kFirst)) == "stats");
  CHECK(played.deadline() == 1150ms);
}

TEST_CASE("a ring that cannot be followed is told, held without it, and tried again later") {
  Played played{"ev"};
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, answered(kFirst)) == "follow, stats");
  CHECK(played.at(2ms, HeldEnded{"No such event sink"}) == "poll");
  const std::string remark = " but the events of ring ev cannot be followed: No such event sink";
  CHECK(played.at(3ms, answered(kFirst)) == "stats" + remark);
  CHECK(played.at(1002ms, TimeReached{}) == "poll");
  CHECK(played.at(1003ms, answered(kFirst)) == "hold, stats" + remark);
  CHECK(played.at(60'000ms, TimeReached{}) == "poll");
  CHECK(played.at(60'001ms, answered(kFirst)) == "stats" + remark);
  CHECK(played.at(61'000ms, TimeReached{}) == "poll");
  CHECK(played.at(61'001ms, answered(kFirst)) == "let go, follow, stats" + remark);
  CHECK(played.at(62'000ms, TimeReached{}) == "poll");
  CHECK(played.at(62'001ms, answered(kFirst)) == "stats");
}

TEST_CASE("a worker that is replaced takes its ring along without a complaint") {
  Played played{"ev"};
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, answered(kFirst)) == "follow, stats");
  CHECK(played.at(1500ms, HeldEnded{"Proxy web stopped"}) == "poll");
  CHECK(played.at(1501ms, answered(kSecond)) == "follow, stats");
}

TEST_CASE("an event during the repetitions of a failed poll changes nothing") {
  Played played{"ev"};
  CHECK(played.at(0ms, TimeReached{}) == "poll");
  CHECK(played.at(1ms, PollRefused{"refused"}).empty());
  CHECK(played.at(1ms, Rang{}).empty());
  CHECK(played.deadline() == 2ms);
}
