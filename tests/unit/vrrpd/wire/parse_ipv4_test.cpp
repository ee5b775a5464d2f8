#include "sample.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {
namespace {

using ha::test::from_hex;
using ha::test::to_hex;
using test::ip;

/// A header of 20 bytes, total length 32, and twelve bytes of VRRP.
std::vector<std::uint8_t> packet() {
  return from_hex(
      "45c00020 00000000 ff700000 c0000201 e0000012"
      "31336e01 00640000 c0000264");
}

TEST_CASE("an IPv4 header gives addresses, TTL and message", "[rfc791-3.1]") {
  const auto bytes = packet();
  const auto datagram = parse_ipv4(bytes);
  REQUIRE(datagram);
  CHECK(datagram->source == ip("192.0.2.1"));
  CHECK(datagram->destination == ip("224.0.0.18"));
  CHECK(datagram->ttl == 255);
  CHECK(to_hex(datagram->message) == "31336e0100640000c0000264");
}

TEST_CASE("IPv4 options are skipped") {
  auto bytes = packet();
  bytes[0] = 0x46;
  bytes[3] = 36;
  bytes.insert(bytes.begin() + 20, {0x94, 0x04, 0x00, 0x00});
  const auto datagram = parse_ipv4(bytes);
  REQUIRE(datagram);
  CHECK(to_hex(datagram->message) == "31336e0100640000c0000264");
}

TEST_CASE("bytes behind the total length are not the message") {
  auto bytes = packet();
  bytes.resize(60);
  const auto datagram = parse_ipv4(bytes);
  REQUIRE(datagram);
  CHECK(datagram->message.size() == 12);
}

TEST_CASE("a header without a message is a datagram with an empty one") {
  auto bytes = packet();
  bytes[3] = 20;
  const auto datagram = parse_ipv4(bytes);
  REQUIRE(datagram);
  CHECK(datagram->message.empty());
}

TEST_CASE("an IPv4 header that is not sane gives nothing") {
  auto bytes = packet();
  SECTION("no bytes at all") { bytes.clear(); }
  SECTION("one byte less than a header") { bytes.resize(19); }
  SECTION("IP version 6") { bytes[0] = 0x65; }
  SECTION("a header of four words") { bytes[0] = 0x44; }
  SECTION("a header longer than the total length") { bytes[0] = 0x49; }
  SECTION("a total length shorter than the header") { bytes[3] = 19; }
  SECTION("a total length of more than was received") { bytes[3] = 33; }
  SECTION("one byte less than the total length") { bytes.pop_back(); }
  SECTION("another protocol") { bytes[9] = 51; }
  SECTION("a fragment with an offset") { bytes[7] = 1; }
  SECTION("a large fragment offset") { bytes[6] = 0x10; }
  SECTION("a fragment that more follow") { bytes[6] = 0x20; }
  CHECK_FALSE(parse_ipv4(bytes));
}

TEST_CASE("the bit that forbids fragments is no fragment") {
  auto bytes = packet();
  bytes[6] = 0x40;
  CHECK(parse_ipv4(bytes));
}

}  // namespace
}  // namespace ha::vrrp
