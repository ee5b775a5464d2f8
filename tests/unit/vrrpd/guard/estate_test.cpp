#include "vrrpd/guard/estate.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

using namespace std::chrono_literals;

const IpAddress kV4 = boost::asio::ip::make_address("192.0.2.1");
const IpAddress kV6 = boost::asio::ip::make_address("fe80::1");

/// Runs `engine` in a process that is killed at its end, as an engine may be.
template <class Engine>
void run_and_kill(Engine engine) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    engine();
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("what an engine committed is there after its death") {
  auto estate = Estate::create();
  REQUIRE(estate);
  run_and_kill([&] {
    auto records = estate->prepare("instances: []\n", 2);
    (*records)[0].master(IfIndex{7}, kV4, ChecksumForm::kMessageOnly);
    (*records)[0].advertised(TimePoint{5s});
    (*records)[1].master(IfIndex{8}, kV6, ChecksumForm::kPseudoHeader);
    (*records)[1].clear();
    estate->commit();
    estate->haproxy().verdict = 3;
  });

  const auto contents = estate->open();
  REQUIRE(contents);
  CHECK(contents->configuration == "instances: []\n");
  REQUIRE(contents->records.size() == 2);
  const RouterRecord& first = contents->records[0];
  CHECK(first.predecessor() == TimePoint{5s});
  CHECK(first.interface() == IfIndex{7});
  CHECK(first.source() == kV4);
  CHECK(first.form() == ChecksumForm::kMessageOnly);
  CHECK_FALSE(contents->records[1].predecessor());
  CHECK(contents->records[1].source() == kV6);
  CHECK(estate->haproxy().verdict == 3);
}

TEST_CASE("what was prepared and not committed changes nothing") {
  auto estate = Estate::create();
  REQUIRE(estate);
  REQUIRE(estate->prepare("old", 1));
  estate->commit();
  run_and_kill([&] {
    auto old = estate->open();
    old->records[0].master(IfIndex{1}, kV4, ChecksumForm::kPseudoHeader);
    REQUIRE(estate->prepare(std::string(100'000, 'x'), 1000));
  });
  const auto contents = estate->open();
  REQUIRE(contents);
  CHECK(contents->configuration == "old");
  REQUIRE(contents->records.size() == 1);
  CHECK(contents->records[0].is_master());
}

TEST_CASE("a trial is left until it is confirmed or over") {
  auto estate = Estate::create();
  REQUIRE(estate);
  run_and_kill([&] {
    REQUIRE(estate->prepare("new", 1, Estate::Trial{"old one", 77}));
    estate->commit();
  });
  auto contents = estate->open();
  REQUIRE(contents);
  REQUIRE(contents->trial);
  CHECK(contents->configuration == "new");
  CHECK(contents->trial->confirmed == "old one");
  CHECK(contents->trial->ends_at == 77);
  SECTION("confirmed") {
    run_and_kill([&] { estate->confirm(); });
  }
  SECTION("over") {
    REQUIRE(estate->prepare("old one", 1));
    estate->commit();
  }
  contents = estate->open();
  REQUIRE(contents);
  CHECK_FALSE(contents->trial);
}

TEST_CASE("any number of reloads and deaths leaves the last configuration") {
  auto estate = Estate::create();
  REQUIRE(estate);
  for (std::size_t i = 0; i < 50; ++i) {
    const std::string text(i * 1000, static_cast<char>('a' + i % 26));
    const auto commit = [&] {
      const auto records = estate->prepare(text, i);
      REQUIRE(records);
      REQUIRE(records->size() == i);
      for (const RouterRecord& record : *records) REQUIRE_FALSE(record.is_master());
      for (RouterRecord& record : *records) {
        record.master(IfIndex{1}, kV4, ChecksumForm::kPseudoHeader);
      }
      estate->commit();
    };
    if (i % 3 == 0) {
      run_and_kill(commit);
    } else {
      commit();
    }
    const auto contents = estate->open();
    REQUIRE(contents);
    CHECK(contents->configuration == text);
    CHECK(contents->records.size() == i);
  }
}

}  // namespace ha::vrrp
