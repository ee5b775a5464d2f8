/// HAProxy's other ways to tell: the statistics page, a ring of events, `show servers state`.

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>

#include "haproxy_probe/stats.hpp"
#include "watcher.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

namespace {

/// A statistics page that shows addresses, behind a password.
struct Page {
  explicit Page(Machine& machine) : port{free_port(machine.io)} {
    machine.extra = fmt::format(
        "frontend page\n  bind 127.0.0.1:{}\n  stats enable\n  stats uri /stats\n"
        "  stats show-legends\n  stats auth admin:s3cret\n",
        port);
  }
  [[nodiscard]] ProbeConfig config(const std::string& path = "/stats") const {
    ProbeConfig config = test::config(fmt::format("http://127.0.0.1:{}{}", port, path));
    config.credentials = "admin:s3cret";
    return config;
  }
  int port;
};

ProbeConfig with_ring(const Machine& machine, ha::Duration interval) {
  ProbeConfig config = test::config(machine.socket());
  config.events = "events";
  config.interval = interval;
  return config;
}

}  // namespace

TEST_CASE("the statistics page gives the same verdict as the socket") {
  Machine machine;
  const Page page{machine};
  machine.start();
  Watcher watcher{machine.io, page.config()};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  CHECK(overall_line(watcher.report()) ==
        "Overall: 4/4 (100%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:UP(1/1) tw:UP(1/1)");
  machine.teams.stop(2);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 3; }));
  CHECK_FALSE(watcher.report().alarm);
}

TEST_CASE(
    "a killed HAProxy is seen through the page's held connection, without waiting for a poll") {
  Machine machine;
  const Page page{machine};
  machine.start();
  ProbeConfig lazy = page.config();
  lazy.interval = kNever;
  Watcher watcher{machine.io, lazy};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers == 1; }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone == 1; }));
  CHECK(watcher.last_reason == fmt::format("connect {}: Connection refused", lazy.stats));
}

TEST_CASE("reloads are no death for who reads the page, and no old process is kept alive") {
  Machine machine;
  const Page page{machine};
  machine.start();
  Watcher watcher{machine.io, page.config()};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  reload(machine, watcher, 5);
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kHealthy));
}

TEST_CASE("a page that is refused or missing is unusable, with the reason") {
  Machine machine;
  const Page page{machine};
  machine.start();
  ProbeConfig wrong = page.config();
  std::string reason;
  SECTION("the password is wrong") {
    wrong.credentials = "admin:wrong";
    reason = ": HTTP status 401: check `credentials_file`";
  }
  SECTION("there is nothing at that path") {
    wrong = page.config("/elsewhere");
    reason = ": HTTP status \"503 Service Unavailable\"";
  }
  Watcher watcher{machine.io, wrong};
  REQUIRE(poll_until(machine.io, [&] { return watcher.unusable > 0; }));
  CHECK(watcher.last_reason == wrong.stats + reason);
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kUnknown));
}

TEST_CASE("a page without addresses raises an alarm that names the remedy") {
  Machine machine;
  const Page page{machine};
  machine.extra.erase(machine.extra.find("  stats show-legends\n"), 21);
  machine.start();
  Watcher watcher{machine.io, page.config()};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers > 0; }));
  CHECK(watcher.report().alarm ==
        "HAProxy shows no server addresses: its page needs `stats show-legends`");
}

TEST_CASE("an event of the ring leads to a poll at once") {
  Machine machine;
  machine.start();
  const ProbeConfig lazy = with_ring(machine, kNever);
  Watcher watcher{machine.io, lazy};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers >= 1; }));
  machine.teams.stop(2);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 3; }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone == 1; }));
}

TEST_CASE("a storm of events is survived, and its end is what is known") {
  Machine machine;
  machine.start();
  const ProbeConfig lazy = with_ring(machine, kNever);
  Watcher watcher{machine.io, lazy};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers >= 1; }));
  std::string storm;
  for (int i = 0; i < 100; ++i) {
    storm += "disable server jenkins_backend_ma/vm1;enable server jenkins_backend_ma/vm1;";
  }
  const int before = watcher.answers;
  static_cast<void>(machine.administer(storm + "disable server jenkins_backend_ma/vm1"));
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers == 3; }));
  CHECK(watcher.answers - before < 100);
  static_cast<void>(machine.administer("enable server jenkins_backend_ma/vm1"));
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers == 4; }));
}

TEST_CASE("reloads are no death for who follows the ring, and no complaint either") {
  Machine machine;
  machine.start();
  const ProbeConfig lazy = with_ring(machine, 20ms);
  Watcher watcher{machine.io, lazy};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  reload(machine, watcher, 5);
  CHECK(watcher.gone == 0);
  REQUIRE(poll_until(machine.io, [&] { return !watcher.report().alarm; }));
  CHECK(watcher.is(Verdict::kHealthy));
}

TEST_CASE("a ring that does not exist is an alarm, and the verdict is there all the same") {
  Machine machine;
  machine.start();
  ProbeConfig wrong = with_ring(machine, 20ms);
  wrong.events = "nosuch";
  Watcher watcher{machine.io, wrong};
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().alarm.has_value(); }));
  CHECK(watcher.report().alarm ==
        "the events of ring nosuch cannot be followed: \"No such event sink\"");
  CHECK(watcher.is(Verdict::kHealthy));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone > 0; }));
}

TEST_CASE("`show servers state` and `show stat` say the same of every server") {
  Machine machine;
  const int port = free_port(machine.io);
  // An interval is also how long a check may take to connect. One 404 after a check that failed
  // leaves a server down for good.
  machine.extra = fmt::format(
      "frontend up\n  bind 127.0.0.1:{0}\n  http-request return status 404 if {{ path /away }}\n"
      "resolvers none\n  nameserver none 127.0.0.1:1\n"
      "backend odd\n"
      "  option httpchk\n  http-check send meth GET uri /away\n  http-check disable-on-404\n"
      "  server away 127.0.0.1:{0} check inter 300ms\n"
      "backend many\n"
      "  server up 127.0.0.1:{0} check inter 300ms\n"
      "  server slow 127.0.0.1:{0} check inter 300ms slowstart 1h\n"
      "  server dead 127.0.0.1:1 check inter 300ms fall 1\n"
      "  server weightless 127.0.0.1:{0} check inter 300ms weight 0\n"
      "  server BACKEND 127.0.0.1:{0} check inter 300ms backup\n"
      "  server disabled 127.0.0.1:{0} check disabled\n"
      "  server maintained 127.0.0.1:{0} check inter 300ms\n"
      "  server drained 127.0.0.1:{0} check inter 300ms\n"
      "  server drained-dead 127.0.0.1:1 check inter 300ms fall 1\n"
      "  server unresolved nowhere.invalid:80 check resolvers none init-addr none\n"
      "  server unresolved-maintained nowhere.invalid:80 check resolvers none init-addr none\n"
      "  server never 127.0.0.1:{0} check inter 1h\n"
      "  server unchecked 127.0.0.1:{0} no-check\n"
      "  server tracks-up 127.0.0.1:{0} no-check track many/up\n"
      "  server tracks-dead 127.0.0.1:{0} no-check track many/dead\n"
      "  server agent-only 127.0.0.1:{0} no-check agent-check agent-port 1 agent-inter 300ms\n"
      "  server agent-too 127.0.0.1:{0} check inter 300ms agent-check agent-port 1\n"
      "  server socket unix@/nonexistent check inter 300ms fall 1\n"
      "  server six [::1]:1 check inter 300ms fall 1\n",
      port);
  std::ofstream{machine.configuration_file()} << machine.teams.configuration(machine.directory)
                                              << machine.extra;
  machine.haproxy = machine.run({});
  const auto read = [&](const std::string& command) {
    return parse_answer(ask(machine.socket(), "show info;" + command + "\n").value_or(""));
  };
  for (const std::string server : {"maintained", "unresolved-maintained"}) {
    REQUIRE(poll_until(machine.io, [&] {
      return machine.administer("set server many/" + server + " state maint") == "\n";
    }));
  }
  for (const std::string server : {"drained", "drained-dead"}) {
    CHECK(machine.administer("set server many/" + server + " state drain") == "\n");
  }
  const auto by_name = [](const Answer& answer, const std::string& name) {
    return *std::find_if(answer.servers.begin(), answer.servers.end(),
                         [&](const ServerRow& row) { return row.server == name; });
  };
  // All but one have been checked, and the 404 has been seen.
  REQUIRE(poll_until(machine.io, [&] {
    const auto answer = read("show stat -1 4 -1");
    return answer && by_name(*answer, "away").status == ServerClass::kExcluded &&
           std::count_if(answer->servers.begin(), answer->servers.end(), [](const ServerRow& row) {
             return row.status == ServerClass::kUnknown;
           }) == 3;  // never, unchecked, agent-only
  }));
  const auto stat = read("show stat -1 4 -1");
  const auto state = read("show servers state");
  REQUIRE(stat);
  REQUIRE(state);
  CHECK(state->unclear);
  CHECK(state->identity == stat->identity);
  REQUIRE(state->servers.size() == stat->servers.size());
  for (std::size_t i = 0; i < stat->servers.size(); ++i) {
    const ServerRow& row = stat->servers[i];
    INFO(row.server);
    CHECK(state->servers[i].server == row.server);
    if (row.server == "unchecked" || row.server == "tracks-up" || row.server == "agent-only") {
      continue;  // these are what makes it unclear
    }
    CHECK(state->servers[i].status == row.status);
    CHECK(state->servers[i].address == row.address);
  }
  CHECK(by_name(*stat, "up").status == ServerClass::kUp);
  CHECK(by_name(*stat, "slow").status == ServerClass::kUp);
  CHECK(by_name(*stat, "BACKEND").status == ServerClass::kUp);
  CHECK(by_name(*stat, "tracks-up").status == ServerClass::kUp);
  CHECK(by_name(*stat, "tracks-dead").status == ServerClass::kDown);
  CHECK(by_name(*stat, "drained").status == ServerClass::kExcluded);
  CHECK(by_name(*stat, "unresolved").status == ServerClass::kDown);
}

TEST_CASE("when no more connections are allowed the verdict is held, and returns with them") {
  using boost::asio::local::stream_protocol;
  Machine machine;
  machine.start();
  ProbeConfig quick = config(machine.socket());
  quick.timeout = 50ms;
  quick.stale_after = 1h;
  Watcher watcher{machine.io, quick};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  {
    std::vector<stream_protocol::socket> idle;
    for (int i = 0; i < 12; ++i) {
      idle.emplace_back(machine.io);
      idle.back().connect(stream_protocol::endpoint{machine.socket()});
    }
    REQUIRE(poll_until(machine.io, [&] { return watcher.unusable > 0; }));
    CHECK(watcher.last_reason == machine.socket() + ": no whole answer in time");
    CHECK(watcher.is(Verdict::kHealthy));
  }
  const int answers = watcher.answers;
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers > answers; }));
  CHECK(watcher.gone == 0);
}

TEST_CASE("a container that is restarted is gone, and then another HAProxy at the same place") {
  Machine machine;
  machine.start();
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return machine.haproxy->has_ended(); }));
  std::filesystem::remove(machine.socket());
  REQUIRE(poll_until(machine.io, [&] {
    return watcher.last_reason == "connect " + machine.socket() + ": No such file or directory";
  }));
  CHECK(watcher.is(Verdict::kDown));
  machine.start();
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
}

TEST_CASE("a socket whose file is replaced by another HAProxy's is followed to it") {
  Machine machine;
  machine.start();
  ProbeConfig quick = config(machine.socket());
  Watcher watcher{machine.io, quick};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  const std::unique_ptr<Process> old = std::move(machine.haproxy);
  machine.start();  // without -sf: both run, the new one has the socket
  REQUIRE(poll_until(machine.io, [&] { return machine.worker() == machine.haproxy->pid(); }));
  const int answers = watcher.answers;
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers > answers + 1; }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone > 0; }));
  CHECK_FALSE(old->has_ended());
}

TEST_CASE("the socket of a master is named as what it is") {
  Machine machine;
  const std::string master = machine.directory / "master.sock";
  machine.start({"-W", "-S", master});
  Watcher watcher{machine.io, config(master)};
  REQUIRE(poll_until(machine.io, [&] { return watcher.unusable > 0; }));
  CHECK(watcher.last_reason.find("perhaps this is the socket of a master process") !=
        std::string::npos);
}
