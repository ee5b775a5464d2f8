#include "vrrpd/settings/scalars.hpp"

#include <chrono>
#include <limits>
#include <string>

#include "tests/support/catch.hpp"

using namespace ha;
using namespace ha::config;
using namespace std::chrono_literals;

TEST_CASE("an integer is decimal digits within the range, the limits included", "[config]") {
  CHECK(parse_integer("0", {0, 255}) == 0);
  CHECK(parse_integer("255", {0, 255}) == 255);
  for (const char* text : {"256", "-1", "", "-", "+1", "1.0", "1 ", " 1", "1_0", "0x1", "0o1", "01",
                           "00", "1e2", "9223372036854775808", "99999999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_integer(text, {0, 255}).has_value());
  }
}

TEST_CASE("a duration is a number with a unit", "[config]") {
  CHECK(parse_duration("0s") == Duration{0});
  CHECK(parse_duration("250ms") == Duration{250ms});
  CHECK(parse_duration("1s") == Duration{1s});
  CHECK(parse_duration("5m") == Duration{5min});
  CHECK(parse_duration("8760h") == Duration{8760h});
  CHECK(parse_duration("1.5s") == Duration{1500ms});
  CHECK(parse_duration("40.95s") == Duration{40950ms});
  CHECK(parse_duration("0.001s") == Duration{1ms});
  for (const char* text : {"",
                           "1",
                           "s",
                           "ms",
                           "1.5ms",
                           "1.5m",
                           "1.s",
                           ".5s",
                           "1.2.3s",
                           "-1s",
                           "+1s",
                           "1 s",
                           "1S",
                           "1d",
                           "01s",
                           "1us",
                           "1.0001s",
                           "8761h",
                           "99999999999999999999s",
                           "1s1s",
                           "1e3s"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
}

TEST_CASE("a duration's limits are part of its range", "[config]") {
  const DurationRange range{1s, 1h, true};
  CHECK(parse_duration("1s", range).has_value());
  CHECK(parse_duration("1h", range).has_value());
  CHECK(parse_duration("0s", range).has_value());
  CHECK_FALSE(parse_duration("999ms", range).has_value());
  CHECK_FALSE(parse_duration("3600.001s", range).has_value());
  CHECK_FALSE(parse_duration("0s", DurationRange{1s, 1h}).has_value());
}

TEST_CASE("version 2 advertises in seconds, version 3 in hundredths", "[config][rfc9568-5.2.7]") {
  CHECK(parse_advertisement_interval("1s", Version::k2) == Duration{1s});
  CHECK(parse_advertisement_interval("255s", Version::k2) == Duration{255s});
  CHECK(parse_advertisement_interval("10ms", Version::k3) == Duration{10ms});
  CHECK(parse_advertisement_interval("40.95s", Version::k3) == Duration{40950ms});
  for (const char* text : {"0s", "256s", "1500ms"})
    CHECK_FALSE(parse_advertisement_interval(text, Version::k2));
  for (const char* text : {"0ms", "9ms", "25ms", "40960ms"}) {
    CHECK_FALSE(parse_advertisement_interval(text, Version::k3));
  }
}

TEST_CASE("a duration's text is read back as the same", "[config]") {
  CHECK(to_text(Duration{0}) == "0s");
  CHECK(to_text(1ms) == "1ms");
  CHECK(to_text(1500ms) == "1500ms");
  CHECK(to_text(60s) == "60s");
  CHECK(to_text(24h) == "24h");
  for (const Duration duration :
       {Duration{0s}, Duration{1ms}, Duration{90min}, Duration{40950ms}, Duration{24h}}) {
    CHECK(parse_duration(to_text(duration)) == duration);
  }
}

TEST_CASE("a bare address means one address", "[config]") {
  CHECK(parse_prefix("10.0.0.1")->length == 32);
  CHECK(parse_prefix("fe80::1")->length == 128);
  CHECK(parse_prefix("10.0.0.1/1")->length == 1);
  for (const char* text : {"10.0.0.1/", "10.0.0.1/024", "10.0.0.1/24/24", "/24", "", "10.0.0.1 /24",
                           "10.0.0", "::1", "::", "ff02::1", "1.2.3.4.5", "fe80::1%1"}) {
    INFO(text);
    CHECK_FALSE(parse_prefix(text).has_value());
  }
}

TEST_CASE("a MAC address is six pairs of hexadecimal digits and of one machine", "[config]") {
  CHECK(parse_mac("02:00:5e:10:Ab:01") == ha::MacAddress{2, 0, 0x5e, 0x10, 0xab, 1});
  for (const char* text :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:1", "02:00:5e:10:00:001", "02-00-5e-10-00-01",
        "02:00:5e:10:00:0g", "+2:00:5e:10:00:01", "02:00:5e:10:00:01:", "02:00:5e:10:00 01",
        "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:12"}) {
    INFO(text);
    CHECK_FALSE(parse_mac(text));
  }
}

TEST_CASE("an interface name is what the kernel accepts", "[config]") {
  CHECK(parse_interface("eth0") == "eth0");
  CHECK(parse_interface("fifteen-letters") == "fifteen-letters");
  CHECK(parse_interface("eth0.100@x") == "eth0.100@x");
  for (const char* text : {"", ".", "..", "a/b", "a:b", "a b", "sixteen-letters-", "\xc3\xa4"}) {
    INFO(text);
    CHECK_FALSE(parse_interface(text).has_value());
  }
}

TEST_CASE("a regular expression that would need too much memory is refused, not built",
          "[config]") {
  std::string greedy = "(a";
  for (int i = 0; i < 60; ++i) greedy += "{9}";
  CHECK_FALSE(parse_expression(greedy + ")", 0).has_value());
  CHECK_FALSE(parse_expression("((((((((a{9}){9}){9}){9}){9}){9}){9}){9})", 0).has_value());
  CHECK_FALSE(parse_expression("a{99999999}", 0).has_value());
  for (const char* text :
       {"a{4294967297}", "a{1,4294967297}", "(a)\\4294967297", "a{9999999999999999999}"}) {
    INFO(text);
    CHECK(parse_expression(text, 0).error() == "has too large a number");
  }
  CHECK(parse_expression("host-4294967297", 0).has_value());
}
