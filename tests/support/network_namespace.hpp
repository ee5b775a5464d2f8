/// Network namespaces for tests against the real kernel. They belong to the test process and end
/// with it; nothing of the machine's own network is touched. Needs root.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "tests/support/catch.hpp"

namespace ha::test {

class NetworkNamespace {
 public:
  /// Fails the test if the process may not make one. Its loopback is up; interfaces get no IPv6
  /// address of their own, and one that is given to them is usable at once.
  NetworkNamespace() {
    const int outside = open_current();
    if (::unshare(CLONE_NEWNET) != 0) {
      const int reason = errno;
      ::close(outside);
      FAIL("this test makes a network namespace and needs root for it: "
           << std::generic_category().message(reason));
    }
    descriptor_ = open_current();
    for (const char* scope : {"all", "default"}) {
      const std::string settings = std::string{"/proc/sys/net/ipv6/conf/"} + scope;
      std::ofstream{settings + "/accept_dad"} << 0;
      std::ofstream{settings + "/addr_gen_mode"} << 1;
    }
    enter(outside);
    ::close(outside);
    run("ip link set lo up");
  }
  ~NetworkNamespace() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  NetworkNamespace(const NetworkNamespace&) = delete;
  NetworkNamespace& operator=(const NetworkNamespace&) = delete;

  /// While one exists, the thread is in the namespace: sockets it opens and processes it starts
  /// belong there.
  class Inside {
   public:
    explicit Inside(const NetworkNamespace& there) : outside_{open_current()} {
      enter(there.descriptor_);
    }
    ~Inside() {
      enter(outside_);
      ::close(outside_);
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    int outside_;
  };

  /// Runs a shell command inside, fails the test if the command fails, and returns what it printed.
  std::string run(const std::string& command) const {
    const Inside inside{*this};
    FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string output;
    std::array<char, 4096> buffer;
    while (const std::size_t size = ::fread(buffer.data(), 1, buffer.size(), pipe)) {
      output.append(buffer.data(), size);
    }
    INFO(command << ": " << output);
    REQUIRE(::pclose(pipe) == 0);
    return output;
  }

  /// For the `netns` argument of ip(8).
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_);
  }

 private:
  static int open_current() {
    const int descriptor = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    REQUIRE(descriptor >= 0);
    return descriptor;
  }
  static void enter(int descriptor) {
    if (::setns(descriptor, CLONE_NEWNET) != 0) std::abort();
  }

  int descriptor_ = -1;
};

}  // namespace ha::test
