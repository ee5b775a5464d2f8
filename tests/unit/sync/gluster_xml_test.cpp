#include "sync/gluster_xml.hpp"

#include <fstream>
#include <iterator>

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

/// What a real gluster 10.3 said; the fuzzer starts from the same files.
std::string sample(const std::string& name) {
  std::ifstream file{HA_SOURCE_DIR "/tests/fuzz/corpus/sync_answers/" + name};
  REQUIRE(file.is_open());
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

TEST_CASE("a healthy volume has nothing to heal", "[sync]") {
  CHECK(parse_heal_summary(sample("healthy-volume_heal_gv0_info_summary.xml")) == HealCounts{0, 0});
  CHECK(parse_bricks(sample("healthy-volume_status_gv0.xml")) == UpCount{2, 2});
  CHECK(parse_peers(sample("healthy-peer_status.xml")) == UpCount{1, 1});
}

TEST_CASE("a counter that a dead brick does not give is unknown", "[sync]") {
  CHECK(parse_heal_summary(sample("brickdown-volume_heal_gv0_info_summary.xml")) ==
        HealCounts{std::nullopt, std::nullopt});
  CHECK(parse_bricks(sample("brickdown-volume_status_gv0.xml")) == UpCount{1, 2});
}

TEST_CASE("an entry in split-brain counts once, however many bricks name it", "[sync]") {
  CHECK(parse_heal_summary(sample("splitbrain-volume_heal_gv0_info_summary.xml")) ==
        HealCounts{0, 1});
}

TEST_CASE("an answer that is no XML, or a refusal, says nothing about a volume", "[sync]") {
  CHECK_FALSE(parse_heal_summary(sample("no-xml")));
  CHECK(parse_bricks("<cliOutput><opRet>-1</opRet><opErrstr>Volume gv1 does not exist</opErrstr>"
                     "</cliOutput>")
            .error() == "says that it failed: Volume gv1 does not exist");
  CHECK(parse_peers("<other/>").error() == "has no <cliOutput>");
  CHECK(parse_heal_summary("<cliOutput><opRet>0</opRet></cliOutput>") == HealCounts{});
}

TEST_CASE("a volume's replicas and arbiters are told apart", "[sync]") {
  CHECK(parse_replicas(sample("healthy-volume_info_gv0.xml")) == Replicas{2, 0});
  CHECK_FALSE(parse_replicas(sample("healthy-volume_status_gv0.xml")));
}

TEST_CASE("what is wrong with a volume is said in words", "[sync]") {
  ClusterView view;
  CHECK(what_is_wrong(view).empty());
  view = {{0, 0}, UpCount{3, 3}, UpCount{2, 2}, ""};
  CHECK(what_is_wrong(view).empty());
  view = {{5, 2}, UpCount{1, 3}, UpCount{1, 2}, ""};
  CHECK(what_is_wrong(view) ==
        "2 of 3 bricks are not online, 1 of 2 peers are not connected, 2 entries are in "
        "split-brain");
}
