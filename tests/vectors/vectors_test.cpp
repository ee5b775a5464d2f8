/// What other implementations sent, read by ours and sent again by ours. The format of the files is
/// in README.md.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/hex.hpp"
#include "vrrpd/wire/announce.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {
namespace {

using boost::asio::ip::make_address;
using ha::test::from_hex;
using ha::test::to_hex;
using nlohmann::json;

const std::filesystem::path kOwn = HA_SOURCE_DIR "/tests/vectors";
const std::filesystem::path kShared = HA_SOURCE_DIR "/../shared/vectors/vectors.json";

json read(const std::filesystem::path& path) {
  std::ifstream file{path};
  REQUIRE(file);
  return json::parse(file);
}

/// The advertisement as the file says it was meant; nothing where the bytes are too broken to mean
/// one.
std::optional<Advert> meant(const json& vector) {
  const json& decode = vector.at("decode");
  if (!decode.contains("addresses") || !decode.contains("version")) return {};
  Advert advert;
  advert.version = decode.at("version") == 2 ? Version::k2 : Version::k3;
  advert.vrid = Vrid{decode.at("vrid").get<std::uint8_t>()};
  advert.priority = Priority{decode.at("priority").get<std::uint8_t>()};
  advert.interval = advert.version == Version::k2
                        ? Duration{std::chrono::seconds{decode.value("adver_int_sec", 0)}}
                        : std::chrono::milliseconds{10 * decode.value("max_adver_int_cs", 0)};
  for (const json& address : decode.at("addresses")) {
    advert.addresses.push_back(make_address(address.get<std::string>()));
  }
  if (advert.version == Version::k2 && decode.value("auth_type", 0) == 1) {
    const auto data = from_hex(decode.at("auth_data").get<std::string>());
    advert.password.emplace();
    std::copy_n(data.begin(), std::min(data.size(), advert.password->size()),
                advert.password->begin());
  }
  return advert;
}

/// That of a router configured like the sender. With IPv6 it has a link-local address, so that
/// erratum 8300 is applied.
ReceivePolicy policy_for(const Advert& advert, const IpAddress& source,
                         const IpAddress& destination) {
  ReceivePolicy policy;
  policy.version = advert.version;
  policy.vrid = advert.vrid;
  policy.advertisement_interval = advert.interval;
  policy.multicast_group = destination;
  if (!destination.is_multicast()) policy.unicast_peers = {source};
  policy.password = advert.password;
  policy.addresses = advert.addresses;
  const bool has_link_local = std::any_of(
      advert.addresses.begin(), advert.addresses.end(),
      [](const IpAddress& address) { return address.is_v6() && address.to_v6().is_link_local(); });
  if (source.is_v6() && !has_link_local) policy.addresses.push_back(make_address("fe80::1"));
  std::sort(policy.addresses.begin(), policy.addresses.end());
  policy.addresses.erase(std::unique(policy.addresses.begin(), policy.addresses.end()),
                         policy.addresses.end());
  return policy;
}

/// The counter we are to use. The files hold what the RFC's lists say; source and authentication
/// are told here, because they depend on the receiver.
std::string expected_counter(const json& vector, const IpAddress& source,
                             const IpAddress& destination) {
  const bool global_to_group =
      source.is_v6() && destination.is_multicast() && !source.to_v6().is_link_local();
  if (source.is_loopback() || global_to_group) return "peer-source-errors";
  const bool accepted = vector.at("strict").at("verdict") == "accept";
  if (accepted && vector.at("decode").value("auth_type", 0) == 2) return "auth-type-mismatches";
  return vector.at("strict").at("counter");
}

/// Reads the IPv4 header of a captured frame, and checks that it says what the file says.
void check_ip_header(const json& vector, const std::vector<std::uint8_t>& message) {
  const auto frame = from_hex(vector.at("hex").get<std::string>());
  const bool ethernet = vector.at("layer") == "ethernet";
  const std::size_t link_size = !ethernet ? 0 : frame.at(12) == 0x81 ? 18 : 14;
  const json& ip = vector.at("ip");
  const auto datagram = parse_ipv4(std::span{frame}.subspan(link_size));
  // RFC 2338 knew an authentication header, which is a protocol of its own.
  REQUIRE(datagram.has_value() == (ip.at("proto") == kIpProtocolVrrp));
  if (!datagram) return;
  CHECK(datagram->source == make_address(ip.at("src").get<std::string>()));
  CHECK(datagram->destination == make_address(ip.at("dst").get<std::string>()));
  CHECK(datagram->ttl == ip.at("ttl").get<int>());
  CHECK(to_hex(datagram->message) == to_hex(message));
}

void check_accepted(const json& vector, const Advert& advert, const Received& received,
                    const Datagram& datagram) {
  const json& decode = vector.at("decode");
  CHECK(received.advert == advert);
  CHECK_FALSE(received.addresses_differ);
  CHECK_FALSE(received.interval_differs);
  CHECK(decode.at(received.form == ChecksumForm::kPseudoHeader
                      ? "checksum_pseudo_ok"
                      : "checksum_message_only_ok") == true);
  CHECK(to_hex(encode(received.advert, datagram.source, datagram.destination, received.form)) ==
        to_hex(datagram.message));
}

void check_vector(const json& vector) {
  const auto message = from_hex(vector.at("vrrp_hex").get<std::string>());
  const json& ip = vector.at("ip");
  const IpAddress source = make_address(ip.at("src").get<std::string>());
  const IpAddress destination = make_address(ip.at("dst").get<std::string>());
  if (vector.at("layer") != "vrrp" && source.is_v4()) check_ip_header(vector, message);

  const Datagram datagram{source, destination, ip.at("ttl").get<std::uint8_t>(), message};
  const auto advert = meant(vector);
  const auto policy = policy_for(advert.value_or(Advert{}), source, destination);
  const auto result = receive(datagram, advert ? &policy : nullptr);
  const std::string counter = expected_counter(vector, source, destination);
  CHECK((result ? "" : std::string{counter_name(result.error())}) == counter);
  if (result && advert) check_accepted(vector, *advert, *result, datagram);
}

/// Captured garbage: nothing is known of it but that it is no advertisement, wherever one starts to
/// read.
void check_garbage(const json& vector) {
  const auto bytes = from_hex(vector.at("hex").get<std::string>());
  for (std::size_t start = 0; start <= bytes.size(); ++start) {
    const auto rest = std::span{bytes}.subspan(start);
    const auto datagram = parse_ipv4(rest);
    if (datagram) CHECK_FALSE(receive(*datagram, nullptr));
    CHECK_FALSE(
        receive({make_address("192.0.2.1"), make_address("224.0.0.18"), 255, rest}, nullptr));
  }
}

/// Returns how many of them carry a VRRP message.
std::size_t check_all(const json& vectors) {
  std::size_t messages = 0;
  for (const json& vector : vectors) {
    INFO(vector.at("id"));
    if (vector.at("layer") == "link") {
      check_garbage(vector);
    } else if (vector.contains("strict")) {
      check_vector(vector);
      ++messages;
    }
  }
  return messages;
}

TEST_CASE("what keepalived and FRR send is received, and encoded to the same bytes") {
  CHECK(check_all(read(kOwn / "adverts.json")) == 17);
}

TEST_CASE("the packets of other projects are received as their origin says") {
  if (!std::filesystem::exists(kShared)) {
    WARN("not there, so only our own captures were checked: " << kShared);
    return;
  }
  CHECK(check_all(read(kShared)) >= 90);
}

TEST_CASE("our announcements are those of keepalived and FRR, byte for byte") {
  const json vectors = read(kOwn / "announcements.json");
  CHECK(vectors.size() == 4);
  for (const json& vector : vectors) {
    INFO(vector.at("id"));
    const auto mac_bytes = from_hex(vector.at("mac").get<std::string>());
    MacAddress mac;
    REQUIRE(mac_bytes.size() == mac.size());
    std::copy(mac_bytes.begin(), mac_bytes.end(), mac.begin());
    const IpAddress address = make_address(vector.at("address").get<std::string>());
    const std::string ours = address.is_v4()
                                 ? to_hex(gratuitous_arp(mac, address, ArpOperation::kRequest))
                                 : to_hex(unsolicited_advertisement(mac, address));
    CHECK(ours == vector.at("hex").get<std::string>());
  }
}

}  // namespace
}  // namespace ha::vrrp
