/// The client with the evaluator it feeds, a machine with HAProxy on it, and something that only
/// listens like one.
#pragma once

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <memory>

#include "haproxy.hpp"
#include "haproxy_probe/client.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_namespace.hpp"
#include "tests/support/poll_until.hpp"

namespace ha::probe::test {

using namespace std::chrono_literals;
using ha::test::poll_until;
using ha::test::TemporaryDirectory;

/// A timeout for those that count failures, on a machine that is busy with something else. In a
/// reload a connection may wait for a process that does not accept it any more, and it costs that.
inline constexpr ha::Duration kPatient = 10s;

/// So long that no poll of its own happens within a test.
inline constexpr ha::Duration kNever = 1h;

inline ProbeConfig config(const std::string& socket) {
  ProbeConfig config;
  config.stats = socket;
  config.teams = TeamPattern{"jenkins_backend_(.+)"};
  config.interval = 20ms;
  // Where a machine is too busy for an answer in time, it is not what most tests are about.
  config.stale_after = 1min;
  config.recover = 50ms;
  return config;
}

/// A client, its evaluator, and the timer that drives it: what the daemon has.
class Watcher {
 public:
  Watcher(boost::asio::io_context& io, ProbeConfig config)
      : evaluator_{config}, timer_{io}, client_{io, config, [this](const Event& event) {
                                                  on(event);
                                                }} {}

  [[nodiscard]] const Report& report() const { return evaluator_.report(); }
  [[nodiscard]] bool is(Verdict verdict) const { return report().verdict == verdict; }
  [[nodiscard]] bool all_up() const { return report().servers_up == 4; }

  int answers = 0;
  int unusable = 0;
  int gone = 0;
  std::string last_reason;

 private:
  void on(const Event& event) {
    if (std::holds_alternative<StatsReceived>(event)) ++answers;
    if (const auto* what = std::get_if<AnswerUnusable>(&event)) {
      ++unusable;
      last_reason = what->reason;
    }
    if (const auto* what = std::get_if<HaproxyGone>(&event)) {
      ++gone;
      last_reason = what->reason;
    }
    evaluator_.handle(event, std::chrono::steady_clock::now());
    arm();
  }
  void arm() {
    const auto deadline = evaluator_.deadline();
    if (!deadline) {
      timer_.cancel();
      return;
    }
    timer_.expires_at(*deadline);
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) on(DeadlineReached{});
    });
  }

  Evaluator evaluator_;
  boost::asio::steady_timer timer_;
  Client client_;
};

/// HAProxy running, its first checks done.
struct Machine {
  // Another test's connections do not take the ports that are free here.
  ha::test::NetworkNamespace network;
  ha::test::NetworkNamespace::Inside inside{network};
  boost::asio::io_context io;
  // HAProxy makes its sockets by longer names first; TMPDIR might not leave room for them.
  TemporaryDirectory directory{"/tmp"};
  Teams teams{io};
  std::unique_ptr<Process> haproxy;
  std::string extra;  ///< of the configuration

  [[nodiscard]] std::string socket() const { return directory / "operator.sock"; }
  /// Answers to commands that change something.
  [[nodiscard]] std::string administer(const std::string& command) const {
    return ask(directory / "admin.sock", command + "\n").value_or("nobody listens");
  }
  [[nodiscard]] std::string configuration_file() const { return directory / "haproxy.cfg"; }

  /// Starts HAProxy with `options`, and waits until it knows about its servers.
  void start(const std::vector<std::string>& options = {}) {
    std::ofstream{configuration_file()} << teams.configuration(directory) << extra;
    haproxy = run(options);
    REQUIRE(poll_until(io, [this] {
      const std::string answer = ask(socket(), "show stat -1 4 -1\n").value_or("");
      return !answer.empty() && answer.find("INI") == std::string::npos;
    }));
  }
  [[nodiscard]] std::unique_ptr<Process> run(const std::vector<std::string>& options) const {
    // Should this test be killed, HAProxy is, too.
    std::vector<std::string> arguments{"setpriv", "--pdeathsig", "SIGKILL",           "haproxy",
                                       "-db",     "-f",          configuration_file()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return std::make_unique<Process>(std::move(arguments));
  }
  /// The worker that answers new connections; 0: none.
  [[nodiscard]] pid_t worker() const {
    const std::string answer = ask(socket(), "show info\n").value_or("");
    const std::size_t pid = answer.find("\nPid: ");
    if (pid == std::string::npos || answer.find("\nStopping: 0") == std::string::npos) return 0;
    return std::stoi(answer.substr(pid + 6));
  }
};

/// Reloads HAProxy so many times, again as soon as the old process has ended and `watcher` has an
/// answer of the new one.
inline void reload(Machine& machine, const Watcher& watcher, int times) {
  for (int reload = 0; reload < times; ++reload) {
    const std::unique_ptr<Process> old = std::move(machine.haproxy);
    machine.haproxy = machine.run({"-sf", std::to_string(old->pid())});
    REQUIRE(poll_until(machine.io, [&] { return old->has_ended(); }));
    const int answers = watcher.answers;
    REQUIRE(poll_until(machine.io, [&] { return watcher.answers > answers; }));
  }
}

/// Something that listens where HAProxy should: it reads the question, says its line, and closes or
/// not.
class Impostor {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  enum class Then { kClose, kKeep };

  Impostor(boost::asio::io_context& io, const std::string& path, std::string says, Then then)
      : acceptor_{io, boost::asio::local::stream_protocol::endpoint{path}},
        says_{std::move(says)},
        then_{then} {
    accept();
  }
  int connections = 0;

 private:
  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
      if (error) return;
      ++connections;
      boost::system::error_code ignored;
      std::array<char, 100> question{};
      socket.read_some(boost::asio::buffer(question), ignored);  // sent before it was accepted
      boost::asio::write(socket, boost::asio::buffer(says_), ignored);
      if (then_ == Then::kKeep) kept_.push_back(std::move(socket));
      accept();
    });
  }

  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::string says_;
  Then then_;
  std::vector<Socket> kept_;
};

}  // namespace ha::probe::test
