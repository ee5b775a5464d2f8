#include "vrrpd/settings/routing.hpp"

#include "tests/support/catch.hpp"

using namespace ha;
using namespace ha::config;

namespace {

IpAddress ip(const char* text) { return boost::asio::ip::make_address(text); }

/// What a route means, printed; or what is wrong with it.
std::string route(const char* text) {
  const auto parsed = parse_route(text);
  if (!parsed) return parsed.error();
  CHECK(parse_route(to_text(*parsed)) == *parsed);
  return to_text(*parsed);
}

std::string rule(const char* text) {
  const auto parsed = parse_rule(text);
  if (!parsed) return parsed.error();
  CHECK(parse_rule(to_text(*parsed)) == *parsed);
  return to_text(*parsed);
}

}  // namespace

TEST_CASE("a route has the defaults of ip-route", "[config]") {
  Route expected;
  expected.gateway = ip("10.0.0.254");
  expected.interface = "eth0";
  expected.onlink = true;
  expected.table = 1;
  CHECK(parse_route("default via 10.0.0.254 dev eth0 onlink table 1") == expected);

  expected = {};
  expected.destination = Prefix{ip("10.0.0.0"), 24};
  expected.interface = "eth0";
  expected.source = ip("10.0.0.9");
  expected.scope = 253;
  CHECK(parse_route("10.0.0.0/24 dev eth0 src 10.0.0.9") == expected);
}

TEST_CASE("a route is printed so that it reads back", "[config]") {
  CHECK(route("default via 10.0.0.254") == "default via 10.0.0.254");
  CHECK(route("10.0.0.0/8 via inet 10.0.0.254 metric 5 proto static mtu 1400 table main") ==
        "10.0.0.0/8 via 10.0.0.254 metric 5 proto 4 mtu 1400");
  CHECK(route("src 10.0.0.9 to 10.1.0.0/16 gw 10.0.0.1 dev eth1") ==
        "10.1.0.0/16 via 10.0.0.1 dev eth1 src 10.0.0.9");
  CHECK(route("blackhole 10.0.0.0/8") == "blackhole 10.0.0.0/8");
  CHECK(route("10.0.0.1 dev eth0 scope host") == "10.0.0.1/32 dev eth0 scope 254");
  CHECK(route("::/0 dev eth0") == "::/0 dev eth0");
  CHECK(route("default via fe80::1 dev eth0") == "default via fe80::1 dev eth0");
}

TEST_CASE("what is no route, or cannot be installed, is refused by name", "[config]") {
  CHECK(route("") == "names no destination");
  CHECK(route("dev eth0") == "names no destination");
  CHECK(route("default nexthop via 10.0.0.1") == "has 'nexthop', which is not supported");
  CHECK(route("default via fe80::1 src 10.0.0.1") == "mixes IPv4 and IPv6");
  CHECK(route("default via") == "has no value for via");
  CHECK(route("default via x") == "has via 'x', which is not an IPv4 or IPv6 address");
  CHECK(route("10.0.0.0/33 dev eth0") ==
        "has 10.0.0.0/33, which is neither an option that is supported nor an address or network");
  CHECK(route("default table x") ==
        "has table 'x', which is not a number up to 4294967295 or one of the known names");
}

TEST_CASE("a rule is printed so that it reads back", "[config]") {
  CHECK(rule("from 10.0.0.9/32 table 1 priority 100") == "from 10.0.0.9/32 pref 100 table 1");
  CHECK(rule("to 10.0.0.0/8 iif eth0 oif eth1 fwmark 0x10 lookup main") ==
        "to 10.0.0.0/8 iif eth0 oif eth1 fwmark 16 table 254");
  CHECK(rule("from all table 7") == "table 7");
  CHECK(rule("inet6 iif eth0 table 7") == "inet6 iif eth0 table 7");
  CHECK(rule("from 2001:db8::/32 table 7") == "from 2001:db8::/32 table 7");
  CHECK(rule("from 10.0.0.1 uidrange 1-2") == "has 'uidrange', which is not supported");
  CHECK(rule("from 10.0.0.1 to fe80::1 table 7") == "mixes IPv4 and IPv6");
}
