#include "sync/authority.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

const std::string kId = "4711";

Claim claim(std::uint64_t epoch, std::string token = "t") {
  return {epoch, std::move(token), "vm1", 0, "write"};
}

Head head(std::uint64_t generation, std::uint64_t epoch) {
  Head head;
  head.version = {generation, epoch};
  head.node = "vm1";
  head.digest = "digest-" + std::to_string(generation);
  return head;
}

Base base(std::uint64_t generation, std::uint64_t epoch) {
  return {{generation, epoch}, "digest-" + std::to_string(generation), kId};
}

/// A target at `generation` under epoch 3, which `token` holds.
TargetView target(std::uint64_t generation, std::string token = "t") {
  TargetView view{kId, head(generation, 3), claim(3, std::move(token)), {}};
  for (std::uint64_t g = 1; g <= generation; ++g) view.staged.push_back({g, 3});
  return view;
}

LocalView local(std::uint64_t generation) { return {base(generation, 3), std::nullopt, claim(3)}; }

Refusal refusal_of(const WriteStep& step) {
  REQUIRE(std::holds_alternative<Refuse>(step));
  return std::get<Refuse>(step).refusal;
}

}  // namespace

TEST_CASE("an unused target is initialised, then claimed, then written", "[sync]") {
  TargetView seen;
  LocalView mine;
  CHECK(next_write_step(seen, mine, MayClaim::kYes) == WriteStep{Initialise{}});
  seen.id = kId;
  CHECK(next_write_step(seen, mine, MayClaim::kYes) == WriteStep{RaiseEpoch{1}});
  seen.claim = claim(1);
  mine.claim = claim(1);
  CHECK(next_write_step(seen, mine, MayClaim::kYes) == WriteStep{Commit{}});
}

TEST_CASE("who holds the epoch and has everything writes", "[sync]") {
  CHECK(next_write_step(target(7), local(7), MayClaim::kNo) == WriteStep{Commit{}});
}

TEST_CASE("a higher epoch stops the writer, whose copy is as good as ever", "[sync]") {
  TargetView seen = target(7);
  seen.claim = claim(4, "another");
  CHECK(refusal_of(next_write_step(seen, local(7), MayClaim::kNo)) == Refusal::kFenced);
}

TEST_CASE("a claim with the same number and another token is another's", "[sync]") {
  CHECK(refusal_of(next_write_step(target(7, "another"), local(7), MayClaim::kNo)) ==
        Refusal::kFenced);
}

TEST_CASE("a claim that nobody lived to write still has to be exceeded", "[sync]") {
  TargetView seen = target(7);
  seen.claim = {4, "", "", 0, ""};
  CHECK(next_write_step(seen, local(7), MayClaim::kYes) == WriteStep{RaiseEpoch{5}});
}

TEST_CASE("a machine that has everything may take over", "[sync]") {
  TargetView seen = target(7);
  seen.claim = claim(4, "another");
  CHECK(next_write_step(seen, local(7), MayClaim::kYes) == WriteStep{RaiseEpoch{5}});
}

TEST_CASE("a machine whose copy is older never gets an epoch", "[sync]") {
  CHECK(refusal_of(next_write_step(target(7, "another"), local(6), MayClaim::kYes)) ==
        Refusal::kBehind);
  // Nor does it write under one that it has.
  CHECK(refusal_of(next_write_step(target(7), local(6), MayClaim::kYes)) == Refusal::kBehind);
}

TEST_CASE("a machine that never had the target's content never gets an epoch", "[sync]") {
  CHECK(refusal_of(next_write_step(target(7), LocalView{}, MayClaim::kYes)) == Refusal::kBehind);
}

TEST_CASE("two generations of one number are told apart by their content", "[sync]") {
  LocalView mine = local(7);
  mine.base->digest = "of another history";
  CHECK(refusal_of(next_write_step(target(7), mine, MayClaim::kYes)) == Refusal::kBehind);
}

TEST_CASE("a commit that was published but not recorded is recorded", "[sync]") {
  LocalView mine = local(6);
  mine.pending = base(7, 3);
  CHECK(next_write_step(target(7), mine, MayClaim::kNo) == WriteStep{AdoptPending{}});
}

TEST_CASE("a commit that was recorded but not published is no reason to believe in it", "[sync]") {
  LocalView mine = local(6);
  mine.pending = base(8, 3);
  CHECK(refusal_of(next_write_step(target(7), mine, MayClaim::kNo)) == Refusal::kBehind);
}

TEST_CASE("what nobody finished is rolled back first, the newest first", "[sync]") {
  TargetView seen = target(7);
  seen.staged.push_back({7, 2});
  seen.staged.push_back({8, 2});
  seen.staged.push_back({8, 3});
  CHECK(next_write_step(seen, local(7), MayClaim::kNo) == WriteStep{RollBack{{8, 3}}});
  CHECK(unfinished(seen) == std::vector<Version>{{8, 3}, {8, 2}, {7, 2}});
}

TEST_CASE("another target, or an old state of it, is not written", "[sync]") {
  LocalView mine = local(7);
  CHECK(refusal_of(next_write_step(TargetView{}, mine, MayClaim::kYes)) == Refusal::kTargetLost);
  CHECK(refusal_of(next_write_step(target(5), mine, MayClaim::kYes)) == Refusal::kTargetLost);
  mine.base->target_id = "0815";
  CHECK(refusal_of(next_write_step(target(7), mine, MayClaim::kYes)) == Refusal::kTargetLost);
}
