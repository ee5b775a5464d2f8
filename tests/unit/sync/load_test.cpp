#include "sync/load.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

using Lines = std::vector<std::string>;

/// Every diagnostic as "3:5: error: …".
Lines diagnose(std::string_view text, Locality locality = Locality::kAllowLocal) {
  Lines lines;
  for (const auto& diagnostic : load(text, "", locality).diagnostics) {
    lines.push_back(to_string(diagnostic).substr(diagnostic.line == 0 ? 2 : 1));
  }
  return lines;
}

/// A team whose further lines are `more`.
std::string team(const std::string& more = "", const std::string& name = "devops") {
  return "  - name: " + name + "\n    environments: [blue, green]\n    source: /s/{team}/{env}\n" +
         "    target: /t/{team}/{env}\n" + (more.empty() ? "    writer: always\n" : more);
}

}  // namespace

TEST_CASE("the documented file means what it says", "[sync]") {
  const Loaded loaded = load(R"(vrrpd: /run/vrrpd/control.sock
volumes:
  - {name: jenkins-devops-data, server: localhost, mount: /var/jenkins/devops, remount: true}
teams:
  - name: devops
    environments: [blue, green]
    source: /var/lib/docker/volumes/jenkins-{team}-{env}-home/_data
    target: /var/jenkins/{team}/sync/{env}
    writer: {instance: VI_MAIN}
    standby: warm
    exclude: [workspace/, caches/, "*.log"]
sync: {interval: 5m, watch: true, settle: 1s, alert_after: 10m}
recover: {keep_backups: 2}
http: {listen: "127.0.0.1:9651"}
)",
                             "f", Locality::kGlusterOnly);
  for (const auto& diagnostic : loaded.diagnostics) FAIL_CHECK(to_string(diagnostic));
  REQUIRE(loaded.config);
  const Config& config = *loaded.config;
  CHECK(config.volumes == std::vector<VolumeConfig>{
                              {"jenkins-devops-data", "localhost", "/var/jenkins/devops", true}});
  REQUIRE(config.mirrors.size() == 2);
  const Mirror& green = config.mirrors[1];
  CHECK(green.source == "/var/lib/docker/volumes/jenkins-devops-green-home/_data");
  CHECK(green.target == "/var/jenkins/devops/sync/green");
  CHECK(green.writer == WriterRule::kInstance);
  CHECK(green.instance == "VI_MAIN");
  CHECK(config.http == ListenConfig{"127.0.0.1", 9651});
  CHECK(config.find("devops", "green") == &green);
  CHECK(config.find("devops", "red") == nullptr);
}

TEST_CASE("what is missing or unknown is named where it is missing", "[sync]") {
  CHECK(diagnose("teams:\n  - name: a\n    enviroments: [x]\n") ==
        Lines{"2:5: error: 'environments' is required", "2:5: error: 'source' is required",
              "2:5: error: 'target' is required", "2:5: error: 'writer' is required",
              "3:5: error: unknown key 'enviroments'; did you mean 'environments'?"});
  CHECK(diagnose("sync: {interval: 5}\n") ==
        Lines{"1:1: error: 'teams' is required",
              "1:18: error: interval 5 has no unit: ms, s, m or h (range 1s-24h)"});
}

TEST_CASE("paths that would share anything are refused", "[sync]") {
  CHECK(diagnose("teams:\n  - {name: a, environments: [x], source: /d, target: /d/copy, "
                 "writer: always}\n") ==
        Lines{"2:54: error: target '/d/copy' of a/x overlaps source '/d' of a/x"});
  const std::string two =
      "teams:\n  - {name: a, environments: [x], source: /s/a, target: /t, writer: always}\n"
      "  - {name: b, environments: [x], source: /s/b, target: /t, writer: always}\n";
  CHECK(diagnose(two) == Lines{"3:56: error: target '/t' of b/x overlaps target '/t' of a/x"});
  CHECK(diagnose("teams:\n  - {name: a, environments: [x, y], source: \"/s/{env}\", target: /t, "
                 "writer: always}\n") ==
        Lines{"2:65: error: target '/t' is the same for all environments: put {env} into it"});
}

TEST_CASE("a target outside of every volume is refused unless that is asked for", "[sync]") {
  const std::string text =
      "volumes: [{name: v, mount: /t/devops/}]\nteams:\n" + team() + team("", "qa");
  CHECK(diagnose(text).empty());
  CHECK(diagnose(text, Locality::kGlusterOnly) ==
        Lines{"11:13: error: target '/t/qa/blue' is not below the mount of any volume in "
              "'volumes' (--allow-local accepts it)",
              "11:13: error: target '/t/qa/green' is not below the mount of any volume in "
              "'volumes' (--allow-local accepts it)"});
}

TEST_CASE("a writer is an instance, always or manual", "[sync]") {
  CHECK(diagnose("teams:\n" + team("    writer: sometimes\n")) ==
        Lines{"6:13: error: writer 'sometimes' is neither {instance: NAME}, always nor manual"});
  CHECK(diagnose("teams:\n" + team("    writer: {}\n")) ==
        Lines{"6:13: error: 'instance' is required"});
}

TEST_CASE("hooks start with the path of a program", "[sync]") {
  CHECK(diagnose("teams:\n" +
                 team("    writer: manual\n    hooks: {after_recover: [docker, start]}\n")) ==
        Lines{"7:28: error: after_recover has to start with the absolute path of a program"});
}

TEST_CASE("a limit that every pass would exceed is worth a warning", "[sync]") {
  CHECK(
      diagnose("teams:\n" + team() + "sync: {interval: 10m, alert_after: 5m}\n") ==
      Lines{"7:36: warning: alert_after 300s is not longer than interval 600s: every pass will be "
            "late"});
}

TEST_CASE("every sample in etc/gluster-sync is without errors and warnings", "[sync]") {
  int samples = 0;
  for (const auto& entry : std::filesystem::directory_iterator{HA_SOURCE_DIR "/etc/gluster-sync"}) {
    if (entry.path().extension() != ".yaml") continue;
    INFO(entry.path());
    const Loaded loaded = load_file(entry.path(), Locality::kGlusterOnly);
    for (const auto& diagnostic : loaded.diagnostics) FAIL_CHECK(to_string(diagnostic));
    CHECK(loaded.config.has_value());
    ++samples;
  }
  CHECK(samples >= 2);
}
