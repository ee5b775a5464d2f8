#include "sync/manifest.hpp"

#include "sync/records.hpp"
#include "tests/support/catch.hpp"

using namespace ha::sync;

TEST_CASE("paths that lead out of a tree, or into our own part of it, are no paths", "[sync]") {
  for (const char* const path : {"", "/etc", "..", "a/../b", "a//b", "a/", "./a", "a/.",
                                 ".gluster-sync", ".gluster-sync/head"}) {
    INFO(path);
    CHECK_FALSE(is_acceptable_path(path));
  }
  for (const char* const path : {".", "a", "a/b", "..a", "a/.gluster-sync", "\xff\n"}) {
    INFO(path);
    CHECK(is_acceptable_path(path));
  }
}

TEST_CASE("a manifest survives being written and read, with and without stamps", "[sync]") {
  Entry file{Kind::kFile, 04755, 1000, 4294967295U, 1ULL << 40U, -5, digest_of("x"), "", {9, 8}};
  Entry link{Kind::kSymlink, 0777, 0, 0, 0, 0, "", "-", {}};
  const Manifest manifest{{"a", file}, {"b\x01\\", link}};
  const auto with = parse_manifest(to_text(manifest, Stamps::kWith));
  REQUIRE(with);
  CHECK(to_text(*with, Stamps::kWith) == to_text(manifest, Stamps::kWith));
  CHECK(with->at("a").stamp == Stamp{9, 8});
  CHECK(parse_manifest(to_text(manifest, Stamps::kWithout))->at("a").stamp == Stamp{});
}

TEST_CASE("a manifest that was cut anywhere is recognised", "[sync]") {
  const std::string text = to_text({{"a", Entry{}}, {"b", Entry{}}}, Stamps::kWithout);
  REQUIRE(parse_manifest(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(parse_manifest(std::string_view{text}.substr(0, size)));
  }
}

TEST_CASE("the digest of a manifest does not depend on this machine's stamps", "[sync]") {
  Entry entry;
  Entry stamped = entry;
  stamped.stamp = {1, 2};
  CHECK(digest_of(Manifest{{"a", entry}}) == digest_of(Manifest{{"a", stamped}}));
  stamped.mode = 1;
  CHECK(digest_of(Manifest{{"a", entry}}) != digest_of(Manifest{{"a", stamped}}));
}

TEST_CASE("a digest that is not known differs from nothing", "[sync]") {
  Entry known;
  known.digest = digest_of("x");
  Entry other = known;
  other.digest = digest_of("y");
  CHECK(known.same_as(Entry{}));
  CHECK_FALSE(known.same_as(other));
}

TEST_CASE("records survive being written and read", "[sync]") {
  const Head head{{12, 3}, "vm 1\n", -1, 5, digest_of("m"), 0, {7, 8}};
  CHECK(parse_head(to_text(head)).value() == head);
  const Claim claim{3, "token", "vm1", 99, "because\\"};
  CHECK(parse_claim(to_text(claim)).value() == claim);
  const Pulse pulse{{12, 3}, 4, 5, 6};
  CHECK(parse_pulse(to_text(pulse)).value() == pulse);
  const Base base{{12, 3}, "d", "id"};
  const std::string text = to_text(base) + "rest";
  std::string_view rest = text;
  CHECK(parse_base(rest).value() == base);
  CHECK(rest == "rest");
}

TEST_CASE("a record that is cut, of another kind or without a value is refused", "[sync]") {
  const std::string text = to_text(Claim{3, "token", "vm1", 99, "why"});
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(parse_claim(std::string_view{text}.substr(0, size)));
  }
  CHECK(parse_head(text).error() == "is no head of this version");
  CHECK(parse_claim("gluster-sync claim 1\nepoch x\nend\n").error() == "has no reason");
}

TEST_CASE("the name of a stage says which one it is", "[sync]") {
  CHECK(name_of({12, 3}) == "12.3");
  CHECK(parse_version("12.3").value() == Version{12, 3});
  for (const char* const name : {"", "12", "12.", ".3", "012.3", "12.3.4", "12.-3", "1e1.1"}) {
    INFO(name);
    CHECK_FALSE(parse_version(name));
  }
}
