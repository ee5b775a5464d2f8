/// The client and the evaluator against a real HAProxy, and against sockets that are none.

#include "haproxy_probe/client.hpp"

#include <algorithm>
#include <cerrno>

#include "watcher.hpp"

using namespace ha::probe;
using namespace ha::probe::test;

TEST_CASE("with every server up the verdict is healthy") {
  Machine machine;
  machine.start();
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  CHECK(overall_line(watcher.report()) ==
        "Overall: 4/4 (100%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:UP(1/1) tw:UP(1/1)");
  CHECK(watcher.report().reason == "NO FAILOVER: 100% is not below 50%; 4 healthy teams");
}

TEST_CASE("one dead server of four moves nothing, three are unhealthy after the grace") {
  Machine machine;
  machine.start();
  ProbeConfig quick = config(machine.socket());
  quick.grace = 200ms;
  Watcher watcher{machine.io, quick};
  machine.teams.stop(2);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 3; }));
  CHECK(watcher.report().reason == "NO FAILOVER: 75% is not below 50%; 3 healthy teams");
  machine.teams.stop(1);
  machine.teams.stop(3);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().servers_up == 1; }));
  CHECK(watcher.is(Verdict::kHealthy));
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kUnhealthy); }));
}

TEST_CASE("a killed HAProxy is seen through the held connection, without waiting for a poll") {
  Machine machine;
  machine.start();
  ProbeConfig lazy = config(machine.socket());
  lazy.interval = kNever;
  lazy.timeout = kPatient;
  Watcher watcher{machine.io, lazy};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers == 1; }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone == 1; }));
  CHECK(watcher.is(Verdict::kDown));
  CHECK(watcher.last_reason == "connect " + machine.socket() + ": Connection refused");
  CHECK(watcher.unusable == 0);
}

TEST_CASE("a restarted HAProxy is healthy again after recover") {
  Machine machine;
  machine.start();
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  machine.haproxy->signal(SIGKILL);
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kDown); }));
  machine.start();
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
}

TEST_CASE("the held connection has a time limit of its own, not HAProxy's ten seconds") {
  Machine machine;
  machine.start();
  ProbeConfig holding = config(machine.socket());
  holding.events = GENERATE("", "events");
  const Watcher watcher{machine.io, holding};
  REQUIRE(poll_until(machine.io, [&] {
    return ask(machine.socket(), "show sess\n").value_or("").find("rx=23h59m") != std::string::npos;
  }));
}

TEST_CASE("a stopped HAProxy is held as it was, then down after stale_after, then heard again") {
  Machine machine;
  machine.start();
  ProbeConfig quick = config(machine.socket());
  quick.timeout = 50ms;
  quick.stale_after = 1s;
  Watcher watcher{machine.io, quick};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  machine.haproxy->signal(SIGSTOP);
  REQUIRE(poll_until(machine.io, [&] { return watcher.report().alarm.has_value(); }));
  CHECK(watcher.is(Verdict::kHealthy));
  CHECK(watcher.report().alarm == machine.socket() + ": no whole answer in time");
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kDown); }));
  CHECK(watcher.gone == 0);
  machine.haproxy->signal(SIGCONT);
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
}

TEST_CASE("twenty reloads by -sf are never taken for a death, and no old process is kept alive") {
  Machine machine;
  machine.start();
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  reload(machine, watcher, 20);
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kHealthy));
}

TEST_CASE(
    "twenty reloads of a master are never taken for a death, and no old worker is kept alive") {
  Machine machine;
  const std::string master = machine.directory / "master.sock";
  machine.start({"-W", "-S", master});
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  for (int reload = 0; reload < 20; ++reload) {
    const pid_t old = machine.worker();
    REQUIRE(old > 0);
    // A master that has not finished its last reload would miss this one.
    REQUIRE(poll_until(machine.io, [&] {
      const std::string processes = ask(master, "show proc\nquit\n").value_or("");
      return processes.find(fmt::format("\n{} ", old)) != std::string::npos;
    }));
    REQUIRE(ask(master, "reload\n"));
    REQUIRE(
        poll_until(machine.io, [&] { return machine.worker() > 0 && machine.worker() != old; }));
    REQUIRE(poll_until(machine.io, [&] { return kill(old, 0) != 0; }));
  }
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kHealthy));
}

TEST_CASE("an HAProxy that stops softly is gone, and may leave") {
  Machine machine;
  machine.start();
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  machine.haproxy->signal(SIGUSR1);
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kDown); }));
  REQUIRE(poll_until(machine.io, [&] { return machine.haproxy->has_ended(); }));
}

TEST_CASE("a socket that is missing at the start is gone until HAProxy makes it") {
  Machine machine;
  Watcher watcher{machine.io, config(machine.socket())};
  REQUIRE(poll_until(machine.io, [&] { return watcher.gone > 0; }));
  CHECK(watcher.is(Verdict::kDown));
  CHECK(watcher.last_reason == "connect " + machine.socket() + ": No such file or directory");
  machine.start();
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
}

TEST_CASE("a stats socket of level user is enough while `show servers state` tells all") {
  Machine machine;
  machine.start();
  const Watcher watcher{machine.io, config(machine.directory / "user.sock")};
  REQUIRE(poll_until(machine.io, [&] { return watcher.is(Verdict::kHealthy); }));
  CHECK_FALSE(watcher.report().alarm);
}

TEST_CASE("where `show stat` has to be asked, level user raises an alarm that names the remedy") {
  Machine machine;
  machine.extra =
      "backend other\n  server tracking 127.0.0.1:1 no-check track jenkins_backend_ma/vm1\n";
  machine.start();
  const Watcher watcher{machine.io, config(machine.directory / "user.sock")};
  REQUIRE(poll_until(machine.io, [&] { return watcher.answers > 0; }));
  CHECK(watcher.is(Verdict::kUnknown));
  CHECK(watcher.report().alarm ==
        "HAProxy shows no server addresses: its stats socket needs `level operator`");
}

TEST_CASE("what answers but is no HAProxy is unusable, and is not asked without end") {
  using Then = Impostor::Then;
  static constexpr const char* kSilence = "no whole answer in time";
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory / "s";
  const auto [says, then, reason] = GENERATE(table<std::string, Then, std::string>({
      {"SSH-2.0-OpenSSH_9.2\r\n", Then::kKeep,
       "not an answer of HAProxy: \"SSH-2.0-OpenSSH_9.2?\""},
      {"", Then::kClose, ""},
      {"", Then::kKeep, kSilence},
      {"Name: HAProxy\nPid: 1\n\n# pxname,svname,status,type,\nb,s,", Then::kKeep, kSilence},
      {"Name: HAProxy\nPid: 1\n\n# pxname,svname,status,type,\nb,s,", Then::kClose, ""},
  }));
  CAPTURE(says);
  Impostor impostor{io, path, says, then};
  ProbeConfig quick = config(path);
  quick.timeout = reason == kSilence ? 50ms : kPatient;
  Watcher watcher{io, quick};
  REQUIRE(poll_until(io, [&] { return watcher.unusable == 4; }));
  CHECK(watcher.gone == 0);
  CHECK(watcher.is(Verdict::kUnknown));
  CHECK(watcher.last_reason.find(reason) != std::string::npos);
  CHECK(impostor.connections <= 4 * (1 + 3));  // each poll and its three repetitions
}

TEST_CASE("what answers well but keeps no connection is not asked without end") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  const std::string path = directory / "s";
  Impostor impostor{
      io, path,
      "Name: HAProxy\nPid: 1\n\n# pxname,svname,status,type,\njenkins_backend_a,s,UP,2,\n\n",
      Impostor::Then::kClose};
  ProbeConfig everywhere = config(path);
  everywhere.interval = kNever;
  everywhere.scope = ServerScope::kAll;
  Watcher watcher{io, everywhere};
  // The first poll, the held connection, and the poll that its end causes; then nothing is left to
  // do.
  REQUIRE(poll_until(io, [&] { return watcher.answers + watcher.unusable == 2; }));
  io.poll();
  CHECK(impostor.connections <= 5);
}

TEST_CASE("a socket that cannot be asked is unusable, with the reason") {
  boost::asio::io_context io;
  const TemporaryDirectory directory;
  std::string path = directory / "s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  const auto bind_to = [&](int type) {
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    REQUIRE(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return fd;
  };
  std::vector<int> open;
  std::string reason;
  SECTION("because it is of another kind") {
    open.push_back(bind_to(SOCK_DGRAM));
    reason = "Protocol wrong type for socket";
  }
  SECTION("because its queue is full") {
    open.push_back(bind_to(SOCK_STREAM));
    REQUIRE(listen(open.front(), 0) == 0);
    for (;;) {
      open.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (connect(open.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        break;
    }
    reason = "Resource temporarily unavailable";
  }
  SECTION("because its path is too long") {
    path = "/" + std::string(200, 'x');
    reason = "File name too long";
  }
  {
    Watcher watcher{io, config(path)};
    REQUIRE(poll_until(io, [&] { return watcher.unusable > 0; }));
    CHECK(watcher.last_reason == "connect " + path + ": " + reason);
    CHECK(watcher.gone == 0);
  }
  for (const int fd : open) close(fd);
}

TEST_CASE("a client may be destroyed at any moment, by its own callback too") {
  Machine machine;
  machine.start();
  int events = 0;
  std::unique_ptr<Client> client;
  client = std::make_unique<Client>(machine.io, config(machine.socket()), [&](const Event&) {
    ++events;
    client.reset();
  });
  REQUIRE(poll_until(machine.io, [&] { return events == 1; }));

  // A little further into its life each time.
  for (int handlers = 0; handlers < 12; ++handlers) {
    client = std::make_unique<Client>(machine.io, config(machine.socket()), [&](const Event&) {});
    for (int i = 0; i < handlers; ++i) machine.io.run_one_for(1ms);
    client.reset();
  }
  machine.io.restart();
  machine.io.poll();
  CHECK(events == 1);
}
