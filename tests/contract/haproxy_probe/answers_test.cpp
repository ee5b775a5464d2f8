/// What HAProxy may answer, and how slowly: foreign text, rows that are no servers, ten thousand
/// servers, a page that is another one, an answer that drips.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "watcher.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

namespace {

using boost::asio::ip::tcp;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

/// A server whose greeting HAProxy quotes in `last_chk`.
class Greeter {
 public:
  Greeter(boost::asio::io_context& io, std::string greeting)
      : acceptor_{io, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}},
        greeting_{std::move(greeting)} {
    fcntl(acceptor_.native_handle(), F_SETFD, FD_CLOEXEC);
    accept();
  }
  [[nodiscard]] int port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      if (error) return;
      error_code ignored;
      boost::asio::write(socket, boost::asio::buffer(greeting_), ignored);
      accept();
    });
  }

  tcp::acceptor acceptor_;
  std::string greeting_;
};

/// A row of the CSV that HAProxy 2.6 would print.
std::string row(const std::string& backend, const std::string& status) {
  std::string line;
  for (int column = 0; column < 128; ++column) {
    if (column == 0) line += backend;
    if (column == 1) line += "vm1";
    if (column == 17) line += status;
    if (column == 32) line += "2";
    if (column == 36) line += "L7OK";
    if (column == 73) line += "127.0.0.1:80";
    line += ',';
  }
  return line + '\n';
}

std::string page_on(int port) {
  return fmt::format(
      "frontend page\n  bind 127.0.0.1:{}\n  stats enable\n  stats uri /stats\n"
      "  stats show-legends\n",
      port);
}

std::string url_on(int port) { return fmt::format("http://127.0.0.1:{}/stats", port); }

/// An answer that comes in small pieces with a pause before each.
class Drip {
 public:
  Drip(boost::asio::io_context& io, const std::string& path, ha::Duration pause)
      : io_{io}, acceptor_{io, stream_protocol::endpoint{path}}, pause_{pause} {
    accept();
  }

 private:
  struct Session {
    stream_protocol::socket socket;
    boost::asio::steady_timer timer;
    std::string left;
  };

  void accept() {
    acceptor_.async_accept([this](const error_code& error, stream_protocol::socket socket) {
      if (error) return;
      error_code ignored;
      std::array<char, 100> question{};
      socket.read_some(boost::asio::buffer(question), ignored);  // sent before it was accepted
      continue_with(std::make_shared<Session>(
          Session{std::move(socket), boost::asio::steady_timer{io_},
                  "Name: HAProxy\nPid: 1\nStopping: 0\n\n# pxname,svname,status,type,\n"
                  "jenkins_backend_a,s,UP,2,\n\n"}));
      accept();
    });
  }
  void continue_with(const std::shared_ptr<Session>& session) {
    if (session->left.empty()) return;
    session->timer.expires_after(pause_);
    session->timer.async_wait([this, session](const error_code& error) {
      if (error) return;
      constexpr std::size_t kPiece = 10;
      error_code ignored;
      boost::asio::write(session->socket, boost::asio::buffer(session->left.substr(0, kPiece)),
                         ignored);
      session->left.erase(0, kPiece);
      continue_with(session);
    });
  }

  boost::asio::io_context& io_;
  stream_protocol::acceptor acceptor_;
  ha::Duration pause_;
};

}  // namespace

TEST_CASE("what a server makes HAProxy quote forges no row, no prompt and no end of the answer") {
  Machine machine;
  const Greeter greeter{machine.io, "x\"\n\n> \n" + row("jenkins_backend_tw", "DOWN") +
                                        row("jenkins_backend_forged", "UP") +
                                        "\n\nPid: 1\nStopping: 1\n"};
  const int port = free_port(machine.io);
  machine.extra = fmt::format(
      "  timeout check 1s\n"
      "backend hostile\n  mode tcp\n  option tcp-check\n  tcp-check connect\n"
      "  tcp-check expect string WELCOME on-error \"%[res.payload(0,0)]\"\n"
      "  server evil 127.0.0.1:{} check inter 20ms\n"
      "backend unclear\n  server tracking 127.0.0.1:1 no-check track jenkins_backend_ma/vm1\n{}",
      greeter.port(), page_on(port));
  machine.start();
  REQUIRE(poll_until(machine.io, [&] {
    const std::string answer = ask(machine.socket(), "show stat -1 4 -1\n").value_or("");
    return answer.find("\n> \njenkins_backend_tw,vm1") != std::string::npos;
  }));
  // Because of the server that tracks another one `show stat` is asked.
  const bool by_page = GENERATE(false, true);
  const std::string stats = by_page ? url_on(port) : machine.socket();
  ProbeConfig patient = config(stats);
  patient.timeout = kPatient;
  Watcher watcher{machine.io, patient};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers >= 3; }));
  CHECK(overall_line(watcher.report()) ==
        "Overall: 4/4 (100%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:UP(1/1) tw:UP(1/1)");
  CHECK(watcher.unusable == 0);
}

TEST_CASE("rows of frontends, backends and listeners are no servers, whatever they are called") {
  Machine machine;
  const int port = free_port(machine.io);
  machine.extra =
      page_on(port) + fmt::format(
                          "listen jenkins_backend_both\n  bind 127.0.0.1:{} name BACKEND\n"
                          "  option socket-stats\n"
                          "  server FRONTEND 127.0.0.1:{} check inter 20ms\n"
                          "  server BACKEND 127.0.0.1:1 check inter 20ms fall 1\n",
                          free_port(machine.io), port);
  machine.start();
  ProbeConfig everywhere = config(url_on(port));
  everywhere.scope = ServerScope::kAll;  // those rows have no address
  Watcher watcher{machine.io, everywhere};
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 5; }));
  CHECK(overall_line(watcher.report()) ==
        "Overall: 5/6 (83%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:UP(1/1) tw:UP(1/1) both:UP(1/2)");
}

TEST_CASE("ten thousand servers are read, and seen to go down together") {
  Machine machine;
  const int port = free_port(machine.io);
  machine.extra = page_on(port);
  for (int server = 0; server < 10'000; ++server) {
    if (server % 100 == 0) {
      machine.extra += fmt::format("backend jenkins_backend_many{}\n", server / 100);
    }
    machine.extra += fmt::format(
        "  server vm{} 127.0.0.1:1 no-check track jenkins_backend_devops/vm1\n", server);
  }
  machine.start();
  const bool by_page = GENERATE(false, true);
  const std::string stats = by_page ? url_on(port) : machine.socket();
  ProbeConfig patient = config(stats);
  patient.timeout = kPatient;
  patient.grace = 0s;
  Watcher watcher{machine.io, patient};
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 10'004; }));
  CHECK(watcher.report().teams.size() == 104);
  CHECK(watcher.is(Verdict::kHealthy));
  machine.teams.stop(0);
  REQUIRE(poll_until(machine.io, [&] {
    return watcher.is(Verdict::kUnhealthy) || watcher.report().servers_up == 3;
  }));
  CHECK(watcher.report().reason.find("0% is below 50%") != std::string::npos);
  CHECK(watcher.unusable == 0);
}

TEST_CASE("a page of something else is unusable: the verdict is held, and down in the end") {
  Machine machine;
  const int port = free_port(machine.io);
  const int other = free_port(machine.io);
  machine.extra =
      page_on(port) + fmt::format(
                          "frontend other\n  bind 127.0.0.1:{}\n  http-request return status 200 "
                          "content-type text/html string \"<html>welcome</html>\"\n",
                          other);
  machine.start();
  ProbeConfig wrong = config(fmt::format("http://127.0.0.1:{}/", other));
  wrong.stale_after = 1s;
  Watcher watcher{machine.io, wrong};
  REQUIRE(poll_until(machine.io, [&] { return watcher.unusable > 0; }));
  CHECK(watcher.is(Verdict::kUnknown));
  CHECK(watcher.last_reason.find("no statistics in the answer, which ends with \"<html>welcome") !=
        std::string::npos);
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kDown); }));
  CHECK(watcher.gone == 0);
}

TEST_CASE("a hung HAProxy keeps its page's verdict until it is stale") {
  Machine machine;
  const int port = free_port(machine.io);
  machine.extra = page_on(port);
  machine.start();
  ProbeConfig quick = config(url_on(port));
  quick.timeout = 50ms;
  quick.stale_after = 1s;
  Watcher watcher{machine.io, quick};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  machine.haproxy->signal(SIGSTOP);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().alarm.has_value(); }));
  CHECK(watcher.is(Verdict::kHealthy));
  CHECK(watcher.report().alarm == quick.stats + ": no whole answer in time");
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kDown); }));
  CHECK(watcher.gone == 0);
  machine.haproxy->signal(SIGCONT);
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
}

TEST_CASE("an answer may come slowly, but has to be whole within the timeout") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory / "s";
  const Drip drip{io, path, 5ms};  // 10 pieces
  ProbeConfig everywhere = config(path);
  everywhere.scope = ServerScope::kAll;
  SECTION("which it is") {
    everywhere.timeout = kPatient;
    Watcher watcher{io, everywhere};
    REQUIRE(poll_until(io, [&] { return watcher.is(Verdict::kHealthy); }));
    CHECK(watcher.unusable == 0);
  }
  SECTION("which it is not, though something comes all the time") {
    everywhere.timeout = 20ms;
    Watcher watcher{io, everywhere};
    REQUIRE(poll_until(io, [&] { return watcher.unusable > 0; }));
    CHECK(watcher.answers == 0);
    CHECK(watcher.last_reason == path + ": no whole answer in time");
  }
}

TEST_CASE("where only one connection is allowed, ours does not lock us out") {
  Machine machine;
  machine.start();  // the tests' own questions need more
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return machine.haproxy->has_ended(); }));
  std::ofstream{machine.configuration_file(), std::ios::app} << "global\n  stats maxconn 1\n";
  machine.haproxy = machine.run({});
  ProbeConfig quick = config(machine.socket());
  quick.timeout = 50ms;
  Watcher watcher{machine.io, quick};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  const int answers = watcher.answers;
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers >= answers + 5; }));
  CHECK(watcher.is(Verdict::kHealthy));
}

TEST_CASE("a reload that fails changes nothing") {
  Machine machine;
  const std::string master = machine.directory / "master.sock";
  machine.start({"-W", "-S", master});
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  const pid_t worker = machine.worker();
  const auto master_says = [&](const std::string& text) {
    const std::string processes = ask(master, "show proc\nquit\n").value_or("");
    return processes.find(text) != std::string::npos;
  };
  REQUIRE(poll_until(machine.io, [&] { return master_says(fmt::format("\n{} ", worker)); }));
  std::ofstream{machine.configuration_file(), std::ios::app} << "nonsense\n";
  REQUIRE(ask(master, "reload\n"));
  REQUIRE(poll_until(machine.io, [&] { return master_says("[failed: 1]"); }));
  const int answers = watcher.answers;
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers > answers + 1; }));
  CHECK(machine.worker() == worker);
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kHealthy));
}
