#include "vrrpd/runtime/reloader.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1000s};

/// A daemon whose configurations differ in `node`, and which notes what it was made to run.
struct Sample {
  static Config named(std::string node) {
    Config config;
    config.node = std::move(node);
    return config;
  }
  /// What the file holds from now on.
  void write(std::string node) { file = {named(std::move(node)), {}}; }
  void write_broken() {
    file = {{}, {{"f", 3, 1, Severity::kError, "a"}, {"f", 9, 1, Severity::kError, "b"}}};
  }

  Loaded file{named("new"), {}};
  Config running = named("old");
  std::vector<std::string> in_the_way;
  std::vector<std::string> ran;
  std::string goes_back_to;
  std::vector<std::string> troubles;
  Log log;
  Reloader reloader{log,
                    "f",
                    {},
                    {[this] { return file; },
                     [this](const Config& config, const std::optional<Reloader::Trial>& trial,
                            OnRefusal on_refusal) {
                       const bool refused = on_refusal == OnRefusal::kUndo && !in_the_way.empty();
                       if (!refused) ran.push_back(config.node);
                       if (!refused) running = config;
                       if (!refused) goes_back_to = trial ? trial->confirmed.node : "";
                       return refused ? in_the_way : std::vector<std::string>{};
                     },
                     [this] { return running; },
                     [this] { return troubles; }}};
};

using Lines = std::vector<std::string>;

TEST_CASE("a good file is run and stays") {
  Sample sample;
  sample.troubles = {"instance A waits: there is no interface eth9"};
  const ReloadOutcome outcome = sample.reloader.reload({}, kStart);
  CHECK(outcome.done);
  CHECK(outcome.diagnostics == Lines{"f: warning: instance A waits: there is no interface eth9"});
  CHECK(sample.running.node == "new");
  CHECK_FALSE(sample.reloader.deadline());
}

TEST_CASE("a file with errors changes nothing and all of them are told") {
  Sample sample;
  sample.write_broken();
  const ReloadOutcome outcome = sample.reloader.reload(60s, kStart);
  CHECK_FALSE(outcome.done);
  CHECK(outcome.error == "f has errors; the configuration that was running goes on");
  CHECK(outcome.diagnostics == Lines{"f:3:1: error: a", "f:9:1: error: b"});
  CHECK(sample.ran.empty());
  CHECK(sample.running.node == "old");
  CHECK_FALSE(sample.reloader.deadline());
}

TEST_CASE("what this machine cannot run changes nothing and is told as an error of the file") {
  Sample sample;
  sample.in_the_way = {"no interface eth9", "no room"};
  const ReloadOutcome outcome = sample.reloader.reload(60s, kStart);
  CHECK_FALSE(outcome.done);
  CHECK(outcome.error == "f cannot be run here; the configuration that was running goes on");
  CHECK(outcome.diagnostics == Lines{"f: error: no interface eth9", "f: error: no room"});
  CHECK(sample.running.node == "old");
  CHECK_FALSE(sample.reloader.deadline());
}

TEST_CASE("the control socket stays as it is until a restart") {
  Sample sample;
  sample.file.config->control.socket = "/elsewhere";
  const ReloadOutcome outcome = sample.reloader.reload({}, kStart);
  CHECK(outcome.diagnostics ==
        Lines{"f: warning: a changed `control` section takes effect after a restart"});
  CHECK(sample.running.control == ControlConfig{});
}

TEST_CASE("a trial is taken back when its time is over, and not before") {
  Sample sample;
  REQUIRE(sample.reloader.reload(60s, kStart).done);
  CHECK(sample.reloader.deadline() == kStart + 60s);
  sample.reloader.wake(kStart + 60s - 1ns);
  CHECK(sample.ran == Lines{"new"});

  SECTION("whatever is in the way by then") { sample.in_the_way = {"no interface"}; }
  SECTION("or nothing is") {}
  sample.reloader.wake(kStart + 60s);
  CHECK(sample.ran == Lines{"new", "old"});
  CHECK(sample.running.node == "old");
  CHECK_FALSE(sample.reloader.deadline());
  CHECK_FALSE(sample.reloader.confirm());
}

TEST_CASE("a trial that is confirmed stays") {
  Sample sample;
  CHECK_FALSE(sample.reloader.confirm());
  REQUIRE(sample.reloader.reload(60s, kStart).done);
  CHECK(sample.reloader.confirm());
  CHECK_FALSE(sample.reloader.deadline());
  sample.reloader.wake(kStart + 1h);
  CHECK(sample.ran == Lines{"new"});
  CHECK(sample.reloader.reload({}, kStart + 1h).done);
}

TEST_CASE("a trial that a predecessor left goes on") {
  Sample sample;
  Reloader::Steps steps{{},
                        [&](const Config& config, const auto&, OnRefusal) {
                          sample.ran.push_back(config.node);
                          return Lines{};
                        },
                        {},
                        {}};
  Reloader successor{sample.log, "f", Reloader::Trial{Sample::named("old"), kStart + 60s}, std::move(steps)};
  CHECK(successor.deadline() == kStart + 60s);
  SECTION("until its time is over") {
    successor.wake(kStart + 61s);
    CHECK(sample.ran == Lines{"old"});
  }
  SECTION("until it is confirmed") {
    CHECK(successor.confirm());
    successor.wake(kStart + 61s);
    CHECK(sample.ran.empty());
  }
}

TEST_CASE("a reload without a trial does not end one") {
  Sample sample;
  REQUIRE(sample.reloader.reload(60s, kStart).done);
  sample.write("newer");
  const ReloadOutcome outcome = sample.reloader.reload({}, kStart + 18'500ms);
  CHECK_FALSE(outcome.done);
  CHECK(outcome.error.find("`vrrpctl confirm` for 42 s more") != std::string::npos);
  CHECK(sample.running.node == "new");
  CHECK(sample.reloader.deadline() == kStart + 60s);
}

TEST_CASE("a second trial goes back to what was confirmed last") {
  Sample sample;
  REQUIRE(sample.reloader.reload(60s, kStart).done);
  sample.write("newer");
  REQUIRE(sample.reloader.reload(10s, kStart + 59s).done);
  CHECK(sample.reloader.deadline() == kStart + 69s);
  CHECK(sample.goes_back_to == "old");
  SECTION("when it is not confirmed") {
    sample.reloader.wake(kStart + 69s);
    CHECK(sample.ran == Lines{"new", "newer", "old"});
  }
  SECTION("and one with a broken file leaves the first one as it is") {
    sample.write_broken();
    CHECK_FALSE(sample.reloader.reload(1h, kStart + 60s).done);
    CHECK(sample.reloader.deadline() == kStart + 69s);
    CHECK(sample.reloader.confirm());
    CHECK(sample.running.node == "newer");
  }
}

}  // namespace
}  // namespace ha::vrrp
