#include "sync/copy_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/files.hpp"
#include "sync/scan.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace ha::sync;

namespace {

using Lines = std::vector<std::string>;

const Digest kOtherSum(32, '0');

/// A source with a few files, scanned, all of which are to be copied.
struct Source {
  Source() {
    REQUIRE(make_directories(join(root, "d")));
    for (const char* const name : {"a", "b", "d/c"}) {
      REQUIRE(write_file(join(root, name), name));
    }
    REQUIRE(symlink("a", join(root, "link").c_str()) == 0);
    now = scan_tree(root, {})->manifest;
  }

  [[nodiscard]] CopyCheck check() { return {root, difference({}, now), now}; }

  ha::test::TemporaryDirectory directory;
  std::string root = directory / "source";
  Manifest now;
};

CopiedLine file(const std::string& path, const Digest& sum = {}) {
  return {path, path.size(), false, sum};
}

/// rsync has copied everything.
void all_copied(CopyCheck& check) {
  for (const char* const path : {"a", "b", "d/c"}) check.copied(file(path));
  check.copied({"d", 0, true, {}});
  check.copied({"link", 1, false, {}});
}

}  // namespace

TEST_CASE("what rsync has copied as it was scanned gets its digest and no doubt", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  all_copied(check);
  CHECK(check.doubtful().empty());
  CHECK(check.strays().empty());
  CHECK(source.now["a"].digest == digest_of(std::string_view{"a"}));
  CHECK(source.now["d/c"].digest == digest_of(std::string_view{"d/c"}));
}

TEST_CASE("a copy that rsync does not name is in doubt", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  check.copied(file("b"));
  CHECK(check.doubtful() == Lines{"a", "d", "d/c", "link"});
}

TEST_CASE("what has changed since the scan is in doubt, whatever it looks like", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  SECTION("rewritten with its old size and time") {
    struct stat before {};
    REQUIRE(stat((source.root + "/b").c_str(), &before) == 0);
    REQUIRE(write_file(source.root + "/b", "B"));
    const timespec times[] = {before.st_atim, before.st_mtim};
    REQUIRE(utimensat(AT_FDCWD, (source.root + "/b").c_str(), times, 0) == 0);
  }
  SECTION("its mode") { REQUIRE(chmod((source.root + "/b").c_str(), 0400) == 0); }
  SECTION("removed") { REQUIRE(unlink((source.root + "/b").c_str()) == 0); }
  all_copied(check);
  CHECK(check.doubtful() == Lines{"b"});
}

TEST_CASE("a file that is shorter than its stamp says is being truncated", "[sync]") {
  Source source;
  source.now["b"].size_bytes = 2;
  CopyCheck check = source.check();
  all_copied(check);
  CHECK(check.doubtful() == Lines{"b"});
}

TEST_CASE("a directory that became something else is in doubt", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  for (const char* const path : {"a", "b", "d/c"}) check.copied(file(path));
  check.copied({"d", 3, false, {}});
  check.copied({"link", 1, false, {}});
  CHECK(check.doubtful() == Lines{"d"});
}

TEST_CASE("what rsync sends once more was looked at too early", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  all_copied(check);
  check.copied(file("b"));
  CHECK(check.doubtful() == Lines{"b"});
}

TEST_CASE("what no scan has seen is a stray, and what is not asked for is not", "[sync]") {
  Source source;
  Manifest before = source.now;
  before.erase("d/c");
  CopyCheck check{source.root, difference(before, source.now), source.now};
  check.copied({std::string{kRoot}, 0, true, {}});
  check.copied({"d", 0, true, {}});
  check.copied(file("d/new"));
  check.copied(file("d/c"));
  CHECK(check.strays() == Lines{"d/new"});
  CHECK(check.doubtful().empty());
}

TEST_CASE("rsync's sums are taken for digests once one of them was", "[sync]") {
  Source source;
  CopyCheck check = source.check();
  SECTION("never, if they are of another kind") {
    for (const char* const path : {"a", "b", "d/c"}) check.copied(file(path, kOtherSum));
    CHECK(source.now["d/c"].digest == digest_of(std::string_view{"d/c"}));
  }
  SECTION("then the files are not read any more") {
    check.copied(file("a", digest_of(std::string_view{"a"})));
    check.copied(file("b"));  // as another name of a file is
    check.copied(file("d/c", kOtherSum));
    CHECK(source.now["b"].digest == digest_of(std::string_view{"b"}));
    CHECK(source.now["d/c"].digest == kOtherSum);
  }
}
