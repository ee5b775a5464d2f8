#include "vrrpd/ctl/drain.hpp"

#include "tests/support/catch.hpp"
#include "vrrpd/ctl/answer.hpp"

namespace ha::ctl {
namespace {

using namespace std::chrono_literals;

std::string answer(std::string_view state, int priority, std::string_view drained) {
  Json instance{{"name", "VI_MAIN"},
                {"state", state},
                {"priority", priority},
                {"last-adv-source", "10.0.0.12"},
                {"master-down-interval-ms", 39'990.2}};
  return to_line(
      {{"ok", true}, {"status", {{"instances", {instance}}, {"drained", Json::parse(drained)}}}});
}

constexpr std::string_view kSaved = R"({"since": "2026-01-07T10:15:00Z", "saved": true})";
constexpr std::string_view kUnsaved = R"({"since": "2026-01-07T10:15:00Z", "saved": false})";
constexpr std::string_view kTrouble =
    R"({"since": "2026-01-07T10:15:00Z", "saved": false, "trouble": "/x: No space left"})";

}  // namespace

TEST_CASE("a drain is over when no address is left that can go, and the disk has said its word") {
  CHECK(is_drained(answer("backup", 110, kSaved)));
  CHECK(is_drained(answer("master", 255, kSaved)));
  CHECK(is_drained(answer("fault", 110, kTrouble)));
  CHECK_FALSE(is_drained(answer("master", 110, kSaved)));
  CHECK_FALSE(is_drained(answer("backup", 110, kUnsaved)));
}

TEST_CASE("a drain is given the time that a slow takeover needs") {
  CHECK(hand_over_patience(answer("master", 110, kSaved)) == 79'980ms);
  CHECK(hand_over_patience("nonsense") == 3'000ms);
}

TEST_CASE("a drain says who has the address, and what is not as it should be") {
  CHECK(present_drain(answer("backup", 110, kSaved), Form::kText) ==
        Output{kDone, "VI_MAIN is backup; last heard: 10.0.0.12\n", ""});
  CHECK(present_drain(answer("master", 110, kSaved), Form::kText) ==
        Output{kRefused, "VI_MAIN is still master, with the lowest priority: nobody takes over\n",
               "vrrpctl: drained, but not every address has gone\n"});
  CHECK(present_drain(answer("backup", 110, kTrouble), Form::kText) ==
        Output{kRefused, "VI_MAIN is backup; last heard: 10.0.0.12\n",
               "vrrpctl: a restart would undo it: /x: No space left\n"});
  CHECK(present_drain(answer("backup", 110, kUnsaved), Form::kText).err ==
        "vrrpctl: a restart would undo it: the disk is slow\n");
}

}  // namespace ha::ctl
