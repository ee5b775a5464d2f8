#include "vrrpd/runtime/notify.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using Kind = Notice::Kind;

Command command(const std::string& program) { return {{program}, "", "", Duration{}}; }

Notice became(const std::string& state) {
  return {Notice::Subject::kInstance, "VI_MAIN", Kind::kState, state, 110, "why"};
}

NotifyConfig everything() {
  NotifyConfig config;
  config.master = command("/master");
  config.backup = command("/backup");
  config.fault = command("/fault");
  config.stop = command("/stop");
  config.any = Command{{"/any", "-v"}, "", "", Duration{}};
  config.lower_priority = command("/lower");
  return config;
}

std::vector<std::string> programs(const std::vector<Launch>& launches) {
  std::vector<std::string> programs;
  for (const Launch& launch : launches) programs.push_back(launch.command.arguments.front());
  return programs;
}

using Programs = std::vector<std::string>;

TEST_CASE("the command of the state hears first, then the one for all", "[notify]") {
  const NotifyConfig config = everything();
  CHECK(programs(commands_for(became("MASTER"), config)) == Programs{"/master", "/any"});
  CHECK(programs(commands_for(became("BACKUP"), config)) == Programs{"/backup", "/any"});
  CHECK(programs(commands_for(became("FAULT"), config)) == Programs{"/fault", "/any"});
  CHECK(programs(commands_for(became("STOP"), config)) == Programs{"/stop", "/any"});
  CHECK(commands_for(became("MASTER"), {}).empty());
}

TEST_CASE("the one for all gets keepalived's arguments behind its own, the others none",
          "[notify]") {
  const auto commands = commands_for(became("MASTER"), everything());
  CHECK(commands[0].appended.empty());
  CHECK(commands[1].appended == std::vector<std::string>{"INSTANCE", "VI_MAIN", "MASTER", "110"});
  const std::vector<std::pair<std::string, std::string>> environment{{"VRRPD_INSTANCE", "VI_MAIN"},
                                                                     {"VRRPD_STATE", "MASTER"},
                                                                     {"VRRPD_PRIORITY", "110"},
                                                                     {"VRRPD_REASON", "why"}};
  CHECK(commands[0].environment == environment);
  CHECK(commands[1].environment == environment);

  const Notice group{Notice::Subject::kGroup, "G1", Kind::kState, "FAULT", 0, ""};
  CHECK(commands_for(group, everything())[1].appended ==
        std::vector<std::string>{"GROUP", "G1", "FAULT", "0"});
}

TEST_CASE("changes of priority are told to those who asked for it, with the state", "[notify]") {
  Notice notice = became("BACKUP");
  notice.kind = Kind::kPriority;
  NotifyConfig config = everything();
  CHECK(commands_for(notice, config).empty());
  config.priority_changes = true;
  CHECK(commands_for(notice, config).at(0).appended[2] == "BACKUP_PRIORITY");
  CHECK(fifo_line(notice) == "INSTANCE \"VI_MAIN\" BACKUP_PRIORITY 110\n");
}

TEST_CASE("a lower priority heard has a command of its own", "[notify]") {
  Notice notice = became("MASTER");
  notice.kind = Kind::kLowerPriority;
  CHECK(programs(commands_for(notice, everything())) == Programs{"/lower"});
  CHECK(fifo_line(notice) == "INSTANCE \"VI_MAIN\" MASTER_RX_LOWER_PRI 110\n");
}

TEST_CASE("a removed instance has a command of its own", "[notify]") {
  NotifyConfig config = everything();
  config.deleted = command("/deleted");
  const auto commands = commands_for(became("DELETED"), config);
  CHECK(programs(commands) == Programs{"/deleted", "/any"});
  CHECK(commands.at(1).appended[2] == "DELETED");
}

TEST_CASE("states have keepalived's words", "[notify]") {
  CHECK(notify_word("master") == "MASTER");
  CHECK(notify_word("initialize") == "STOP");
  CHECK(fifo_line(became("FAULT")) == "INSTANCE \"VI_MAIN\" FAULT 110\n");
}

/// Commands that are told apart by their program.
std::vector<Launch> launches(std::initializer_list<const char*> names) {
  std::vector<Launch> launches;
  for (const char* name : names) {
    Launch launch;
    launch.command = command(name);
    launches.push_back(launch);
  }
  return launches;
}

Programs drain(NotifyQueue& queue) {
  std::vector<Launch> all;
  while (auto launch = queue.next()) all.push_back(std::move(*launch));
  return programs(all);
}

TEST_CASE("what is owed is paid in order", "[notify]") {
  NotifyQueue queue;
  queue.push(Kind::kState, launches({"a", "b"}));
  queue.push(Kind::kState, launches({"c"}));
  queue.push(Kind::kState, {});
  CHECK(drain(queue) == Programs{"a", "b", "c"});
  CHECK(queue.empty());
}

TEST_CASE("who cannot keep up misses what is over, and never the last word", "[notify]") {
  NotifyQueue queue;
  queue.push(Kind::kState, launches({"begun", "and its second"}));
  CHECK(queue.next()->command.arguments.front() == "begun");
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("n" + std::to_string(i));
  for (const std::string& name : names) queue.push(Kind::kState, launches({name.c_str()}));
  CHECK(queue.take_left_out() == 40 - (NotifyQueue::kWaitingMax - 1));
  CHECK(queue.take_left_out() == 0);
  const Programs left = drain(queue);
  CHECK(left.size() == NotifyQueue::kWaitingMax);
  CHECK(left.front() == "and its second");
  CHECK(left[1] == "n25");
  CHECK(left.back() == "n39");
}

TEST_CASE("of changes of priority only the last one counts", "[notify]") {
  NotifyQueue queue;
  queue.push(Kind::kPriority, launches({"p1"}));
  queue.push(Kind::kState, launches({"s"}));
  queue.push(Kind::kLowerPriority, launches({"l1"}));
  queue.push(Kind::kPriority, launches({"p2"}));
  queue.push(Kind::kLowerPriority, launches({"l2"}));
  CHECK(drain(queue) == Programs{"s", "p2", "l2"});
}

TEST_CASE("in a hurry only the last word is said", "[notify]") {
  NotifyQueue queue;
  queue.push(Kind::kState, launches({"a", "b"}));
  queue.push(Kind::kState, launches({"c", "d"}));
  CHECK(queue.next()->command.arguments.front() == "a");
  queue.hurry();
  CHECK(drain(queue) == Programs{"c", "d"});
  queue.hurry();
  CHECK(queue.empty());
}

}  // namespace
}  // namespace ha::vrrp
