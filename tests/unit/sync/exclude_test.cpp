#include "sync/exclude.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

bool fits(const char* pattern, const char* path, Leaf leaf = Leaf::kOther) {
  return Exclusions{{pattern}}.fits(path, leaf);
}

}  // namespace

TEST_CASE("a pattern without a slash fits a name anywhere", "[sync]") {
  CHECK(fits("*.log", "a.log"));
  CHECK(fits("*.log", "x/y/a.log"));
  CHECK_FALSE(fits("*.log", "a.log/x"));
  CHECK(fits("a?c", "x/abc"));
  CHECK_FALSE(fits("a?c", "a/c"));
}

TEST_CASE("a pattern that ends in a slash fits directories only", "[sync]") {
  CHECK(fits("workspace/", "jobs/a/workspace", Leaf::kDirectory));
  CHECK_FALSE(fits("workspace/", "jobs/a/workspace"));
}

TEST_CASE("a pattern with a slash inside fits the end of a path, one that starts with it the root",
          "[sync]") {
  CHECK(fits("a/b", "x/a/b"));
  CHECK_FALSE(fits("a/b", "x/ca/b"));
  CHECK_FALSE(fits("/a/b", "x/a/b"));
  CHECK(fits("/a/b", "a/b"));
  CHECK(fits("/a", "a"));
}

TEST_CASE("one star stays inside a name, two do not", "[sync]") {
  CHECK_FALSE(fits("/a/*", "a/b/c"));
  CHECK(fits("/a/**", "a/b/c"));
  CHECK(fits("jobs/*/builds", "jobs/x/builds"));
  CHECK(fits("/jobs/**/archive", "jobs/x/builds/1/archive"));
}

TEST_CASE("sets and escapes", "[sync]") {
  CHECK(fits("[a-c]x", "bx"));
  CHECK_FALSE(fits("[!a-c]x", "bx"));
  CHECK(fits("[]]x", "]x"));
  CHECK(fits("\\*", "*"));
  CHECK_FALSE(fits("\\*", "a"));
  CHECK(fits("[", "["));
}

TEST_CASE("a pattern of many stars takes no time", "[sync]") {
  std::string stars;
  for (int i = 0; i < 50; ++i) stars += "*a";
  CHECK_FALSE(Exclusions{{stars + "b"}}.fits(std::string(4000, 'a'), Leaf::kOther));
}
