#include "vrrpd/checks/answers.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace ha::checks {
namespace {

TEST_CASE("the status code of a response is read", "[checks][rfc9112-4]") {
  CHECK(parse_status_code("HTTP/1.1 200 OK\r\nServer: x\r\n") == 200);
  CHECK(parse_status_code("HTTP/1.0 503 Service Unavailable\r\n") == 503);
  CHECK(parse_status_code("HTTP/1.1 404\r\n") == 404);
}

TEST_CASE("what is no response has no status code", "[checks][rfc9112-4]") {
  for (const std::string text :
       {"", "HTTP/1.1 200", "HTTP/1.1 20\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/2 200 OK\r\n",
        "HTTP/1.x 200 OK\r\n", "http/1.1 200 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 2O0 OK\r\n",
        "HTTP/1.1 -20 OK\r\n", "HTTP/1.1 099 OK\r\n", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    INFO(text);
    CHECK(parse_status_code(text) == std::nullopt);
  }
}

TEST_CASE("the first line of a file is a number", "[checks]") {
  CHECK(parse_number("5\n") == 5);
  CHECK(parse_number("  -12 \t\r\nmore") == -12);
  CHECK(parse_number("+7") == 7);
  CHECK(parse_number("1000000") == 1'000'000);
  CHECK(parse_number("") == 0);
  CHECK(parse_number("\n5") == 0);
}

TEST_CASE("what is no number, or a larger one, is none", "[checks]") {
  for (const std::string text : {"x", "5x", "5 6", "--5", "+-5", "+", "-", "1000001", "-1000001",
                                 "99999999999999999999", "0x10", "1.5"}) {
    INFO(text);
    CHECK(parse_number(text) == std::nullopt);
  }
}

TEST_CASE("a command line is compared word by word", "[checks]") {
  using Match = ProcessProbe::Match;
  const auto is_meant = [](Match match, std::vector<std::string> arguments) {
    const ProcessProbe probe{"/sbin/x", 1, 1, match, std::move(arguments)};
    return matches(probe, std::string_view{"/sbin/x\0-a\0b c\0", 14});
  };
  CHECK(is_meant(Match::kExact, {"-a", "b c"}));
  CHECK_FALSE(is_meant(Match::kExact, {"-a"}));
  CHECK_FALSE(is_meant(Match::kExact, {"-a", "b"}));
  CHECK_FALSE(is_meant(Match::kExact, {"-a", "b c", ""}));
  CHECK(is_meant(Match::kBeginning, {}));
  CHECK(is_meant(Match::kBeginning, {"-a"}));
  CHECK_FALSE(is_meant(Match::kBeginning, {"-"}));
  CHECK(is_meant(Match::kInitial, {"-a", "b"}));
  CHECK_FALSE(is_meant(Match::kInitial, {"-", "b c"}));
  CHECK_FALSE(is_meant(Match::kInitial, {"-a"}));
  CHECK_FALSE(is_meant(Match::kInitial, {}));
}

TEST_CASE("a command line begins with the program as it was called", "[checks]") {
  using Match = ProcessProbe::Match;
  const auto begins = [](const std::string& name, std::string_view line) {
    return matches(ProcessProbe{name, 1, 1, Match::kBeginning, {}}, line);
  };
  CHECK(begins("x", "x"));
  CHECK_FALSE(begins("x", "/sbin/x"));
  CHECK_FALSE(begins("x", "xy"));
  CHECK_FALSE(begins("x", ""));
  CHECK_FALSE(begins("x", std::string_view{"\0x", 2}));
}

}  // namespace
}  // namespace ha::checks
