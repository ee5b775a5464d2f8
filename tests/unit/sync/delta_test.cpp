#include "sync/delta.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

namespace {

Entry file(std::string content) {
  Entry entry;
  entry.mode = 0644;
  entry.size_bytes = content.size();
  entry.mtime_ns = 1;
  entry.digest = digest_of(content);
  return entry;
}

Entry directory(std::uint32_t mode = 0755) {
  Entry entry;
  entry.kind = Kind::kDirectory;
  entry.mode = mode;
  return entry;
}

std::vector<std::string> described(const std::vector<Move>& moves) {
  std::vector<std::string> lines;
  for (const Move& move : moves) {
    const char* const verb = move.kind == Move::Kind::kAside ? "aside "
                             : move.kind == Move::Kind::kIn  ? "in "
                                                             : "attributes ";
    lines.push_back(verb + move.path);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a replaced file goes aside before the new one comes in", "[sync]") {
  const Manifest before{{"a", file("1")}, {"b", file("1")}};
  const Manifest after{{"a", file("2")}, {"b", file("2")}};
  CHECK(described(moves_for(difference(before, after))) ==
        Lines{"aside a", "aside b", "in a", "in b"});
}

TEST_CASE("a directory comes and goes as a whole", "[sync]") {
  const Manifest before{{"old", directory()}, {"old/x", file("1")}, {"old/y", directory()}};
  const Manifest after{{"new", directory()}, {"new/x", file("1")}, {"new/y", directory()}};
  CHECK(described(moves_for(difference(before, after))) == Lines{"aside old", "in new"});
}

TEST_CASE("a name that only starts like a directory that goes is not covered by it", "[sync]") {
  const Manifest before{{"a", directory()}, {"a/x", file("1")}, {"a-b", file("1")}};
  CHECK(described(moves_for(difference(before, {}))) == Lines{"aside a", "aside a-b"});
}

TEST_CASE("a file becomes a directory, and a directory a file", "[sync]") {
  const Manifest before{{"a", file("1")}, {"b", directory()}, {"b/x", file("1")}};
  const Manifest after{{"a", directory()}, {"a/x", file("1")}, {"b", file("1")}};
  CHECK(described(moves_for(difference(before, after))) ==
        Lines{"aside a", "aside b", "in a", "in b"});
}

TEST_CASE("a directory whose mode changes stays where it is", "[sync]") {
  const Manifest before{{"a", directory(0755)}, {"a/x", file("1")}};
  const Manifest after{{"a", directory(0700)}, {"a/x", file("1")}};
  const Delta delta = difference(before, after);
  CHECK(described(moves_for(delta)) == Lines{"attributes a"});
  CHECK(delta.front().before.mode == 0755);
}

TEST_CASE("a stamp alone makes a file count as changed, not a directory", "[sync]") {
  Manifest before{{"a", file("1")}, {"d", directory()}};
  Manifest after = before;
  for (auto& [path, entry] : before) entry.stamp = {1, 100};
  for (auto& [path, entry] : after) entry.stamp = {1, 200};
  const Delta delta = difference(before, after);
  REQUIRE(delta.size() == 1);
  CHECK(delta.front().path == "a");
}

TEST_CASE("the root is never created or removed, only changed", "[sync]") {
  const Manifest some{{".", directory()}};
  CHECK(described(moves_for(difference({}, some))) == Lines{"attributes ."});
  CHECK(difference(some, {}).empty());
}

TEST_CASE("all names of a file are copied together", "[sync]") {
  Manifest before{{"a", file("1")}, {"b", file("1")}, {"c", file("1")}};
  Manifest after{{"a", file("2")}, {"b", file("1")}, {"c", file("1")}};
  for (auto* manifest : {&before, &after}) {
    (*manifest)["a"].stamp = (*manifest)["b"].stamp = {7, 1};
    (*manifest)["c"].stamp = {8, 1};
  }
  CHECK(paths_to_copy(with_other_names(difference(before, after), after)) == Lines{"a", "b"});
}

TEST_CASE("applying a difference gives the other state, also by way of its text", "[sync]") {
  Manifest before{{"a", file("1")}, {"b", directory()}, {"b/x", file("1")}, {"c", file("1")}};
  Manifest after{
      {"a", file("2")}, {"b", directory(0700)}, {"c", directory()}, {"c/x\ty\n", file("")}};
  Entry link;
  link.kind = Kind::kSymlink;
  link.mode = 0777;
  link.link = "some\twhere\\";
  after["link"] = link;
  const auto read_back = parse_delta(to_text(difference(before, after)));
  REQUIRE(read_back);
  CHECK(*read_back == difference(before, after));
  apply(*read_back, before);
  CHECK(digest_of(before) == digest_of(after));
}

TEST_CASE("a text that was cut is no delta", "[sync]") {
  const std::string text = to_text(difference({}, {{"a", file("1")}, {"b", file("2")}}));
  for (std::size_t size = 0; size < text.size(); ++size) {
    CHECK_FALSE(parse_delta(std::string_view{text}.substr(0, size)));
  }
}

TEST_CASE("what is copied is divided into shares of about the same size", "[sync]") {
  Manifest now{{"top", directory()}, {"top.txt", file("")}};
  for (int job = 100; job < 140; ++job) {
    const std::string path = "top/job" + std::to_string(job);
    now[path] = directory();
    for (int number = 0; number < 100; ++number)
      now[path + "/" + std::to_string(number)] = file("");
  }
  const Delta delta = difference({}, now);
  const auto shares = shares_of(delta, 2);
  REQUIRE(shares.size() == 2);
  // Every top of a share with all below it: together all but the directory that was divided.
  CHECK(shares[0].size() == 21);
  CHECK(shares[0].front() == "top/job100");
  CHECK(shares[0].back() == "top/job120");
  CHECK(shares[1].size() == 20);
  CHECK(shares[1].back() == "top.txt");
  CHECK(shares_of(delta, 1) == std::vector<Lines>{{"top", "top.txt"}});
}

TEST_CASE("what is not worth dividing or cannot be divided is one share", "[sync]") {
  Manifest now{{"top", directory()}};
  for (int number = 0; number < 900; ++number) now["top/" + std::to_string(number)] = file("");
  CHECK(shares_of(difference({}, now), 2) == std::vector<Lines>{{"top"}});
  for (int number = 900; number < 1100; ++number) now["top/" + std::to_string(number)] = file("");
  CHECK(shares_of(difference({}, now), 2).size() == 2);
  // Its owner may not write in it: who is done with it first would keep the other one out.
  now["top"].mode = 0555;
  CHECK(shares_of(difference({}, now), 2) == std::vector<Lines>{{"top"}});
}

TEST_CASE("only what is copied counts for the shares", "[sync]") {
  Manifest before{{"old", directory()}};
  for (int number = 0; number < 2000; ++number) before["old/" + std::to_string(number)] = file("");
  const Manifest now{{"old", file("a file now")}, {"other", file("")}};
  CHECK(shares_of(difference(before, now), 2) == std::vector<Lines>{{"old", "other"}});
  CHECK(shares_of({}, 2) == std::vector<Lines>{{}});
}
