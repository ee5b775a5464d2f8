#include "sync/rsync.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

TEST_CASE("rsync's line about a file names its path and its size") {
  CHECK(parse_copied("42 jobs/a/config.xml") == CopiedLine{"jobs/a/config.xml", 42});
  CHECK(parse_copied("0  leading and trailing ") == CopiedLine{" leading and trailing ", 0});
}

TEST_CASE("a directory has no size, and no slash at its end") {
  CHECK(parse_copied("4096 jobs/a/") == CopiedLine{"jobs/a", 0});
}

TEST_CASE("what rsync has escaped in a path is as it was") {
  CHECK(parse_copied(R"(3 d\#303\#251j\#303\#240)") == CopiedLine{"d\xc3\xa9j\xc3\xa0", 3});
  CHECK(parse_copied(R"(3 odd\#011na\me\#012)") == CopiedLine{"odd\tna\\me\n", 3});
  CHECK(parse_copied(R"(3 \#134#011)") == CopiedLine{"\\#011", 3});
  CHECK(parse_copied(R"(3 \#01)") == CopiedLine{"\\#01", 3});
  CHECK(parse_copied(R"(3 \#999)") == CopiedLine{"\\#999", 3});
}

TEST_CASE("other lines name nothing") {
  for (const char* const line : {"", "3", "3 ", "3 /", "skipping non-regular file \"pipe\"",
                                 "-3 file", "99999999999999999999999 file"}) {
    INFO(line);
    CHECK(!parse_copied(line));
  }
}
