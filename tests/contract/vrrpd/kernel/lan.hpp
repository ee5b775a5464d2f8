/// Two machines with a cable between them: two network namespaces and a veth pair, and a look at
/// the wire.
#pragma once

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ha/types.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/network_namespace.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::test {

using Bytes = std::vector<std::uint8_t>;

/// For what comes in the kernel's own time, far more than it takes.
inline constexpr std::chrono::seconds kDeadline{30};

class Lan {
 public:
  /// A cable called `name` at both ends, with 10.<network>.0.1 and .2, 2001:db8:<network>::1 and
  /// ::2, fe80::1 and ::2.
  explicit Lan(const std::string& name = "eth", int network = 0) { add_cable(name, network); }

  void add_cable(const std::string& name, int network) {
    left.run("ip link add " + name + " type veth peer name " + name + " netns " + right.path());
    const std::string number = std::to_string(network);
    for (const auto& [side, last] : {std::pair{&left, "1"}, std::pair{&right, "2"}}) {
      side->run("ip addr add 10." + number + ".0." + last + "/24 dev " + name);
      side->run("ip addr add fe80::" + std::string{last} + "/64 dev " + name);
      side->run("ip addr add 2001:db8:" + number + "::" + last + "/64 dev " + name);
      side->run("ip link set " + name + " up");
    }
    // Addresses become usable with the carrier, in the kernel's own time.
    REQUIRE(wait_for_carrier(left, name));
    REQUIRE(wait_for_carrier(right, name));
  }

  [[nodiscard]] static IfIndex index_of(const NetworkNamespace& machine, const std::string& name) {
    const NetworkNamespace::Inside inside{machine};
    return IfIndex{static_cast<int>(::if_nametoindex(name.c_str()))};
  }

  NetworkNamespace left;
  NetworkNamespace right;

 private:
  static bool wait_for_carrier(const NetworkNamespace& machine, const std::string& name) {
    const auto give_up = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < give_up) {
      const std::string shown = machine.run("ip addr show dev " + name);
      if (shown.find("state UP") != std::string::npos &&
          shown.find("tentative") == std::string::npos) {
        return true;
      }
    }
    return false;
  }
};

/// Sees every frame that arrives at an interface.
class Tap {
 public:
  Tap(const NetworkNamespace& machine, const std::string& name) {
    const NetworkNamespace::Inside inside{machine};
    socket_ = vrrp::Descriptor{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))};
    REQUIRE(socket_.get() >= 0);
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ETH_P_ALL);
    where.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
    REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0);
    vrrp::enlarge_receive_queue(socket_.get(), 4 << 20);
  }

  /// The next frame for which `wanted` is true; the others are dropped. Nothing after half a minute
  /// without one.
  template <class Wanted>
  std::optional<Bytes> next(Wanted wanted) {
    const auto give_up = std::chrono::steady_clock::now() + kDeadline;
    while (std::chrono::steady_clock::now() < give_up) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 100) <= 0) continue;
      std::array<std::uint8_t, 65536> buffer;
      const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (size <= 0) continue;
      const Bytes frame{buffer.begin(), buffer.begin() + size};
      if (wanted(frame)) return frame;
    }
    return std::nullopt;
  }

 private:
  vrrp::Descriptor socket_;
};

}  // namespace ha::test
