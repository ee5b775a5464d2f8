#include "vrrpd/ctl/pcapng.hpp"

#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/support/catch.hpp"

namespace ha::ctl {
namespace {

std::uint32_t word(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.substr(at, 4).data(), 4);
  return value;
}

/// The types of the blocks, whose lengths have to be whole, equal at both ends and right.
std::vector<std::uint32_t> block_types(std::string_view bytes) {
  std::vector<std::uint32_t> types;
  while (!bytes.empty()) {
    REQUIRE(bytes.size() >= 12);
    const std::uint32_t size = word(bytes, 4);
    REQUIRE(size % 4 == 0);
    REQUIRE(size >= 12);
    REQUIRE(size <= bytes.size());
    REQUIRE(word(bytes, size - 4) == size);
    types.push_back(word(bytes, 0));
    bytes.remove_prefix(size);
  }
  return types;
}

std::string answer(const std::string& records) {
  return R"({"ok": true, "last": 4, "records": [)" + records + "]}";
}

const std::string kPacket =
    R"({"number": 1, "time-ns": 1767780900123456789, "interface": "eth0", "index": 2,
        "direction": "in", "protocol": 2048, "comment": "VI_MAIN: accepted", "data": "4500001"})";

}  // namespace

TEST_CASE("a capture begins with a section, and each interface is told once", "[ctl]") {
  PcapngWriter writer;
  CHECK(block_types(writer.begin()) == std::vector<std::uint32_t>{0x0a0d0d0a});
  const PcapngWriter::Part part = writer.add(
      answer(kPacket + R"(, {"number": 2, "time-ns": 5, "decision": "because"}, )" + kPacket));
  CHECK(block_types(part.output.out) == std::vector<std::uint32_t>{1, 6, 9, 6});
  CHECK(part.last == "4");
  CHECK(part.more);
  CHECK(block_types(writer.add(answer(kPacket)).output.out) == std::vector<std::uint32_t>{6});
}

TEST_CASE("an answer without records is the end of a capture", "[ctl]") {
  PcapngWriter writer;
  const PcapngWriter::Part part = writer.add(answer(""));
  CHECK(part.output.out.empty());
  CHECK_FALSE(part.more);
  CHECK(part.last == "4");
}

TEST_CASE("whatever a record holds, the blocks are whole", "[ctl]") {
  const char* const records[] = {
      "5",
      "{}",
      "[]",
      R"({"data": "zz", "comment": 5, "interface": null, "time-ns": -1})",
      R"({"decision": "a\nMESSAGE=b\n\n"})",
      R"({"source-mac": "0102", "data": "00", "protocol": 1e99, "index": "x"})"};
  for (const char* record : records) {
    PcapngWriter writer;
    CHECK_FALSE(block_types(writer.add(answer(record)).output.out).empty());
  }
  PcapngWriter writer;
  const std::string long_text(100'000, 'x');
  CHECK(block_types(
            writer
                .add(answer(R"({"decision": ")" + long_text + R"("}, {"comment": ")" + long_text +
                            R"(", "data": ")" + std::string(300'000, '0') + R"("})"))
                .output.out)
            .size() == 3);
}

TEST_CASE("a refused capture is no capture", "[ctl]") {
  PcapngWriter writer;
  const PcapngWriter::Part part = writer.add(R"({"ok": false, "error": "no"})");
  CHECK(part.output.exit_code == kRefused);
  CHECK(part.output.out.empty());
}

}  // namespace ha::ctl
