#include "vrrpd/runtime/ring.hpp"

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

struct Memory {
  alignas(8) std::array<std::byte, 1024> bytes{};
};

std::vector<std::string> texts(const Ring& ring, std::uint64_t after = 0) {
  std::vector<std::string> found;
  ring.for_each(after, [&](std::uint64_t, std::string_view record) {
    found.emplace_back(record);
    return true;
  });
  return found;
}

}  // namespace

TEST_CASE("a ring gives back what was put in, numbered from the first", "[ring]") {
  Memory memory;
  Ring ring{memory.bytes, 7};
  CHECK(ring.last() == 6);
  CHECK(texts(ring).empty());
  CHECK(ring.append("one") == 7);
  CHECK(ring.append("") == 8);
  CHECK(ring.append("three") == 9);
  CHECK(texts(ring) == std::vector<std::string>{"one", "", "three"});
  CHECK(texts(ring, 8) == std::vector<std::string>{"three"});
  CHECK(texts(ring, 9).empty());
  CHECK(ring.last() == 9);
}

TEST_CASE("a reader of a ring can stop", "[ring]") {
  Memory memory;
  Ring ring{memory.bytes, 1};
  for (const char* text : {"a", "b", "c"}) ring.append(text);
  std::uint64_t seen = 0;
  ring.for_each(0, [&](std::uint64_t number, std::string_view) {
    seen = number;
    return number < 2;
  });
  CHECK(seen == 2);
}

TEST_CASE("the newest records of a ring are whole, whatever their sizes", "[ring]") {
  Memory memory;
  Ring ring{memory.bytes, 1};
  std::mt19937 random{1};
  std::deque<std::string> all;
  for (int i = 0; i < 5000; ++i) {
    const std::size_t size = random() % (ring.record_size_bytes_max() + 1);
    all.emplace_back(size, static_cast<char>('a' + i % 26));
    REQUIRE(ring.append(all.back()) == static_cast<std::uint64_t>(i) + 1);
    const std::vector<std::string> left = texts(ring);
    REQUIRE(left.size() >= 2U - (i == 0 ? 1U : 0U));
    while (all.size() > left.size()) all.pop_front();
    REQUIRE(left == std::vector<std::string>(all.begin(), all.end()));
  }
}

TEST_CASE("a record that is too long for a ring is not kept and disturbs none", "[ring]") {
  Memory memory;
  Ring ring{memory.bytes, 1};
  ring.append("kept");
  CHECK(ring.append(std::string(ring.record_size_bytes_max() + 1, 'x')) == 0);
  CHECK(texts(ring) == std::vector<std::string>{"kept"});
  CHECK(ring.append(std::string(ring.record_size_bytes_max(), 'y')) == 2);
}

TEST_CASE("a ring goes on in memory that another one has left", "[ring]") {
  Memory memory;
  Ring{memory.bytes, 1}.append("from before");
  Ring ring{memory.bytes, 99};
  CHECK(ring.append("from now") == 2);
  CHECK(texts(ring) == std::vector<std::string>{"from before", "from now"});
}

}  // namespace ha::vrrp
