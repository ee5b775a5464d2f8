/// The users' scenarios: those of data/scenarios.json always, and the vectors they restate where
/// those lie beside the source. The priority vectors among these are the engine's
/// (effective_priority) and not judged here.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "haproxy_probe/evaluator.hpp"
#include "samples.hpp"
#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::test;
using nlohmann::ordered_json;

namespace {

struct Step {
  double at_seconds = 0;
  Event event;
  std::string expected;
};

struct Scenario {
  std::string name;
  ProbeConfig config;
  std::vector<Step> steps;
};

ha::Duration seconds(double number) {
  return std::chrono::duration_cast<ha::Duration>(std::chrono::duration<double>{number});
}

/// "NO FAILOVER", "WAIT", "FAILOVER" or "HOLD".
std::string decision(const Report& report) {
  return report.reason.substr(0, report.reason.find(':'));
}

/// Plays the steps, and every deadline between them as a driver would.
void play(const Scenario& scenario) {
  INFO(scenario.name);
  Evaluator evaluator{scenario.config};
  const ha::TimePoint start{std::chrono::hours{1}};
  evaluator.handle(LocalAddressesChanged{{{ip("192.0.2.1")}}}, start);
  for (const Step& step : scenario.steps) {
    const ha::TimePoint now = start + seconds(step.at_seconds);
    while (evaluator.deadline() && *evaluator.deadline() < now) {
      evaluator.handle(DeadlineReached{}, *evaluator.deadline());
    }
    evaluator.handle(step.event, now);
    INFO("after " << step.at_seconds << " s: " << overall_line(evaluator.report()) << ", "
                  << evaluator.report().reason);
    CHECK(decision(evaluator.report()) == step.expected);
    const bool demoted = demotion(scenario.config, evaluator.report()).amount > 0;
    CHECK(demoted == (step.expected == "FAILOVER"));
  }
}

ProbeConfig config_of(const ordered_json& json) {
  ProbeConfig config;
  config.teams = TeamPattern{"jenkins_backend_(.+)"};
  config.threshold = json.value("threshold", 50);
  config.quorum = json.value("quorum", 2);
  config.combine = json.value("combine", "and") == "or" ? Combine::kOr : Combine::kAnd;
  config.grace = seconds(json.value("grace", 30));
  config.recover = seconds(json.value("recover", 10));
  config.stale_after = seconds(json.value("stale_after", 3600));
  return config;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream{text};
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

void add_servers(const std::string& team, const std::string& statuses, bool here,
                 std::vector<ServerRow>& rows) {
  for (const std::string& text : split(statuses, '|')) {
    const std::size_t at = text.find('@');
    const ServerClass status =
        classify(text.substr(0, at), at == std::string::npos ? "L7OK" : text.substr(at + 1));
    const std::string backend = "jenkins_backend_" + team;
    rows.push_back(here ? local(backend, "here", status) : remote(backend, "there", status));
  }
}

Event event_of(const ordered_json& pictures, const std::string& name) {
  if (name == "dead") return HaproxyGone{"connect /run/haproxy/admin.sock: Connection refused"};
  if (name == "silent") return AnswerUnusable{"no whole answer in time"};
  const ordered_json& picture = pictures.at(name);
  StatsReceived stats;
  for (const auto& [team, statuses] : picture.at("here").items()) {
    add_servers(team, statuses.get<std::string>(), true, stats.servers);
    if (!picture.contains("there")) add_servers(team, "UP", false, stats.servers);
  }
  if (!picture.contains("there")) return stats;
  for (const auto& [team, statuses] : picture.at("there").items()) {
    add_servers(team, statuses.get<std::string>(), false, stats.servers);
  }
  return stats;
}

/// A step of one of the users' vectors, seen from `node`.
Event event_of_vector(const ordered_json& step, const std::string& node) {
  const std::string haproxy = step.value("haproxy", "");
  if (haproxy == "dead") return HaproxyGone{"connect /run/haproxy/admin.sock: Connection refused"};
  if (haproxy == "unreachable") return AnswerUnusable{"no whole answer in time"};
  StatsReceived stats;
  for (const auto& [team, servers] : step.at("teams").items()) {
    const std::string backend = "jenkins_backend_" + team;
    for (const ordered_json& server : servers) {
      const std::string name = server.at("server");
      const ServerClass status = classify(server.at("status").get<std::string>(),
                                          server.at("check_status").get<std::string>());
      stats.servers.push_back(server.at("node") == node ? local(backend, name, status)
                                                        : remote(backend, name, status));
    }
  }
  return stats;
}

/// One of the users' vectors, in its own vocabulary. DESIGN names differently what it calls
/// recover_hold and stale_limit, and decides against its dead_confirm (doc000-s2): whoever refuses
/// is down at once.
Scenario scenario_of_vector(const ordered_json& vector) {
  ordered_json config = vector.at("config");
  if (config.contains("recover_hold")) config["recover"] = config["recover_hold"];
  if (config.contains("stale_limit")) config["stale_after"] = config["stale_limit"];
  Scenario scenario{vector.at("id"), config_of(config), {}};
  for (std::size_t i = 0; i < vector.at("timeline").size(); ++i) {
    const ordered_json& step = vector.at("timeline").at(i);
    std::string expected = vector.at("expect").at(i);
    if (expected == "NO_FAILOVER") expected = "NO FAILOVER";
    if (step.value("haproxy", "") == "dead") expected = "FAILOVER";
    scenario.steps.push_back({step.at("t"), event_of_vector(step, vector.at("node")), expected});
  }
  return scenario;
}

const std::filesystem::path kVectors = kSource / "../shared/reference/samples/seed-scenarios.json";

}  // namespace

TEST_CASE("every scenario is decided as the design says") {
  const ordered_json data = ordered_json::parse(sample("scenarios.json"));
  const ordered_json& scenarios = data.at("scenarios");
  REQUIRE(scenarios.size() > 30);
  for (const ordered_json& json : scenarios) {
    Scenario scenario{json.at("says"), config_of(json.value("config", ordered_json::object())), {}};
    for (const ordered_json& step : json.at("steps")) {
      scenario.steps.push_back({step.at(0), event_of(data.at("pictures"), step.at(1)), step.at(2)});
    }
    play(scenario);
  }
}

TEST_CASE("the users' vectors are decided as they say, where they lie beside the source") {
  if (!std::filesystem::exists(kVectors)) {
    WARN("not there: " << kVectors);
    return;
  }
  const ordered_json vectors = ordered_json::parse(text_of(kVectors)).at("decision_vectors");
  CHECK(vectors.size() == 42);
  std::set<std::string> ids;
  for (const ordered_json& vector : vectors) {
    Scenario scenario = scenario_of_vector(vector);
    play(scenario);
    ids.insert(scenario.name);
    if (!vector.contains("expect_if_combine_or")) continue;
    scenario.config.combine = Combine::kOr;
    scenario.name += " with combine: or";
    for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
      scenario.steps[i].expected = vector.at("expect_if_combine_or").at(i);
    }
    play(scenario);
  }

  std::set<std::string> covered;
  const ordered_json data = ordered_json::parse(sample("scenarios.json"));
  for (const ordered_json& scenario : data.at("scenarios")) {
    for (const ordered_json& id : scenario.at("covers")) covered.insert(id);
  }
  CHECK(covered == ids);
}
