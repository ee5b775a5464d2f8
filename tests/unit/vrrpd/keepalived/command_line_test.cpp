#include "vrrpd/keepalived/command_line.hpp"

#include <csignal>

#include "tests/support/catch.hpp"

namespace ha::keepalived {
namespace {

using Words = std::vector<std::string>;

CommandLine line_of(const Words& words) {
  const auto parsed = parse_command_line(words);
  REQUIRE(std::holds_alternative<CommandLine>(parsed));
  return std::get<CommandLine>(parsed);
}

Reply reply_to(const Words& words) {
  const auto parsed = parse_command_line(words);
  REQUIRE(std::holds_alternative<Reply>(parsed));
  return std::get<Reply>(parsed);
}

TEST_CASE("without options it is keepalived's daemon on its file", "[keepalived]") {
  CHECK(line_of({}) == CommandLine{});
  CHECK_FALSE(CommandLine{}.stays_in_foreground);
  CHECK(CommandLine{}.logs_to_syslog);
}

TEST_CASE("BOSH's command line is understood", "[keepalived]") {
  CommandLine expected;
  expected.logs_to_console = true;
  expected.logs_details = true;
  expected.stays_in_foreground = true;
  expected.file = "/var/k.config";
  expected.pid_file = "/run/a.pid";
  expected.engine_pid_file = "/run/b.pid";
  expected.control_socket = "/run/a.sock";
  expected.ignored = {"--checkers_pid"};
  CHECK(line_of({"-l", "-D", "-n", "-f", "/var/k.config", "--pid=/run/a.pid",
                 "--vrrp_pid=/run/b.pid", "--checkers_pid=/run/c.pid"}) == expected);
}

TEST_CASE("a daemon with a pid file of its own has its control socket beside that",
          "[keepalived]") {
  CHECK(line_of({"-p", "/run/keepalived.pid"}).control_socket.empty());
  CHECK(line_of({"-p", "/run/x"}).control_socket == "/run/x.sock");
  CHECK(line_of({"-p", "/x.pid"}).control_socket == "/x.sock");
  CHECK(reply_to({"-p", "x.pid"}) ==
        Reply{1, "",
              "--pid: the control socket beside it, x.sock, is not the absolute path of a "
              "Unix socket, 1-107 bytes\n"});
  CHECK(reply_to({"-p", "/" + std::string(103, 'x')}).exit_code == 1);
}

TEST_CASE("letters may stand together, and long options may be shortened", "[keepalived]") {
  CHECK(line_of({"-nlDP"}) == line_of({"--dont-fork", "--log-console", "--log-det", "--vrrp"}));
  CHECK(line_of({"-f/x"}).file == "/x");
  CHECK(line_of({"--use-file", "/x"}).file == "/x");
  CHECK(line_of({"-DD"}).logs_details);
}

TEST_CASE("a value that is optional is given without a blank", "[keepalived]") {
  CHECK(line_of({"-t"}).test_log.empty());
  CHECK(line_of({"-t/tmp/x"}).test_log == "/tmp/x");
  CHECK(line_of({"--config-test=/tmp/x"}).test_log == "/tmp/x");
  CHECK(line_of({"-t"}).only_tests);
  CHECK(line_of({"-g"}).log_file == "/tmp/keepalived.log");
}

TEST_CASE("the facility of syslog is a name or a number", "[keepalived]") {
  CHECK(line_of({"-S", "3"}).facility == 19);
  CHECK(line_of({"--log-facility=local7"}).facility == 23);
  CHECK(line_of({"-S", "user"}).facility == 1);
  CHECK(reply_to({"-S", "8"}) == Reply{1, "", "Invalid log facility '8'\n"});
}

TEST_CASE("the signals are those that keepalived's scripts send", "[keepalived]") {
  CHECK(reply_to({"--signum=DATA"}) == Reply{0, "10\n", ""});
  CHECK(reply_to({"--signum=STATS"}) == Reply{0, "12\n", ""});
  CHECK(reply_to({"--signum=STATS_CLEAR"}) == Reply{0, "63\n", ""});
  CHECK(reply_to({"--signum=JSON"}) == Reply{0, "36\n", ""});
  CHECK(reply_to({"--signum=RELOAD"}) == Reply{0, "1\n", ""});
  CHECK(reply_to({"--signum=STOP"}) == Reply{0, "15\n", ""});
  CHECK(reply_to({"--signum=FOO"}) == Reply{1, "", "Unknown sigfunc FOO\n"});
}

TEST_CASE("the version is told as keepalived tells it", "[keepalived]") {
  const Reply reply = reply_to({"-v"});
  CHECK(reply.exit_code == 0);
  CHECK(reply.out.empty());
  CHECK(reply.err.rfind("Keepalived v2.2.7 (01/16,2022)\n", 0) == 0);
}

TEST_CASE("what is no option is named", "[keepalived]") {
  CHECK(reply_to({"--bogus"}) == Reply{1, "", "Unknown option --bogus\n"});
  CHECK(reply_to({"-f"}) == Reply{1, "", "Missing value of -f\n"});
  CHECK(reply_to({"-n", "x", "y"}) == Reply{1, "", "Unexpected argument(s): x y\n"});
  CHECK(reply_to({"-u", "x"}) == Reply{1, "", "Invalid umask 'x'\n"});
}

TEST_CASE("a health checker alone is refused", "[keepalived]") {
  CHECK(reply_to({"-C"}).exit_code == 1);
  CHECK(line_of({"-C", "-P"}).ignored == Words{"--check", "--vrrp"});
}

TEST_CASE("the name that it is called by decides", "[keepalived]") {
  CHECK(is_keepalived("keepalived"));
  CHECK(is_keepalived("/usr/sbin/keepalived"));
  CHECK_FALSE(is_keepalived("/usr/sbin/vrrpd"));
  CHECK_FALSE(is_keepalived("keepalived/vrrpd"));
}

}  // namespace
}  // namespace ha::keepalived
