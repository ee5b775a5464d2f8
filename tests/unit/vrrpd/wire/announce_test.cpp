#include "vrrpd/wire/announce.hpp"

#include "sample.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

namespace ha::vrrp {
namespace {

using ha::test::from_hex;
using ha::test::to_hex;
using test::ip;

constexpr MacAddress kMac{0x02, 0x00, 0x00, 0x00, 0x00, 0x01};

TEST_CASE("a gratuitous ARP request names the virtual address twice and nobody's target MAC",
          "[rfc9568-6.4.2]") {
  CHECK(to_hex(gratuitous_arp(kMac, ip("192.0.2.100"), ArpOperation::kRequest)) ==
        to_hex(from_hex("ffffffffffff 020000000001 0806"
                        "0001 0800 06 04 0001"
                        "020000000001 c0000264"
                        "ffffffffffff c0000264")));
}

TEST_CASE("a gratuitous ARP reply has the sender as its target", "[rfc9568-6.4.2]") {
  CHECK(to_hex(gratuitous_arp(kMac, ip("192.0.2.100"), ArpOperation::kReply)) ==
        to_hex(from_hex("ffffffffffff 020000000001 0806"
                        "0001 0800 06 04 0002"
                        "020000000001 c0000264"
                        "020000000001 c0000264")));
}

// The checksum is scapy's.
TEST_CASE("an unsolicited advertisement tells all nodes: router, override, this is the MAC",
          "[rfc4861-4.4][rfc9568-6.4.2]") {
  CHECK(to_hex(unsolicited_advertisement(kMac, ip("2001:db8::51"))) ==
        to_hex(from_hex("333300000001 020000000001 86dd"
                        "60000000 0020 3a ff"
                        "20010db8000000000000000000000051"
                        "ff020000000000000000000000000001"
                        "88 00 788a a0000000"
                        "20010db8000000000000000000000051"
                        "02 01 020000000001")));
}

}  // namespace
}  // namespace ha::vrrp
