#include "vrrpd/engine/track.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

std::vector<Demotion> demotions(std::initializer_list<int> amounts) {
  std::vector<Demotion> list;
  for (const int amount : amounts) list.push_back({"source", amount, "reason"});
  return list;
}

TEST_CASE("demotions add up") {
  CHECK(effective_priority(Priority{110}, demotions({})) == Priority{110});
  CHECK(effective_priority(Priority{110}, demotions({50, 0, 30})) == Priority{30});
}

TEST_CASE("the effective priority stays in 1-254", "[rfc9568-5.2.4]") {
  CHECK(effective_priority(Priority{100}, demotions({100})) == Priority{1});
  CHECK(effective_priority(Priority{100}, demotions({254, 254})) == Priority{1});
  CHECK(effective_priority(Priority{254}, demotions({-10})) == Priority{254});
}

TEST_CASE("an owner's priority never changes") {
  CHECK(effective_priority(kPriorityOwner, demotions({100})) == kPriorityOwner);
}

}  // namespace
}  // namespace ha::vrrp
