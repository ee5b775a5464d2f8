#include "vrrpd/wire/advert.hpp"

#include "sample.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using ha::test::from_hex;
using ha::test::to_hex;
using test::ip;
using test::ips;

std::string encoded(const Advert& advert, ChecksumForm form = ChecksumForm::kPseudoHeader) {
  const bool v4 = advert.addresses.empty() || advert.addresses.front().is_v4();
  return to_hex(v4 ? encode(advert, ip("192.0.2.1"), ip("224.0.0.18"), form)
                   : encode(advert, ip("fe80::1"), ip("ff02::12"), form));
}

// The expected bytes were built with scapy 2.5.

TEST_CASE("version 2 with a password is type 1 with eight bytes behind the addresses",
          "[rfc3768-5.1][rfc2338-5.3.10]") {
  const Advert advert{Version::k2,
                      Vrid{51},
                      Priority{110},
                      1s,
                      ips({"192.0.2.100", "192.0.2.101"}),
                      make_password("s3cret")};
  CHECK(encoded(advert) == "21336e020101aee4c0000264c00002657333637265740000");
}

TEST_CASE("version 2 without a password still has eight zero bytes", "[rfc3768-5.3.10]") {
  const Advert advert{Version::k2, Vrid{1}, Priority{255}, 255s, ips({"192.0.2.100"}), {}};
  CHECK(encoded(advert) == "2101ff0100ff1c99c00002640000000000000000");
}

TEST_CASE("version 2 has no pseudo-header in either form", "[rfc3768-5.3.8]") {
  const Advert advert{Version::k2, Vrid{1}, Priority{100}, 1s, ips({"192.0.2.100"}), {}};
  CHECK(encoded(advert, ChecksumForm::kMessageOnly) ==
        encoded(advert, ChecksumForm::kPseudoHeader));
}

TEST_CASE("version 3 over IPv4 has the checksum that was asked for", "[rfc9568-5.2.8]") {
  const Advert advert{Version::k3, Vrid{51}, Priority{110}, 1s, ips({"192.0.2.100", "192.0.2.101"}),
                      {}};
  CHECK(encoded(advert, ChecksumForm::kPseudoHeader) == "31336e0200643907c0000264c0000265");
  CHECK(encoded(advert, ChecksumForm::kMessageOnly) == "31336e020064db9bc0000264c0000265");
}

TEST_CASE("the longest interval leaves the Reserve bits zero", "[rfc9568-5.2.6]") {
  const Advert advert{Version::k3, Vrid{255}, Priority{0}, 40950ms, ips({"192.0.2.100"}), {}};
  CHECK(encoded(advert) == "31ff00010fff590bc0000264");
}

TEST_CASE("version 3 over IPv6 keeps the order of its addresses", "[rfc9568-5.2.9]") {
  const Advert advert{Version::k3, Vrid{51}, Priority{110}, 10ms, ips({"fe80::51", "2001:db8::51"}),
                      {}};
  const std::string expected =
      "31336e02000135befe80000000000000000000000000005120010db8000000000000000000000051";
  CHECK(encoded(advert, ChecksumForm::kPseudoHeader) == expected);
  CHECK(encoded(advert, ChecksumForm::kMessageOnly) == expected);
}

TEST_CASE("the checksum of version 3 is that of the real destination", "[rfc9568-5.2.8]") {
  const Advert advert{Version::k3, Vrid{51}, Priority{110}, 1s, ips({"192.0.2.100"}), {}};
  const auto form = ChecksumForm::kPseudoHeader;
  CHECK(encode(advert, ip("192.0.2.1"), ip("192.0.2.2"), form) !=
        encode(advert, ip("192.0.2.1"), ip("224.0.0.18"), form));
}

TEST_CASE("the largest advertisement has 255 IPv6 addresses") {
  Advert advert{Version::k3, Vrid{1}, Priority{1}, 1s, {}, {}};
  advert.addresses.assign(255, ip("2001:db8::1"));
  CHECK(encode(advert, ip("fe80::1"), ip("ff02::12"), ChecksumForm::kPseudoHeader).size() ==
        kAdvertSizeMax);
}

TEST_CASE("a password is its first eight bytes, zero-filled", "[rfc2338-5.3.10]") {
  CHECK(make_password("") == Password{});
  CHECK(make_password("ab") == Password{'a', 'b', 0, 0, 0, 0, 0, 0});
  CHECK(make_password("abcdefgh") == Password{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'});
  CHECK(make_password("abcdefghi") == make_password("abcdefgh"));
  CHECK(make_password("\xe9").front() == 0xe9);
}

}  // namespace
}  // namespace ha::vrrp
