#include "haproxy_probe/cli/settings.hpp"

#include "tests/support/catch.hpp"

using namespace ha::probe;
using namespace ha::probe::cli;
using namespace std::chrono_literals;

namespace {

using Problems = std::vector<std::string>;

const SettingsFile kNone;

}  // namespace

TEST_CASE("without a file and without options everything has the daemon's defaults") {
  CHECK(settings_of(kNone, {}, {}) == ProbeConfig{});
}

TEST_CASE("each option is a key of the section, and overrides the file's") {
  const SettingsFile file{"vrrpd.yaml",
                          "node: x\nhaproxy:\n  threshold: 60%\n  quorum: 3\n  servers: all\n"};
  const auto settings =
      settings_of(file, {{"threshold", "70%"}, {"grace", "5s"}, {"match", ".*-vm1"}}, {});
  ProbeConfig expected;
  expected.threshold = 70;
  expected.quorum = 3;
  expected.grace = 5s;
  expected.scope = ServerScope::kMatch;
  expected.server_match = ".*-vm1";
  REQUIRE(settings);
  CHECK(*settings == expected);
}

TEST_CASE("a wrong option is named as one, a wrong key with its place in the file") {
  const auto options = settings_of(kNone, {{"threshold", "50"}, {"grace", "5"}}, {});
  REQUIRE_FALSE(options);
  CHECK(options.error() ==
        Problems{"haproxy-probe: threshold 50 is not a percentage such as 50%",
                 "haproxy-probe: grace 5 has no unit: ms, s, m or h (range 0s-24h)"});
  const auto file = settings_of({"f.yaml", "haproxy: {quorm: 2}\n"}, {}, {});
  REQUIRE_FALSE(file);
  CHECK(file.error() ==
        Problems{"f.yaml:1:11: error: unknown key 'quorm'; did you mean 'quorum'?"});
}

TEST_CASE("a file without the section is a file of defaults, and one that is no YAML is refused") {
  CHECK(settings_of({"f.yaml", "node: x\n"}, {}, {}) == ProbeConfig{});
  CHECK_FALSE(settings_of({"f.yaml", "a: [\n"}, {}, {}));
}
