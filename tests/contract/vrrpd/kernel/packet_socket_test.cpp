#include "vrrpd/kernel/packet_socket.hpp"

#include <netinet/in.h>

#include "tests/contract/vrrpd/kernel/lan.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/without_capability.hpp"

using namespace ha;
using namespace ha::test;
using namespace ha::vrrp;
using Catch::Matchers::Contains;

namespace {

IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

const IpAddress kGroup4 = ip("224.0.0.18");
const IpAddress kGroup6 = ip("ff02::12");
const Bytes kMessage{0x31, 51, 100, 1, 0, 100, 0xba, 0xad, 192, 0, 2, 1};
const Bytes kMarker{0x31, 99, 1, 1, 0, 100, 0, 0, 192, 0, 2, 99};

struct Packet {
  Bytes bytes;
  IpAddress source;
  IpAddress destination;
  int hop_limit;
  bool truncated;
  Duration age;

  /// What follows the IPv4 header.
  [[nodiscard]] Bytes message() const { return {bytes.begin() + 20, bytes.end()}; }
};

/// A VrrpSocket that remembers what it heard.
struct Station {
  Station(boost::asio::io_context& io, const NetworkNamespace& machine, const std::string& name,
          Family family) {
    const IfIndex index = Lan::index_of(machine, name);
    const NetworkNamespace::Inside inside{machine};
    auto opened = VrrpSocket::open(
        io, index, name, family,
        [this](const IncomingPacket& p) {
          heard.push_back({{p.bytes.begin(), p.bytes.end()},
                           p.source,
                           p.destination,
                           p.hop_limit,
                           p.truncated,
                           p.age});
        },
        [this] { ++batches; });
    REQUIRE(opened);
    socket = std::move(*opened);
    socket->listen_to(~VridSet{});
  }

  void send(const char* source, const IpAddress& destination, const Bytes& message) {
    const OutgoingPacket packet{ip(source), destination, message};
    const auto sent = socket->send({&packet, 1});
    INFO(sent.first_error.message());
    REQUIRE(sent.failed == 0);
  }

  std::unique_ptr<VrrpSocket> socket;
  std::vector<Packet> heard;
  int batches = 0;
};

/// `left` and `right` on the cable `eth`, both members of the family's group.
struct Pair {
  explicit Pair(Family family)
      : left{io, lan.left, "eth", family}, right{io, lan.right, "eth", family} {
    REQUIRE(left.socket->join(family == Family::kIpv4 ? kGroup4 : kGroup6));
    REQUIRE(right.socket->join(family == Family::kIpv4 ? kGroup4 : kGroup6));
  }
  [[nodiscard]] bool right_hears(std::size_t count) {
    return poll_until(io, [&] { return right.heard.size() >= count; });
  }

  Lan lan;
  boost::asio::io_context io{1};
  Station left;
  Station right;
};

}  // namespace

TEST_CASE("an IPv4 multicast message arrives with TTL 255, CS6 and the source asked for") {
  Pair pair{Family::kIpv4};
  pair.lan.left.run("ip addr add 10.0.0.77/24 dev eth");
  pair.left.send("10.0.0.77", kGroup4, kMessage);

  REQUIRE(pair.right_hears(1));
  const Packet& packet = pair.right.heard.at(0);
  REQUIRE(packet.bytes.size() == 20 + kMessage.size());
  CHECK(packet.bytes[0] == 0x45);
  CHECK(packet.bytes[1] == 0xc0);
  CHECK((packet.bytes[6] & 0x40) == 0);  // may be fragmented
  CHECK(packet.bytes[8] == 255);
  CHECK(packet.bytes[9] == 112);
  CHECK(Bytes{packet.bytes.begin() + 12, packet.bytes.begin() + 20} ==
        Bytes{10, 0, 0, 77, 224, 0, 0, 18});
  CHECK(packet.message() == kMessage);
  CHECK_FALSE(packet.truncated);
  CHECK(pair.right.batches == 1);
}

TEST_CASE("an IPv6 multicast message arrives with hop limit 255 and the source asked for") {
  Pair pair{Family::kIpv6};
  pair.left.send("fe80::1", kGroup6, kMessage);
  pair.left.send("2001:db8:0::1", kGroup6, kMessage);

  REQUIRE(pair.right_hears(2));
  const Packet& first = pair.right.heard.at(0);
  CHECK(first.bytes == kMessage);
  CHECK(first.source == ip("fe80::1"));
  CHECK(first.destination == kGroup6);
  CHECK(first.hop_limit == 255);
  CHECK_FALSE(first.truncated);
  CHECK(pair.right.heard.at(1).source == ip("2001:db8::1"));
}

TEST_CASE("an IPv6 message leaves with traffic class CS6 and its checksum untouched") {
  Pair pair{Family::kIpv6};
  Tap tap{pair.lan.right, "eth"};
  for (const IpAddress& destination : {kGroup6, ip("fe80::2")}) {
    pair.left.send("fe80::1", destination, kMessage);

    const auto frame = tap.next([](const Bytes& f) { return f.size() > 54 && f[20] == 112; });
    REQUIRE(frame);
    CHECK(((*frame)[14] & 0x0f) == 0x0c);
    CHECK(((*frame)[15] & 0xf0) == 0x00);
    CHECK((*frame)[21] == 255);
    CHECK(Bytes{frame->begin() + 54, frame->end()} == kMessage);
  }
}

TEST_CASE("a unicast message arrives, with the same header, in both families") {
  SECTION("IPv4") {
    Pair pair{Family::kIpv4};
    pair.left.send("10.0.0.1", ip("10.0.0.2"), kMessage);
    REQUIRE(pair.right_hears(1));
    const Packet& packet = pair.right.heard.at(0);
    CHECK(packet.bytes[1] == 0xc0);
    CHECK(packet.bytes[8] == 255);
    CHECK(packet.message() == kMessage);
  }
  SECTION("IPv6, link-local and global") {
    Pair pair{Family::kIpv6};
    pair.left.send("fe80::1", ip("fe80::2"), kMessage);
    pair.left.send("2001:db8::1", ip("2001:db8::2"), kMessage);
    REQUIRE(pair.right_hears(2));
    for (const Packet& packet : pair.right.heard) {
      CHECK(packet.bytes == kMessage);
      CHECK(packet.hop_limit == 255);
    }
    CHECK(pair.right.heard.at(0).destination == ip("fe80::2"));
    CHECK(pair.right.heard.at(1).destination == ip("2001:db8::2"));
  }
}

TEST_CASE("a socket hears the virtual routers it listens to and counts the others") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Pair pair{family};
    const bool v4 = family == Family::kIpv4;
    const char* const source = v4 ? "10.0.0.1" : "fe80::1";
    const IpAddress group = v4 ? kGroup4 : kGroup6;
    pair.right.socket->listen_to(VridSet{}.set(99));

    Bytes other = kMessage;
    for (other[1] = 52; other[1] < 82; ++other[1]) pair.left.send(source, group, other);
    pair.left.send(source, ip(v4 ? "10.0.0.2" : "fe80::2"), kMessage);
    pair.left.send(source, group, kMarker);
    REQUIRE(pair.right_hears(1));
    CHECK((v4 ? pair.right.heard[0].message() : pair.right.heard[0].bytes) == kMarker);
    CHECK(pair.right.socket->overheard() == 31);
    CHECK(pair.right.socket->overheard() == 31);

    pair.right.socket->listen_to(VridSet{}.set(51));
    pair.left.send(source, group, kMarker);
    pair.left.send(source, group, kMessage);
    REQUIRE(pair.right_hears(2));
    CHECK((v4 ? pair.right.heard[1].message() : pair.right.heard[1].bytes) == kMessage);
    CHECK(pair.right.socket->overheard() == 32);
    CHECK(pair.right.batches == 2);
  }
}

TEST_CASE("a socket that was not told what to listen to hears nothing") {
  Pair pair{Family::kIpv4};
  Station listener{pair.io, pair.lan.right, "eth", Family::kIpv4};
  REQUIRE(listener.socket->join(kGroup4));
  const IfIndex index = Lan::index_of(pair.lan.right, "eth");
  const NetworkNamespace::Inside inside{pair.lan.right};
  std::size_t heard = 0;
  auto deaf = VrrpSocket::open(
      pair.io, index, "eth", Family::kIpv4, [&](const IncomingPacket&) { ++heard; }, [] {});
  REQUIRE(deaf);
  REQUIRE((*deaf)->join(kGroup4));

  pair.left.send("10.0.0.1", kGroup4, kMessage);
  REQUIRE(poll_until(pair.io, [&] { return !listener.heard.empty(); }));
  (*deaf)->drain();
  CHECK(heard == 0);
}

TEST_CASE("a flood is counted to the last message, and those that were heard are not in it") {
  Pair pair{Family::kIpv4};
  pair.right.socket->listen_to(VridSet{}.set(99));
  std::vector<OutgoingPacket> flood(1000, {ip("10.0.0.1"), kGroup4, kMessage});
  for (std::size_t i = 0; i < flood.size(); i += 4) flood[i].message = kMarker;
  for (std::uint64_t sent = 750; sent <= 15'000; sent += 750) {
    REQUIRE(pair.left.socket->send(flood).failed == 0);
    CHECK(pair.right.socket->overheard() == sent);
  }
  CHECK(pair.right.heard.size() == 5000);
  CHECK(pair.right.heard.back().message() == kMarker);
}

TEST_CASE("a wrong checksum is left for the caller to find", "[rfc9568-7.1]") {
  Pair pair{Family::kIpv6};
  Bytes wrong = kMessage;
  wrong[6] = 0x12;
  pair.left.send("fe80::1", kGroup6, wrong);
  REQUIRE(pair.right_hears(1));
  CHECK(pair.right.heard.at(0).bytes == wrong);
}

TEST_CASE("own multicast is not heard, not even by another socket here") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Pair pair{family};
    const bool v4 = family == Family::kIpv4;
    const IpAddress group = v4 ? kGroup4 : kGroup6;
    Station second{pair.io, pair.lan.left, "eth", family};
    REQUIRE(second.socket->join(group));

    pair.left.send(v4 ? "10.0.0.1" : "fe80::1", group, kMessage);
    pair.right.send(v4 ? "10.0.0.2" : "fe80::2", group, kMarker);

    REQUIRE(poll_until(pair.io, [&] { return !pair.left.heard.empty() && !second.heard.empty(); }));
    CHECK((v4 ? pair.left.heard[0].message() : pair.left.heard[0].bytes) == kMarker);
    CHECK((v4 ? second.heard[0].message() : second.heard[0].bytes) == kMarker);
  }
}

TEST_CASE("an IPv4 group that others on the machine joined is not heard") {
  Pair pair{Family::kIpv4};
  Station outsider{pair.io, pair.lan.right, "eth", Family::kIpv4};

  pair.left.send("10.0.0.1", kGroup4, kMessage);
  pair.left.send("10.0.0.1", ip("10.0.0.2"), kMarker);

  REQUIRE(poll_until(pair.io, [&] { return !outsider.heard.empty(); }));
  CHECK(outsider.heard[0].message() == kMarker);
}

TEST_CASE("sockets on two interfaces do not hear each other's packets") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Pair pair{family};
    const bool v4 = family == Family::kIpv4;
    const IpAddress group = v4 ? kGroup4 : kGroup6;
    pair.lan.add_cable("dmz", 1);
    Station left{pair.io, pair.lan.left, "dmz", family};
    Station right{pair.io, pair.lan.right, "dmz", family};
    REQUIRE(right.socket->join(group));

    pair.left.send(v4 ? "10.0.0.1" : "fe80::1", group, kMessage);
    left.send(v4 ? "10.1.0.1" : "fe80::1", group, kMarker);

    REQUIRE(poll_until(pair.io, [&] { return !pair.right.heard.empty() && !right.heard.empty(); }));
    CHECK((v4 ? pair.right.heard[0].message() : pair.right.heard[0].bytes) == kMessage);
    CHECK((v4 ? right.heard[0].message() : right.heard[0].bytes) == kMarker);
  }
}

TEST_CASE("the longest advertisement arrives whole and a longer one is marked") {
  SECTION("IPv4") {
    Pair pair{Family::kIpv4};
    pair.left.send("10.0.0.1", kGroup4, Bytes(1036, 7));
    pair.left.send("10.0.0.1", kGroup4, Bytes(1200, 7));
    REQUIRE(pair.right_hears(2));
    CHECK(pair.right.heard[0].bytes.size() == 1056);
    CHECK_FALSE(pair.right.heard[0].truncated);
    CHECK(pair.right.heard[1].truncated);
  }
  SECTION("IPv6, in fragments") {
    Pair pair{Family::kIpv6};
    pair.left.send("fe80::1", kGroup6, Bytes(4088, 7));
    pair.left.send("fe80::1", kGroup6, Bytes(4200, 7));
    REQUIRE(pair.right_hears(2));
    CHECK(pair.right.heard[0].bytes == Bytes(4088, 7));
    CHECK_FALSE(pair.right.heard[0].truncated);
    CHECK(pair.right.heard[1].truncated);
  }
}

TEST_CASE("a flood is read in turns, so that the loop gets to its timers") {
  Pair pair{Family::kIpv4};
  const std::vector<OutgoingPacket> flood(400, {ip("10.0.0.1"), kGroup4, kMessage});
  REQUIRE(pair.left.socket->send(flood).failed == 0);

  REQUIRE(poll_until(pair.io, [&] { return !pair.right.heard.empty(); }));
  CHECK(pair.right.heard.size() == 256);
  CHECK(pair.right_hears(400));
  CHECK(pair.right.batches == 2);
}

TEST_CASE("drain hands over everything at once, without the loop") {
  Pair pair{Family::kIpv4};
  const std::vector<OutgoingPacket> flood(400, {ip("10.0.0.1"), kGroup4, kMessage});
  REQUIRE(pair.left.socket->send(flood).failed == 0);

  pair.right.socket->drain();
  CHECK(pair.right.heard.size() == 400);
  CHECK(pair.right.batches == 1);
  pair.right.socket->drain();
  CHECK(pair.right.heard.size() == 400);
  CHECK(pair.right.batches == 1);
}

TEST_CASE("a packet is as old as it lay in the socket, and new after a long time") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Pair pair{family};
    const auto age_after = [&](Duration wait) {
      const bool v4 = family == Family::kIpv4;
      const TimePoint sent = std::chrono::steady_clock::now();
      pair.left.send(v4 ? "10.0.0.1" : "fe80::1", v4 ? kGroup4 : kGroup6, kMessage);
      while (std::chrono::steady_clock::now() - sent < wait) continue;
      pair.right.socket->drain();
      const Duration lay_at_most = std::chrono::steady_clock::now() - sent;
      const Duration age = pair.right.heard.back().age;
      CHECK(age <= lay_at_most);
      return age;
    };
    // The kernel takes a moment to begin with noting when packets arrive.
    CHECK(poll_until(pair.io, [&] {
      return age_after(std::chrono::milliseconds{2}) > std::chrono::milliseconds{1};
    }));
    CHECK(age_after(2 * kAgeMax) == Duration::zero());
  }
}

TEST_CASE("a handler may send") {
  Lan lan;
  boost::asio::io_context io{1};
  Station left{io, lan.left, "eth", Family::kIpv4};
  REQUIRE(left.socket->join(kGroup4));
  std::unique_ptr<VrrpSocket> answering;
  const IfIndex index = Lan::index_of(lan.right, "eth");
  const NetworkNamespace::Inside inside{lan.right};
  auto opened = VrrpSocket::open(
      io, index, "eth", Family::kIpv4,
      [&](const IncomingPacket&) {
        const OutgoingPacket answer{ip("10.0.0.2"), kGroup4, kMarker};
        CHECK(answering->send({&answer, 1}).failed == 0);
      },
      [] {});
  REQUIRE(opened);
  answering = std::move(*opened);
  answering->listen_to(~VridSet{});
  REQUIRE(answering->join(kGroup4));

  left.send("10.0.0.1", kGroup4, kMessage);
  REQUIRE(poll_until(io, [&] { return !left.heard.empty(); }));
  CHECK(left.heard[0].message() == kMarker);
}

TEST_CASE("one packet that cannot be sent does not keep the others back") {
  Pair pair{Family::kIpv6};
  const Bytes too_long(70'000);
  const std::vector<OutgoingPacket> packets{{ip("fe80::1"), kGroup6, kMessage},
                                            {ip("fe80::1"), kGroup6, too_long},
                                            {ip("10.0.0.1"), kGroup4, kMessage},
                                            {ip("fe80::1"), kGroup6, kMarker}};
  const auto sent = pair.left.socket->send(packets);
  CHECK(sent.failed == 2);
  CHECK(sent.first_error.code == std::errc::address_family_not_supported);
  CHECK_THAT(sent.first_error.message(), Contains("eth"));

  REQUIRE(pair.right_hears(2));
  CHECK(pair.right.heard[0].bytes == kMessage);
  CHECK(pair.right.heard[1].bytes == kMarker);
}

TEST_CASE("a message may come from the address of another interface") {
  Pair pair{Family::kIpv6};
  pair.left.send("fe80::66", kGroup6, kMessage);
  REQUIRE(pair.right_hears(1));
  CHECK(pair.right.heard[0].source == ip("fe80::66"));
}

TEST_CASE("a link that is down loses what is sent, and carries it again when it is back") {
  Pair pair{Family::kIpv4};
  pair.lan.left.run("ip link set eth down");
  const OutgoingPacket packet{ip("10.0.0.1"), kGroup4, kMessage};
  const auto sent = pair.left.socket->send({&packet, 1});
  CHECK(sent.failed == 1);
  CHECK(sent.first_error.code);

  pair.lan.left.run("ip link set eth up");
  CHECK(poll_until(pair.io, [&] {
    static_cast<void>(pair.left.socket->send({&packet, 1}));
    return !pair.right.heard.empty();
  }));
}

TEST_CASE("what a firewall forbids counts as not sent") {
  Pair pair{Family::kIpv4};
  pair.lan.left.run(
      "nft 'add table ip t; add chain ip t out { type filter hook output priority 0; }; "
      "add rule ip t out ip protocol 112 drop'");
  const std::vector<OutgoingPacket> packets(2, {ip("10.0.0.1"), kGroup4, kMessage});
  const auto sent = pair.left.socket->send(packets);
  CHECK(sent.failed == 2);
  CHECK(sent.first_error.code == std::errc::operation_not_permitted);
}

TEST_CASE("an interface that is removed under a socket is an error to send on and nothing worse") {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Pair pair{family};
    const bool v4 = family == Family::kIpv4;
    pair.lan.left.run("ip link del eth");
    const OutgoingPacket packet{ip(v4 ? "10.0.0.1" : "fe80::1"), v4 ? kGroup4 : kGroup6, kMessage};
    CHECK(pair.left.socket->send({&packet, 1}).failed == 1);
    pair.io.poll();
    pair.left.socket->drain();
    pair.right.socket->drain();
    CHECK(pair.right.heard.empty());
  }
}

TEST_CASE("joining a group twice is success, one of the other family is refused") {
  Pair pair{Family::kIpv4};
  CHECK(pair.left.socket->join(kGroup4));
  const auto refused = pair.left.socket->join(kGroup6);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Contains("join ff02::12 on eth"));
}

TEST_CASE("a destroyed socket is not called for packets that wait for it") {
  Pair pair{Family::kIpv4};
  pair.left.send("10.0.0.1", kGroup4, kMessage);
  pair.right.socket.reset();
  pair.io.poll();
  CHECK(pair.right.heard.empty());
}

TEST_CASE("a socket on an interface that does not exist is refused") {
  boost::asio::io_context io{1};
  const auto opened = VrrpSocket::open(
      io, IfIndex{4711}, "gone", Family::kIpv6, [](const IncomingPacket&) {}, [] {});
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message(), Contains("gone"));
}

TEST_CASE("opening without CAP_NET_RAW says what is missing") {
  Lan lan;
  boost::asio::io_context io{1};
  const IfIndex index = Lan::index_of(lan.left, "eth");
  const NetworkNamespace::Inside inside{lan.left};
  const WithoutCapability weaker{CAP_NET_RAW};
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const auto opened = VrrpSocket::open(
        io, index, "eth", family, [](const IncomingPacket&) {}, [] {});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == std::errc::operation_not_permitted);
    CHECK_THAT(opened.error().message(), Contains("VRRP on eth (needs CAP_NET_RAW)"));
  }
  const auto frames = FrameSocket::open();
  REQUIRE_FALSE(frames);
  CHECK_THAT(frames.error().message(), Contains("needs CAP_NET_RAW"));
}

TEST_CASE("CAP_NET_RAW alone is enough to open and to send") {
  Lan lan;
  boost::asio::io_context io{1};
  const WithoutCapability weaker{CAP_NET_ADMIN};
  Station left{io, lan.left, "eth", Family::kIpv4};
  CHECK(left.socket->join(kGroup4));
  left.send("10.0.0.1", kGroup4, kMessage);
}
