#include "sync/rsync.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

const std::string kNoSum(32, ' ');
const std::string kSum = "cb37cf7d3dc9c220445d97a63999098f";

std::string escaped_path(const std::string& path) {
  const auto copied = parse_copied("3 " + kNoSum + "/" + path);
  return copied ? copied->path : "nothing";
}

}  // namespace

TEST_CASE("rsync's line about a file names its path, its size and its sum") {
  CHECK(parse_copied("42 " + kSum + "/jobs/a/config.xml") ==
        CopiedLine{"jobs/a/config.xml", 42, false, kSum});
  CHECK(parse_copied("0 " + kNoSum + "/ leading and trailing ") ==
        CopiedLine{" leading and trailing ", 0, false, {}});
}

TEST_CASE("a sum that is no digest is left out") {
  CHECK(parse_copied("42 /a") == CopiedLine{"a", 42, false, {}});
  CHECK(parse_copied("42 " + kSum.substr(16) + "/a") == CopiedLine{"a", 42, false, {}});
}

TEST_CASE("a directory has no size, and no slash at its end") {
  CHECK(parse_copied("4096 " + kNoSum + "/jobs/a/") == CopiedLine{"jobs/a", 0, true, {}});
}

TEST_CASE("what rsync has escaped in a path is as it was") {
  CHECK(escaped_path(R"(d\#303\#251j\#303\#240)") == "d\xc3\xa9j\xc3\xa0");
  CHECK(escaped_path(R"(odd\#011na\me\#012)") == "odd\tna\\me\n");
  CHECK(escaped_path(R"(\#134#011)") == "\\#011");
  CHECK(escaped_path(R"(\#01)") == "\\#01");
  CHECK(escaped_path(R"(\#999)") == "\\#999");
}

TEST_CASE("other lines name nothing") {
  for (const char* const line :
       {"", "3", "3 ", "3 /", "3 //", "3 file", "3 sum/file", "skipping non-regular file \"pipe\"",
        "-3 /file", "99999999999999999999999 /file"}) {
    INFO(line);
    CHECK(!parse_copied(line));
  }
}
