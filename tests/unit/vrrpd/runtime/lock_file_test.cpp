#include "vrrpd/runtime/lock_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ha::vrrp {
namespace {

/// Where the lock is.
class Place {
 public:
  [[nodiscard]] std::string file() const { return directory_ / "lock"; }

 private:
  ha::test::TemporaryDirectory directory_;
};

TEST_CASE("only one has it, the others learn who, and it can be had again") {
  const Place place;
  {
    const auto first = LockFile::take(place.file());
    REQUIRE(first);
    struct stat found {};
    REQUIRE(stat(place.file().c_str(), &found) == 0);
    CHECK((found.st_mode & 07777) == 0600);

    const auto second = LockFile::take(place.file());
    REQUIRE_FALSE(second);
    CHECK(second.error().code.value() == EADDRINUSE);
    CHECK(second.error().context ==
          "lock " + place.file() + ", which process " + std::to_string(getpid()) + " holds");
  }
  CHECK_FALSE(std::filesystem::exists(place.file()));
  CHECK(LockFile::take(place.file()));
}

TEST_CASE("what a killed process has left behind is taken over") {
  const Place place;
  std::ofstream{place.file()} << "4194303999999\n";
  const auto taken = LockFile::take(place.file());
  REQUIRE(taken);
  std::string pid;
  std::ifstream{place.file()} >> pid;
  CHECK(pid == std::to_string(getpid()));
}

TEST_CASE("neither a link nor a pipe nor a missing directory is locked") {
  const Place place;
  SECTION("a link") {
    std::filesystem::create_symlink("/etc/hostname", place.file());
    CHECK_FALSE(LockFile::take(place.file()));
  }
  SECTION("a pipe") {
    REQUIRE(mkfifo(place.file().c_str(), 0600) == 0);
    CHECK_FALSE(LockFile::take(place.file()));
  }
  SECTION("nothing there") { CHECK_FALSE(LockFile::take(place.file() + "/lock")); }
}

/// Waits for the starting shot, then tries; 0 is the exit code of who gets it, and keeps it until
/// the others are through.
[[noreturn]] void compete(const std::string& path, int start, int finish) {
  char byte = 0;
  while (read(start, &byte, 1) < 0 && errno == EINTR) {
  }
  const auto taken = LockFile::take(path);
  if (!taken) _exit(1);
  while (read(finish, &byte, 1) < 0 && errno == EINTR) {
  }
  _exit(0);
}

TEST_CASE("of many that start at the same moment exactly one gets it") {
  const Place place;
  for (int round = 0; round < 20; ++round) {
    std::array<int, 2> start{};
    std::array<int, 2> finish{};
    REQUIRE(pipe2(start.data(), O_CLOEXEC) == 0);
    REQUIRE(pipe2(finish.data(), O_CLOEXEC) == 0);
    constexpr int kCompetitors = 8;
    for (int i = 0; i < kCompetitors; ++i) {
      const pid_t child = fork();
      REQUIRE(child >= 0);
      if (child != 0) continue;
      close(start[1]);
      close(finish[1]);
      compete(place.file(), start[0], finish[0]);
    }
    close(start[1]);  // all read its end at once
    int status = 0;
    for (int i = 1; i < kCompetitors; ++i) {
      REQUIRE(wait(&status) > 0);
      CHECK(WEXITSTATUS(status) == 1);
    }
    close(finish[1]);
    REQUIRE(wait(&status) > 0);
    CHECK(WEXITSTATUS(status) == 0);
    close(start[0]);
    close(finish[0]);
  }
}

}  // namespace
}  // namespace ha::vrrp
