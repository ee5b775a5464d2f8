/// Checks against what they really watch: processes, ports, files. What they do to addresses is in
/// tests/netns.
#include "vrrpd/checks/checks.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ha::checks {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using test::poll_until;
using Verdict = Health::Verdict;

class Machine {
 public:
  boost::asio::io_context io{1};
  vrrp::Subprocesses subprocesses{io};
  Systemd systemd{io};
  bool link_up = true;
  int changes = 0;
  Checks checks{{io, subprocesses, systemd, [this](const std::string&) { return link_up; }},
                [this](const CheckConfig&, const Health&, bool changed) { changes += changed; }};

  static CheckConfig fast(Probe probe, Duration interval = 20ms) {
    return {"it", std::move(probe), interval, 30s, 1, 1, 0s, Initial::kUnknown};
  }
  void run(CheckConfig check) { checks.apply({std::move(check)}); }
  const Health& health() const { return *checks.health("it"); }
  bool becomes(Verdict verdict) {
    return poll_until(io, [&] { return health().verdict == verdict; });
  }
  bool becomes_healthy() { return becomes(Verdict::kHealthy); }
  bool becomes_unhealthy() { return becomes(Verdict::kUnhealthy); }
};

/// A child of this name that lives until it is killed.
class Agent {
 public:
  /// Returns when it bears its name.
  explicit Agent(const char* name) {
    int named[2];
    REQUIRE(::pipe(named) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::prctl(PR_SET_NAME, name);
      ::close(named[0]);
      ::close(named[1]);
      for (;;) ::pause();
    }
    ::close(named[1]);
    char nothing = 0;
    CHECK(::read(named[0], &nothing, 1) == 0);  // it has closed its end
    ::close(named[0]);
  }
  ~Agent() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  void kill() const { ::kill(pid_, SIGKILL); }

 private:
  pid_t pid_ = -1;
};

TEST_CASE("a process is counted by its name, and its end is noticed before the next look",
          "[checks]") {
  Machine machine;
  const Agent one{"vrrpd-ag (1) x"};
  const Agent two{"vrrpd-ag (1) x"};
  machine.run(Machine::fast(ProcessProbe{"vrrpd-ag (1) x", 2, 2}, 1h));
  REQUIRE(machine.becomes_healthy());
  CHECK(machine.health().reason == "2 are running");
  one.kill();  // and stays a zombie, which is no running process
  REQUIRE(machine.becomes_unhealthy());
  CHECK(machine.health().reason == "1 is running");
}

TEST_CASE("more processes than wanted are not healthy either", "[checks]") {
  Machine machine;
  const Agent one{"vrrpd-agent-2"};
  const Agent two{"vrrpd-agent-2"};
  machine.run(Machine::fast(ProcessProbe{"vrrpd-agent-2", 0, 1}));
  REQUIRE(machine.becomes_unhealthy());
}

TEST_CASE("a process is told from others by its arguments", "[checks]") {
  using Match = ProcessProbe::Match;
  // A number of seconds that nobody else sleeps.
  const std::string seconds = "99" + std::to_string(::getpid()) + ".5";
  const pid_t sleeper = ::fork();
  if (sleeper == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl("/bin/sleep", "sleep", seconds.c_str(), "1", nullptr);
    ::_exit(1);
  }
  Machine machine;
  const auto looks_for = [&](Match match, const std::vector<std::string>& arguments) {
    machine.run(Machine::fast(ProcessProbe{"sleep", 1, 1, match, arguments}));
  };
  looks_for(Match::kExact, {seconds, "1"});
  REQUIRE(machine.becomes_healthy());
  looks_for(Match::kExact, {seconds});
  REQUIRE(machine.becomes_unhealthy());
  looks_for(Match::kBeginning, {seconds});
  REQUIRE(machine.becomes_healthy());
  looks_for(Match::kInitial, {seconds, ""});
  REQUIRE(machine.becomes_healthy());
  looks_for(Match::kExact, {seconds, "1"});
  ::kill(sleeper, SIGKILL);
  REQUIRE(machine.becomes_unhealthy());
  ::waitpid(sleeper, nullptr, 0);
}

TEST_CASE("a port is healthy while somebody listens", "[checks]") {
  Machine machine;
  tcp::acceptor acceptor{machine.io, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  const auto endpoint = acceptor.local_endpoint();
  machine.run(Machine::fast(TcpProbe{endpoint.address(), endpoint.port()}));
  REQUIRE(machine.becomes_healthy());
  acceptor.close();
  REQUIRE(machine.becomes_unhealthy());
  CHECK(machine.health().reason == "connect: Connection refused");
}

/// Answers each connection with one text, or with silence.
class Server {
 public:
  Server(boost::asio::io_context& io, std::string answer)
      : acceptor_{io, {boost::asio::ip::make_address("::1"), 0}}, answer_{std::move(answer)} {
    accept();
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
      if (error) return;
      boost::system::error_code ignored;
      socket.send(boost::asio::buffer(answer_), 0, ignored);
      connections_.push_back(std::move(socket));
      accept();
    });
  }
  tcp::acceptor acceptor_;
  std::string answer_;
  std::vector<tcp::socket> connections_;
};

TEST_CASE("a page is healthy if the answer has one of the codes", "[checks]") {
  const auto outcome = [](const std::string& answer, Duration timeout = 30s) {
    Machine machine;
    Server server{machine.io, answer};
    CheckConfig check = Machine::fast(
        HttpProbe{boost::asio::ip::make_address("::1"), server.port(), "/", "", 200, 299});
    check.timeout = timeout;
    machine.run(check);
    REQUIRE(poll_until(machine.io, [&] { return machine.health().verdict != Verdict::kUnknown; }));
    return machine.health();
  };
  CHECK(outcome("HTTP/1.1 200 OK\r\n\r\n") == Health{Verdict::kHealthy, 0, "answered with 200"});
  CHECK(outcome("HTTP/1.1 503 No\r\n\r\n") == Health{Verdict::kUnhealthy, 0, "answered with 503"});
  CHECK(outcome("SSH-2.0-x\r\n").reason == "the answer is no HTTP response");
  CHECK(outcome(std::string(5000, 'x')).reason == "the answer is no HTTP response");
  CHECK(outcome("", 100ms).reason == "took too long");
}

TEST_CASE("a file is healthy while it is there, or while it is not, or says a number", "[checks]") {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "file";
  Machine machine;
  machine.run(Machine::fast(FileProbe{path, FileProbe::Present::kUnhealthy}));
  REQUIRE(machine.becomes_healthy());
  std::ofstream{path} << "-12\n";
  REQUIRE(machine.becomes_unhealthy());
  CHECK(machine.health().reason == path + " is there");

  machine.run(Machine::fast(FileProbe{path, FileProbe::Present::kNumber}));
  REQUIRE(machine.becomes_healthy());
  CHECK(machine.health().number == -12);
  std::ofstream{path} << "twelve\n";
  REQUIRE(machine.becomes_unhealthy());
  std::filesystem::remove(path);
  REQUIRE(poll_until(machine.io, [&] { return machine.health().number == 0; }));
}

TEST_CASE("a file that is missing is made when the check begins, and not again later", "[checks]") {
  const auto path =
      std::filesystem::temp_directory_path() / ("vrrpd-made-" + std::to_string(::getpid()));
  std::filesystem::remove(path);
  Machine machine;
  machine.run(Machine::fast(FileProbe{path, FileProbe::Present::kNumber, -7}));
  REQUIRE(machine.becomes_healthy());
  CHECK(machine.health().number == -7);
  std::filesystem::remove(path);
  REQUIRE(poll_until(machine.io, [&] { return machine.health().number == 0; }));
  CHECK_FALSE(std::filesystem::exists(path));

  std::ofstream{path} << "5\n";
  machine.run(Machine::fast(FileProbe{path, FileProbe::Present::kNumber, 3}));
  REQUIRE(poll_until(machine.io, [&] { return machine.health().number == 5; }));
  std::filesystem::remove(path);
}

TEST_CASE("a link's news make the check look at once", "[checks]") {
  Machine machine;
  machine.run(Machine::fast(InterfaceProbe{"eth9"}, 1h));
  REQUIRE(machine.becomes_healthy());
  machine.link_up = false;
  machine.checks.links_changed();
  REQUIRE(machine.becomes_unhealthy());
  CHECK(machine.health().reason == "down or missing");
}

TEST_CASE("a check with other settings goes on from its verdict, a new one from what is given",
          "[checks]") {
  Machine machine;
  machine.run(Machine::fast(InterfaceProbe{"eth9"}, 1h));
  REQUIRE(machine.becomes_healthy());
  machine.run(Machine::fast(InterfaceProbe{"eth8"}, 1h));
  CHECK(machine.health().verdict == Verdict::kHealthy);
  CHECK(machine.changes == 1);

  CheckConfig other = Machine::fast(InterfaceProbe{"eth9"});
  other.name = "other";
  machine.checks.apply({other}, {{"other", {Verdict::kUnhealthy, 3}}});
  CHECK(machine.checks.health("it") == nullptr);
  CHECK(machine.checks.health("other")->verdict == Verdict::kUnhealthy);
}

}  // namespace
}  // namespace ha::checks
