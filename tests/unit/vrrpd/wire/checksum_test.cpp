#include "vrrpd/wire/checksum.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

namespace ha::vrrp {
namespace {

using boost::asio::ip::make_address;
using ha::test::from_hex;

TEST_CASE("the worked example of RFC 1071 section 3 gives its sum", "[rfc1071-3]") {
  CHECK(word_sum(from_hex("0001 f203 f4f5 f6f7")) == 0x2ddf0);
  CHECK(fold(0x2ddf0) == 0xddf2);
  CHECK(checksum_of(0x2ddf0) == 0x220d);
}

TEST_CASE("an odd last byte is the high half of a word", "[rfc1071-4.1]") {
  CHECK(word_sum(from_hex("0001 f2")) == 0xf201);
  CHECK(word_sum(from_hex("")) == 0);
}

TEST_CASE("folding carries until sixteen bits are left") {
  CHECK(fold(0xffff) == 0xffff);
  CHECK(fold(0x10000) == 1);
  CHECK(fold(0x1fffe) == 0xffff);
  CHECK(fold(0xffff'ffff'ffff'ffff) == 0xffff);
}

TEST_CASE("data that includes its checksum sums to ffff") {
  const std::uint64_t data = word_sum(from_hex("3136 6e01 0064"));
  CHECK(fold(data + checksum_of(data)) == 0xffff);
}

TEST_CASE("the pseudo-header covers addresses, protocol and length", "[rfc8200-8.1]") {
  SECTION("IPv4") {
    const auto by_hand = word_sum(from_hex("c0000201 e0000012 00 70 000c"));
    CHECK(pseudo_header_sum(make_address("192.0.2.1"), make_address("224.0.0.18"), 112, 12) ==
          by_hand);
  }
  SECTION("IPv6") {
    const auto by_hand =
        word_sum(from_hex("fe800000000000000000000000000001 ff020000000000000000000000000012"
                          "00000028 000000 70"));
    CHECK(pseudo_header_sum(make_address("fe80::1"), make_address("ff02::12"), 112, 40) == by_hand);
  }
  SECTION("a length of more than sixteen bits") {
    const auto by_hand =
        word_sum(from_hex("fe800000000000000000000000000001 ff020000000000000000000000000012"
                          "00012345 000000 70"));
    CHECK(pseudo_header_sum(make_address("fe80::1"), make_address("ff02::12"), 112, 0x12345) ==
          by_hand);
  }
}

}  // namespace
}  // namespace ha::vrrp
