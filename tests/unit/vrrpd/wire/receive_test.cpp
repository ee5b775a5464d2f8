#include "vrrpd/wire/receive.hpp"

#include <algorithm>
#include <set>
#include <string>

#include "sample.hpp"
#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;
using test::ip;
using test::ips;
using test::ipv6_sample;
using test::reason;
using test::Sample;
using test::unicast_sample;
using test::v2_sample;
using test::v3_sample;

TEST_CASE("a well-formed advertisement is accepted as it was sent") {
  const Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample(), unicast_sample());
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->advert == sample.advert);
  CHECK_FALSE(result->addresses_differ);
  CHECK_FALSE(result->interval_differs);
}

TEST_CASE("priority 0 and 255 are priorities like the others", "[rfc9568-5.2.4][eid8298]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  const Priority priority = GENERATE(kPriorityRelease, kPriorityOwner);
  sample.advert.priority = priority;
  sample.encode_again();
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->advert.priority == priority);
}

// Destination and source.

TEST_CASE("a router in multicast mode hears its group only") {
  Sample sample = v3_sample();
  SECTION("its own address") { sample.destination = ip("192.0.2.2"); }
  SECTION("another group") { sample.destination = ip("224.0.0.1"); }
  SECTION("a broadcast") { sample.destination = ip("255.255.255.255"); }
  SECTION("the group of the other family") { sample.destination = ip("ff02::12"); }
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kMode);
}

TEST_CASE("another group may be configured") {
  Sample sample = v3_sample();
  sample.destination = sample.policy.multicast_group = ip("239.1.2.3");
  sample.repair_checksum();
  CHECK(sample.received());
}

TEST_CASE("a router in unicast mode hears no group") {
  Sample sample = unicast_sample();
  SECTION("the VRRP group") { sample.destination = ip("224.0.0.18"); }
  SECTION("the IPv6 group") { sample.destination = ip("ff02::12"); }
  SECTION("a broadcast") { sample.destination = ip("255.255.255.255"); }
  SECTION("a destination that is not known") { sample.destination = ip("::"); }
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kMode);
}

TEST_CASE("only listed peers may speak in unicast mode") {
  Sample sample = unicast_sample();
  sample.source = ip("192.0.2.3");
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kSource);
}

TEST_CASE("unicast over IPv6 does not need link-local sources") {
  Sample sample = ipv6_sample();
  sample.source = ip("2001:db8::1");
  sample.destination = sample.policy.local_address = ip("2001:db8::2");
  sample.policy.unicast_peers = ips({"2001:db8::1"});
  sample.repair_checksum();
  CHECK(sample.received());
}

TEST_CASE("no router has an address like this") {
  Sample sample = GENERATE(v3_sample(), unicast_sample());
  const bool known = GENERATE(true, false);
  sample.source =
      ip(GENERATE("0.0.0.0", "127.0.0.1", "127.255.0.1", "224.0.0.5", "::", "::1", "ff02::5"));
  if (!sample.policy.unicast_peers.empty()) sample.policy.unicast_peers = {sample.source};
  sample.repair_checksum();
  CHECK(reason(known ? sample.received() : sample.received_without_policy()) ==
        PacketError::kSource);
}

TEST_CASE("our own advertisements are not a peer's") {
  Sample sample = GENERATE(v3_sample(), ipv6_sample(), unicast_sample());
  sample.policy.local_address = sample.source;
  CHECK(reason(sample.received()) == PacketError::kSource);
}

TEST_CASE("multicast over IPv6 comes from link-local addresses", "[rfc9568-5.1.2.1]") {
  Sample sample = ipv6_sample();
  sample.source = ip("2001:db8::1");
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kSource);
}

// TTL, lengths, version, type.

TEST_CASE("the TTL may not be lower than asked for", "[rfc9568-5.1.1.3][rfc9568-5.1.2.3]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  sample.ttl = 254;
  CHECK(reason(sample.received()) == PacketError::kTtl);
  sample.policy.minimum_ttl = 254;
  CHECK(sample.received());
  sample.ttl = 0;
  CHECK(reason(sample.received()) == PacketError::kTtl);
}

TEST_CASE("a message of another length than it claims is dropped", "[rfc9568-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  SECTION("every shorter one") {
    while (!sample.message.empty()) {
      sample.message.pop_back();
      sample.repair_checksum();
      CHECK(reason(sample.received()) == PacketError::kLength);
    }
  }
  SECTION("one byte more") {
    sample.message.push_back(0);
    sample.repair_checksum();
    CHECK(reason(sample.received()) == PacketError::kLength);
  }
  SECTION("one address more than there are") {
    ++sample.message[3];
    sample.repair_checksum();
    CHECK(reason(sample.received()) == PacketError::kLength);
  }
}

TEST_CASE("version 2 without its authentication data is too short", "[rfc3768-5.3.10]") {
  Sample sample = v2_sample();
  sample.message.resize(sample.message.size() - 8);
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kLength);
}

TEST_CASE("every version but the configured one is dropped", "[rfc9568-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  const int configured = static_cast<int>(sample.policy.version);
  for (int version = 0; version < 16; ++version) {
    if (version == configured) continue;
    sample.message[0] = static_cast<std::uint8_t>(version << 4 | 1);
    sample.repair_checksum();
    CHECK(reason(sample.received()) == PacketError::kVersion);
  }
}

TEST_CASE("version 2 is never accepted over IPv6", "[rfc3768-5.3.1]") {
  Sample sample = ipv6_sample();
  sample.policy.version = Version::k2;
  sample.message[0] = 0x21;
  sample.message.resize(sample.message.size() + 8);
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kVersion);
  CHECK(reason(sample.received_without_policy()) == PacketError::kVersion);
}

TEST_CASE("every type but ADVERTISEMENT is dropped", "[rfc3768-5.3.2][rfc9568-5.2.2]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  for (int type = 0; type < 16; ++type) {
    if (type == 1) continue;
    sample.message[0] = static_cast<std::uint8_t>((sample.message[0] & 0xf0) | type);
    sample.repair_checksum();
    CHECK(reason(sample.received()) == PacketError::kType);
  }
}

// Checksum.

TEST_CASE("both checksum forms of version 3 over IPv4 are accepted and told apart",
          "[rfc9568-5.2.8][rfc5798-5.2.8]") {
  Sample sample = GENERATE(v3_sample(), unicast_sample());
  const ChecksumForm form = GENERATE(ChecksumForm::kPseudoHeader, ChecksumForm::kMessageOnly);
  sample.encode_again(form);
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->form == form);
}

TEST_CASE("version 2 is accepted without a pseudo-header only", "[rfc3768-5.3.8]") {
  Sample sample = v2_sample();
  CHECK(sample.received()->form == ChecksumForm::kMessageOnly);
  const std::uint64_t sum =
      word_sum(sample.message) +
      pseudo_header_sum(sample.source, sample.destination, 112, sample.message.size());
  const std::uint16_t correction = checksum_of(sum);
  // Adding in one's complement what the pseudo-header sums to makes the other form right.
  const std::uint16_t checksum =
      fold(static_cast<std::uint64_t>(sample.message[6] << 8 | sample.message[7]) + correction);
  sample.message[6] = static_cast<std::uint8_t>(checksum >> 8);
  sample.message[7] = static_cast<std::uint8_t>(checksum & 0xff);
  CHECK(reason(sample.received()) == PacketError::kChecksum);
}

TEST_CASE("version 3 over IPv6 is accepted with its pseudo-header only", "[rfc9568-5.2.8]") {
  Sample sample = ipv6_sample();
  CHECK(sample.received()->form == ChecksumForm::kPseudoHeader);
  sample.message[6] = sample.message[7] = 0;
  const std::uint16_t checksum = checksum_of(word_sum(sample.message));
  sample.message[6] = static_cast<std::uint8_t>(checksum >> 8);
  sample.message[7] = static_cast<std::uint8_t>(checksum & 0xff);
  CHECK(reason(sample.received()) == PacketError::kChecksum);
}

TEST_CASE("a checksum of zero and one of ffff are the same in one's complement", "[rfc1071-1]") {
  Sample sample = v3_sample();
  // Puts into the last address what makes the message sum to ffff without a checksum.
  sample.message[6] = sample.message[7] = 0;
  sample.message[14] = sample.message[15] = 0;
  const std::uint16_t rest = checksum_of(word_sum(sample.message));
  sample.message[14] = static_cast<std::uint8_t>(rest >> 8);
  sample.message[15] = static_cast<std::uint8_t>(rest & 0xff);
  CHECK(sample.received()->form == ChecksumForm::kMessageOnly);
  sample.message[6] = sample.message[7] = 0xff;
  CHECK(sample.received()->form == ChecksumForm::kMessageOnly);
}

TEST_CASE("a wrong checksum is dropped", "[rfc9568-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample(), unicast_sample());
  sample.message[7] ^= 0x01;
  CHECK(reason(sample.received()) == PacketError::kChecksum);
}

// VRID and authentication.

TEST_CASE("an unknown virtual router is dropped", "[rfc9568-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample(), unicast_sample());
  CHECK(reason(sample.received_without_policy()) == PacketError::kVrid);
  sample.policy.vrid = Vrid{52};
  CHECK(reason(sample.received()) == PacketError::kVrid);
}

TEST_CASE("the authentication type must be the configured one", "[rfc3768-5.3.6][rfc2338-5.3.6]") {
  Sample sample = v2_sample();
  SECTION("none where a password is configured") { sample.message[4] = 0; }
  SECTION("a password where none is configured") { sample.policy.password.reset(); }
  SECTION("authentication header") { sample.message[4] = 2; }
  SECTION("unknown") { sample.message[4] = 255; }
  SECTION("unknown, and none is configured") {
    sample.message[4] = 3;
    sample.policy.password.reset();
  }
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kAuthType);
}

TEST_CASE("a password is compared over all eight bytes", "[rfc2338-5.3.10]") {
  Sample sample = v2_sample();
  sample.message[sample.message.size() - GENERATE(1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u)] ^= 0x40;
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kAuthentication);
}

TEST_CASE("authentication data without authentication is ignored", "[rfc3768-5.3.10]") {
  Sample sample = v2_sample();
  sample.policy.password.reset();
  sample.message[4] = 0;
  sample.repair_checksum();
  const auto result = sample.received();
  REQUIRE(result);
  CHECK_FALSE(result->advert.password);
}

// Contents.

TEST_CASE("an advertisement without addresses is dropped", "[rfc9568-5.2.5][eid8299]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  sample.advert.addresses.clear();
  sample.encode_again();
  CHECK(reason(sample.received()) == PacketError::kAddressList);
}

TEST_CASE("an interval of zero is dropped", "[eid8301]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  sample.message[5] = 0;
  sample.repair_checksum();
  CHECK(reason(sample.received()) == PacketError::kInterval);
  // Not even where it is what was configured.
  sample.policy.advertisement_interval = 0s;
  CHECK(reason(sample.received()) == PacketError::kInterval);
}

TEST_CASE("another interval is dropped in version 2", "[rfc3768-7.1]") {
  Sample sample = v2_sample();
  sample.policy.advertisement_interval = 2s;
  CHECK(reason(sample.received()) == PacketError::kInterval);
}

TEST_CASE("another interval is told in version 3", "[rfc9568-7.1]") {
  Sample sample = GENERATE(v3_sample(), ipv6_sample());
  sample.policy.advertisement_interval = 990ms;
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->interval_differs);
  CHECK(result->advert.interval == 1s);
}

TEST_CASE("the longest interval is received whole", "[eid8301]") {
  Sample sample = GENERATE(v3_sample(), ipv6_sample());
  sample.advert.interval = 40950ms;
  sample.encode_again();
  CHECK(sample.received()->advert.interval == 40950ms);
}

TEST_CASE("the Reserve bits are ignored", "[rfc9568-5.2.6]") {
  Sample sample = GENERATE(v3_sample(), ipv6_sample());
  sample.message[4] |= 0xf0;
  sample.repair_checksum();
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->advert.interval == 1s);
}

TEST_CASE("the first IPv6 address must be link-local", "[rfc9568-5.2.9][eid8300]") {
  Sample sample = ipv6_sample();
  std::reverse(sample.advert.addresses.begin(), sample.advert.addresses.end());
  sample.encode_again();
  CHECK(reason(sample.received()) == PacketError::kAddressList);
}

TEST_CASE("a pair configured without link-local addresses does without") {
  Sample sample = ipv6_sample();
  sample.advert.addresses = sample.policy.addresses = ips({"2001:db8::51"});
  sample.encode_again();
  const auto result = sample.received();
  REQUIRE(result);
  CHECK_FALSE(result->addresses_differ);
}

TEST_CASE("address lists are compared as sets") {
  Sample sample = v3_sample();
  const auto differ = [&](std::initializer_list<const char*> theirs) {
    sample.advert.addresses = ips(theirs);
    sample.encode_again();
    return sample.received()->addresses_differ;
  };
  CHECK_FALSE(differ({"192.0.2.100", "192.0.2.101"}));
  CHECK_FALSE(differ({"192.0.2.101", "192.0.2.100"}));
  CHECK_FALSE(differ({"192.0.2.101", "192.0.2.100", "192.0.2.101"}));
  CHECK(differ({"192.0.2.100"}));
  CHECK(differ({"192.0.2.100", "192.0.2.100"}));
  CHECK(differ({"192.0.2.100", "192.0.2.102"}));
  CHECK(differ({"192.0.2.99", "192.0.2.100", "192.0.2.101"}));
}

TEST_CASE("an advertisement of 255 addresses is compared to the last", "[rfc9568-5.2.5]") {
  Sample sample = v3_sample();
  sample.policy.addresses.clear();
  for (std::uint32_t i = 1; i <= 255; ++i) {
    sample.policy.addresses.push_back(boost::asio::ip::address_v4{0xc6336400 + i});
  }
  sample.advert.addresses = sample.policy.addresses;
  sample.encode_again();
  CHECK_FALSE(sample.received()->addresses_differ);
  sample.policy.addresses.back() = ip("203.0.113.1");
  CHECK(sample.received()->addresses_differ);
}

TEST_CASE("other addresses are told, not dropped, in both versions", "[rfc3768-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  sample.policy.addresses.pop_back();
  sample.policy.addresses.insert(sample.policy.addresses.begin(),
                                 ip(sample.source.is_v4() ? "192.0.2.7" : "2001:db8::7"));
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->addresses_differ);
  CHECK_FALSE(result->foreign);
}

TEST_CASE("a list without any address of ours is another group's", "[rfc3768-7.1]") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  CHECK_FALSE(sample.received()->foreign);
  sample.policy.addresses = ips({"192.0.2.7", "192.0.2.8", "2001:db8::7", "fe80::7"});
  const auto result = sample.received();
  REQUIRE(result);
  CHECK(result->foreign);
  CHECK(result->addresses_differ);
}

TEST_CASE("a router that advertises no addresses is not another group's") {
  Sample sample = v3_sample();
  sample.policy.addresses.clear();
  CHECK(sample.received()->addresses_differ);
  CHECK_FALSE(sample.received()->foreign);
}

// The rest.

TEST_CASE("the second byte of a message is its virtual router") {
  const std::vector<std::uint8_t> message{0x31, 51};
  CHECK(peek_vrid(message) == Vrid{51});
  CHECK_FALSE(peek_vrid(std::span{message}.first(1)));
  CHECK_FALSE(peek_vrid({}));
}

TEST_CASE("every reason has a counter of its own") {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kPacketErrorCount; ++i) {
    names.insert(std::string{counter_name(static_cast<PacketError>(i))});
  }
  CHECK(names == std::set<std::string>{"peer-source-errors", "mode-mismatch-errors",
                                       "ip-ttl-errors", "packet-length-errors", "version-errors",
                                       "invalid-type-pkts-rcvd", "checksum-errors", "vrid-errors",
                                       "auth-type-mismatches", "auth-failures",
                                       "address-list-errors", "interval-errors"});
}

}  // namespace
}  // namespace ha::vrrp
