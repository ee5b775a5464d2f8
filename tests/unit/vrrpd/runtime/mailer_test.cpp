#include "vrrpd/runtime/mailer.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using mail::Change;
using State = Change::State;

constexpr std::chrono::system_clock::time_point kNow{};

Notice became(const std::string& state, const std::string& name = "VI_1",
              Notice::Subject subject = Notice::Subject::kInstance) {
  return {subject, name, Notice::Kind::kState, state, 100, "why"};
}

std::vector<State> states_of(MailQueue& queue) {
  std::vector<State> states;
  for (const Change& change : queue.take(99)) states.push_back(change.state);
  return states;
}

using States = std::vector<State>;

TEST_CASE("mails tell of master, backup and fault, and of nothing else", "[mail]") {
  MailQueue queue;
  for (const char* state : {"BACKUP", "MASTER", "FAULT", "BACKUP", "STOP", "DELETED"}) {
    queue.push(became(state), true, kNow);
  }
  Notice other = became("MASTER");
  other.kind = Notice::Kind::kPriority;
  queue.push(other, true, kNow);
  other.kind = Notice::Kind::kLowerPriority;
  queue.push(other, true, kNow);
  CHECK(states_of(queue) == States{State::kBackup, State::kMaster, State::kFault, State::kBackup});
}

TEST_CASE("a state that the last mail told is not told again", "[mail]") {
  MailQueue queue;
  for (const char* state : {"BACKUP", "FAULT", "BACKUP", "MASTER", "FAULT", "MASTER"}) {
    queue.push(became(state), false, kNow);
  }
  CHECK(states_of(queue) == States{State::kBackup, State::kMaster});

  queue.push(became("MASTER", "VI_2"), true, kNow);
  queue.push(became("MASTER", "VI_1", Notice::Subject::kGroup), true, kNow);
  CHECK(states_of(queue) == States{State::kMaster, State::kMaster});

  queue.push(became("STOP"), true, kNow);
  queue.push(became("MASTER"), true, kNow);
  CHECK(states_of(queue) == States{State::kMaster});
}

TEST_CASE("what waits is limited, and the oldest goes", "[mail]") {
  MailQueue queue;
  for (std::size_t i = 0; i < MailQueue::kWaitingMax + 2; ++i) {
    queue.push(became("MASTER", std::to_string(i)), true, kNow);
  }
  CHECK(queue.take_left_out() == 2);
  CHECK(queue.take_left_out() == 0);
  const auto first = queue.take(1);
  REQUIRE(first.size() == 1);
  CHECK(first.front() == Change{Change::Subject::kInstance, "2", State::kMaster, kNow});
  CHECK(queue.take(5000).size() == MailQueue::kWaitingMax - 1);
  CHECK(queue.empty());
}

}  // namespace
}  // namespace ha::vrrp
