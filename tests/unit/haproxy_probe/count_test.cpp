#include "haproxy_probe/count.hpp"

#include <random>

#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

namespace {

constexpr auto kUp = ServerClass::kUp;
constexpr auto kDown = ServerClass::kDown;

ProbeConfig config_with(ServerScope scope) {
  ProbeConfig config;
  config.teams = TeamPattern{"jenkins_backend_(.+)"};
  config.scope = scope;
  return config;
}

Count count(const ProbeConfig& config, const std::vector<ServerRow>& rows) {
  Counter counter{config};
  counter.set_local({{ip("2001:db8::1"), ip("192.0.2.1"), ip("10.1.1.1")}});
  return counter.count(rows);
}

std::vector<ServerRow> captured(std::string_view name) {
  auto answer = parse_answer(sample(name));
  REQUIRE(answer);
  return std::move(answer->servers);
}

}  // namespace

TEST_CASE("local counts this machine's servers, so that a backup elsewhere hides no dead one") {
  CHECK(
      count(config_with(ServerScope::kLocal), captured("one-team-down.txt")) ==
      Count{
          {{"devops", 1, 1}, {"ma", 1, 1}, {"ba", 0, 1}, {"tw", 1, 1}}, 3, 4, 3, 4, std::nullopt});
}

TEST_CASE("all asks whether a team is served from anywhere") {
  CHECK(
      count(config_with(ServerScope::kAll), captured("one-team-down.txt")) ==
      Count{
          {{"devops", 2, 2}, {"ma", 2, 2}, {"ba", 1, 2}, {"tw", 2, 2}}, 7, 8, 4, 4, std::nullopt});
}

TEST_CASE("match counts the servers whose whole name fits") {
  ProbeConfig config = config_with(ServerScope::kMatch);
  config.server_match = ".*-vm2";
  CHECK(
      count(config, captured("one-team-down.txt")) ==
      Count{
          {{"devops", 1, 1}, {"ma", 1, 1}, {"ba", 1, 1}, {"tw", 1, 1}}, 4, 4, 4, 4, std::nullopt});
  config.server_match = "vm2";
  CHECK(count(config, captured("one-team-down.txt")).complaint ==
        "no server of the teams fits `servers: match`");
}

TEST_CASE("loopback addresses and Unix sockets are this machine's") {
  const std::vector<ServerRow> rows = {
      {"jenkins_backend_a", "1", kUp, ip("127.0.0.1"), false},
      {"jenkins_backend_a", "2", kUp, ip("127.9.9.9"), false},
      {"jenkins_backend_a", "3", kUp, ip("::1"), false},
      {"jenkins_backend_a", "4", kUp, ip("2001:db8::1"), false},
      {"jenkins_backend_a", "5", kUp, std::nullopt, true},
      {"jenkins_backend_a", "6", kUp, ip("192.0.2.2"), false},
      {"jenkins_backend_a", "7", kUp, std::nullopt, false},
  };
  CHECK(count(config_with(ServerScope::kLocal), rows).teams ==
        std::vector<TeamHealth>{{"a", 5, 5}});
}

TEST_CASE("which addresses are local may change between answers") {
  Counter counter{config_with(ServerScope::kLocal)};
  const std::vector<ServerRow> rows = {local("jenkins_backend_a", "s", kUp)};
  CHECK(counter.count(rows).servers == 0);
  counter.set_local({{ip("192.0.2.1")}});
  CHECK(counter.count(rows).servers == 1);
  counter.set_local({});
  CHECK(counter.count(rows).servers == 0);
}

TEST_CASE("only servers that are up or down count, and only teams that have one") {
  const Count counted = count(config_with(ServerScope::kLocal),
                              {local("jenkins_backend_a", "1", kUp),
                               local("jenkins_backend_a", "2", ServerClass::kExcluded),
                               local("jenkins_backend_a", "3", ServerClass::kUnknown),
                               local("jenkins_backend_b", "1", ServerClass::kExcluded),
                               remote("jenkins_backend_c", "1", kUp),
                               local("jenkins_backend_d", "1", kDown), local("other", "1", kDown)});
  CHECK(counted ==
        Count{{{"a", 1, 1}, {"b", 0, 0}, {"c", 0, 0}, {"d", 0, 1}}, 1, 2, 1, 2, std::nullopt});
}

TEST_CASE("backends of one team are counted together, in the order of their first") {
  ProbeConfig config = config_with(ServerScope::kLocal);
  config.teams = TeamPattern{"(.)[0-9]"};
  const std::vector<ServerRow> rows = {local("b1", "s", kUp), local("a1", "s", kUp),
                                       local("b2", "s", kDown)};
  CHECK(count(config, rows).teams == std::vector<TeamHealth>{{"b", 1, 2}, {"a", 1, 1}});
}

TEST_CASE("the pattern must fit the whole name of the backend") {
  const std::vector<ServerRow> rows = {local("my_jenkins_backend_a", "s", kUp),
                                       local("jenkins_backend_", "s", kUp)};
  CHECK(count(config_with(ServerScope::kLocal), rows).teams.empty());
}

TEST_CASE("a backend names its team itself where the pattern's group takes no part") {
  ProbeConfig config = config_with(ServerScope::kLocal);
  config.teams = TeamPattern{"web(_.+)?"};
  const std::vector<ServerRow> rows = {local("web", "s", kUp), local("web_x", "s", kUp)};
  CHECK(count(config, rows).teams == std::vector<TeamHealth>{{"web", 1, 1}, {"_x", 1, 1}});
}

TEST_CASE("teams may be given as a map, and one that is missing is complained about but not down") {
  ProbeConfig config = config_with(ServerScope::kLocal);
  config.teams = TeamMap{{"devops", {"be1", "be2"}}, {"ma", {"be3"}}, {"tw", {"be4", "be5"}}};
  const Count counted =
      count(config, {local("be9", "s", kDown), local("be2", "s", kUp), local("be1", "s", kDown)});
  CHECK(counted ==
        Count{{{"devops", 1, 2}}, 1, 2, 1, 1, "no server in HAProxy's answer for team ma, tw"});
}

TEST_CASE("when nothing counts the complaint says why") {
  const ProbeConfig config = config_with(ServerScope::kLocal);
  CHECK(count(config, {local("b", "s", kUp)}).complaint ==
        "no server of a team in HAProxy's answer: check `teams`");
  CHECK(count(config, {remote("jenkins_backend_a", "s", kUp)}).complaint ==
        "no server of the teams has an address of this machine");
  CHECK(count(config, {local("jenkins_backend_a", "s", ServerClass::kUnknown)}).complaint ==
        "every server that could count is in maintenance, drained or not checked");
  CHECK(count(config, captured("level-user.txt")).complaint ==
        "HAProxy shows no server addresses: its stats socket needs `level operator`");
}

TEST_CASE("level user is enough where addresses do not matter") {
  const Count counted = count(config_with(ServerScope::kAll), captured("level-user.txt"));
  CHECK(counted.servers == 8);
  CHECK_FALSE(counted.complaint);
}

TEST_CASE("names that come and go do not confuse later counts") {
  ProbeConfig config = config_with(ServerScope::kMatch);
  config.server_match = "s.*";
  Counter counter{config};
  for (int i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i);
    const Count counted = counter.count({local("jenkins_backend_" + number, "s" + number, kUp)});
    REQUIRE(counted.teams == std::vector<TeamHealth>{{number, 1, 1}});
  }
}

TEST_CASE("the order of the backends may change between answers, and so may their number") {
  const ProbeConfig config = config_with(ServerScope::kLocal);
  Counter counter{config};
  std::mt19937 random{4};
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
  for (int answer = 0; answer < 300; ++answer) {
    std::vector<ServerRow> rows;
    for (unsigned backends = below(6); backends > 0; --backends) {
      const std::string team{"abcx"[below(4)]};  // some of them come twice
      const std::string backend = (team == "x" ? "other_" : "jenkins_backend_") + team;
      for (unsigned servers = 1 + below(3); servers > 0; --servers) {
        rows.push_back(local(backend, "s", below(2) == 0 ? kUp : kDown));
      }
    }
    REQUIRE(counter.count(rows) == Counter{config}.count(rows));
  }
}

TEST_CASE("the longest name that an answer may have can be matched") {
  ProbeConfig config = config_with(ServerScope::kAll);
  config.teams = TeamPattern{"(a|b|.)+"};
  CHECK(count(config, {local(std::string(kNameBytesMax, 'x'), "s", kUp)}).servers == 1);
}
