#include <functional>
#include <string>
#include <vector>

#include "sample.hpp"
#include "tests/support/catch.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {
namespace {

using test::ip;
using test::ipv6_sample;
using test::reason;
using test::Sample;
using test::unicast_sample;
using test::v2_sample;
using test::v3_sample;

/// One way to break a sample, and the counter that is for. The checksum is broken after all others,
/// in reason_with().
struct Breach {
  std::string name;
  PacketError error;
  std::function<void(Sample&)> commit;
};

void set_byte(Sample& sample, std::size_t offset, int value) {
  if (offset < sample.message.size()) sample.message[offset] = static_cast<std::uint8_t>(value);
}

/// A breach of each rule, in the rules' order. A breach keeps every earlier rule, so any two can be
/// committed together.
std::vector<Breach> breaches_of(const Sample& kind) {
  const bool v2 = kind.policy.version == Version::k2;
  const bool v4 = kind.source.is_v4();
  std::vector<Breach> breaches{
      {"destination", PacketError::kMode, [](Sample& s) { s.destination = ip("224.0.0.1"); }},
      {"source", PacketError::kSource,
       [v4](Sample& s) { s.source = ip(v4 ? "0.0.0.0" : "2001:db8::1"); }},
      {"TTL", PacketError::kTtl, [](Sample& s) { s.ttl = 64; }},
      {"header length", PacketError::kLength, [](Sample& s) { s.message.resize(7); }},
      {"version", PacketError::kVersion,
       [](Sample& s) { set_byte(s, 0, 0x40 | (s.message[0] & 0x0f)); }},
      {"type", PacketError::kType, [](Sample& s) { set_byte(s, 0, (s.message[0] & 0xf0) | 2); }},
      {"exact length", PacketError::kLength, [](Sample& s) { s.message.push_back(0); }},
      {"checksum", PacketError::kChecksum, [](Sample&) {}},
      {"VRID", PacketError::kVrid, [](Sample& s) { set_byte(s, 1, 99); }},
  };
  if (v2) {
    breaches.push_back(
        {"authentication type", PacketError::kAuthType, [](Sample& s) { set_byte(s, 4, 2); }});
    breaches.push_back({"password", PacketError::kAuthentication,
                        [](Sample& s) { s.policy.password = make_password("other"); }});
  }
  breaches.push_back({"address count", PacketError::kAddressList, [](Sample& s) {
                        const std::size_t size = (s.source.is_v4() ? 4u : 16u) * s.message[3];
                        if (s.message.size() < 8 + size) return;
                        set_byte(s, 3, 0);
                        s.message.erase(s.message.begin() + 8,
                                        s.message.begin() + 8 + static_cast<std::ptrdiff_t>(size));
                      }});
  breaches.push_back({"interval", PacketError::kInterval, [](Sample& s) { set_byte(s, 5, 0); }});
  if (!v4) {
    breaches.push_back(
        {"first address", PacketError::kAddressList, [](Sample& s) { set_byte(s, 8, 0x20); }});
  }
  return breaches;
}

PacketError reason_with(Sample sample, const Breach& first, const Breach& second) {
  // Later rules first: what they change would otherwise undo a message cut short.
  second.commit(sample);
  first.commit(sample);
  sample.repair_checksum();
  if (first.error == PacketError::kChecksum || second.error == PacketError::kChecksum) {
    sample.message.back() ^= 0x55;
  }
  return reason(sample.received());
}

TEST_CASE("of two broken rules the earlier one is counted", "[rfc3768-7.1][rfc9568-7.1]") {
  const Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample());
  const std::vector<Breach> breaches = breaches_of(sample);
  for (std::size_t first = 0; first < breaches.size(); ++first) {
    for (std::size_t second = first + 1; second < breaches.size(); ++second) {
      INFO(breaches[first].name << " before " << breaches[second].name);
      CHECK(reason_with(sample, breaches[first], breaches[second]) == breaches[first].error);
    }
  }
}

TEST_CASE("without a policy the rules before the VRID keep their order") {
  Sample sample = GENERATE(v2_sample(), v3_sample(), ipv6_sample(), unicast_sample());
  SECTION("a destination says nothing") {
    sample.destination = sample.source.is_v4() ? ip("192.0.2.2") : ip("fe80::2");
    sample.repair_checksum();
    CHECK(reason(sample.received_without_policy()) == PacketError::kVrid);
  }
  SECTION("source") {
    sample.source = ip("0.0.0.0");
    sample.ttl = 254;
    CHECK(reason(sample.received_without_policy()) == PacketError::kSource);
  }
  SECTION("TTL 255 is asked for") {
    sample.ttl = 254;
    sample.message.clear();
    CHECK(reason(sample.received_without_policy()) == PacketError::kTtl);
  }
  SECTION("length") {
    sample.message.resize(7);
    sample.message[0] = 0x41;
    CHECK(reason(sample.received_without_policy()) == PacketError::kLength);
  }
  SECTION("version") {
    sample.message[0] = 0x12;
    CHECK(reason(sample.received_without_policy()) == PacketError::kVersion);
  }
  SECTION("type") {
    sample.message[0] ^= 0x02;
    sample.message.push_back(0);
    CHECK(reason(sample.received_without_policy()) == PacketError::kType);
  }
  SECTION("exact length") {
    sample.message.push_back(1);
    CHECK(reason(sample.received_without_policy()) == PacketError::kLength);
  }
  SECTION("checksum") {
    sample.message[1] = 99;
    CHECK(reason(sample.received_without_policy()) == PacketError::kChecksum);
  }
}

}  // namespace
}  // namespace ha::vrrp
