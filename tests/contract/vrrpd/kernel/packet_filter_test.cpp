/// What the kernel makes of the filter: which traffic of a machine that has the addresses passes.
#include "vrrpd/kernel/packet_filter.hpp"

#include <linux/capability.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <optional>

#include "tests/contract/vrrpd/kernel/machine.hpp"
#include "tests/support/without_capability.hpp"

using namespace ha;
using namespace ha::test;
using Catch::Matchers::Contains;

namespace {

FilteredAddress filtered(const std::string& address, const std::string& interface = {}) {
  return {boost::asio::ip::make_address(address), interface};
}

/// A machine that talks to itself; loopback traffic passes the hooks as any other.
class Machine {
 public:
  Machine() {
    machine_.run("ip link add eth type veth peer name far");
    for (const char* link : {"eth", "far"}) {
      machine_.run(std::string{"ip link set "} + link + " up");
    }
    for (const char* address : {"192.0.2.1/24", "192.0.2.100/24", "192.0.2.101/24",
                                "2001:db8::1/64", "2001:db8::100/64", "fe80::100/64"}) {
      machine_.run(std::string{"ip addr add "} + address + " dev eth");
    }
    inside_.emplace(machine_);
    filter_.emplace();
  }

  Result<void> set(const std::vector<FilteredAddress>& addresses) {
    return filter_->set(addresses);
  }
  void close() { filter_.reset(); }
  std::string ruleset() { return machine_.run("nft list ruleset"); }
  std::string run(const std::string& command) { return machine_.run(command); }

  /// Whether a datagram from one of its addresses to another gets there.
  [[nodiscard]] static bool passes(const std::string& from, const std::string& to) {
    using boost::asio::ip::udp;
    boost::asio::io_context io{1};
    udp::socket receiver{io, {boost::asio::ip::make_address(to), 0}};
    udp::socket sender{io, {boost::asio::ip::make_address(from), 0}};
    receiver.non_blocking(true);
    boost::system::error_code error;
    std::array<char, 1> byte{'x'};
    // What the output hook drops is refused; on loopback the rest has arrived when this returns.
    sender.send_to(boost::asio::buffer(byte), receiver.local_endpoint(), 0, error);
    if (error) return false;
    return receiver.receive(boost::asio::buffer(byte), 0, error) == 1;
  }

 private:
  NetworkNamespace machine_;
  std::optional<NetworkNamespace::Inside> inside_;
  std::optional<PacketFilter> filter_;
};

}  // namespace

TEST_CASE("traffic to and from a filtered address is dropped, and no other") {
  Machine machine;
  REQUIRE(machine.passes("192.0.2.1", "192.0.2.100"));
  REQUIRE(machine.set({filtered("192.0.2.100"), filtered("2001:db8::100")}));
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));
  CHECK_FALSE(machine.passes("192.0.2.100", "192.0.2.1"));
  CHECK_FALSE(machine.passes("2001:db8::1", "2001:db8::100"));
  CHECK_FALSE(machine.passes("2001:db8::100", "2001:db8::1"));
  CHECK(machine.passes("192.0.2.1", "192.0.2.101"));
  CHECK(machine.passes("192.0.2.101", "192.0.2.1"));
  CHECK(machine.passes("2001:db8::1", "2001:db8::1"));
}

TEST_CASE("a new set replaces the one before, and an empty one removes the table") {
  Machine machine;
  REQUIRE(machine.set({filtered("192.0.2.100")}));
  REQUIRE(machine.set({filtered("192.0.2.101")}));
  CHECK(machine.passes("192.0.2.1", "192.0.2.100"));
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.101"));
  REQUIRE(machine.set({}));
  CHECK(machine.passes("192.0.2.1", "192.0.2.101"));
  CHECK(machine.ruleset().empty());
  CHECK(machine.set({}));  // nothing to do is no error
}

TEST_CASE("a link-local address is filtered on its own interface, and discovery passes") {
  Machine machine;
  REQUIRE(machine.set({filtered("fe80::100", "eth")}));
  const std::string rules = machine.ruleset();
  CHECK_THAT(rules, Contains("fe80::100 . \"eth\""));
  CHECK_THAT(rules, Contains("ip6 daddr . iifname @link_local drop"));
  CHECK_THAT(rules, Contains("icmpv6 type 135-136 accept"));
}

TEST_CASE("a table that no process holds any more is gone, and survives until then") {
  Machine machine;
  REQUIRE(machine.set({filtered("192.0.2.100")}));
  machine.run("nft flush ruleset");
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));

  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t successor = ::fork();
  if (successor == 0) {  // has the socket, as an engine has its guard's
    char byte = 0;
    ::close(ends[1]);
    static_cast<void>(::read(ends[0], &byte, 1));
    ::_exit(0);
  }
  ::close(ends[0]);
  machine.close();
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));
  ::close(ends[1]);
  REQUIRE(::waitpid(successor, nullptr, 0) == successor);
  CHECK(machine.passes("192.0.2.1", "192.0.2.100"));
}

TEST_CASE("as many addresses as a configuration can have go in at once") {
  Machine machine;
  std::vector<FilteredAddress> many;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    many.push_back({boost::asio::ip::address_v4{0x0a000000 + i}, {}});
  }
  many.push_back(filtered("192.0.2.100"));
  const auto set = machine.set(many);
  INFO((set ? std::string{} : set.error().message()));
  REQUIRE(set);
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));
}

TEST_CASE("two filters in one network namespace are two tables") {
  Machine machine;
  PacketFilter other;
  REQUIRE(machine.set({filtered("192.0.2.100")}));
  const std::vector<FilteredAddress> others{filtered("192.0.2.101")};
  REQUIRE(other.set(others));
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.101"));
}

TEST_CASE("a filter that may not be changed stays, and the refusal says why") {
  Machine machine;
  REQUIRE(machine.set({filtered("192.0.2.100")}));
  const WithoutCapability without{CAP_NET_ADMIN};
  const auto refused = machine.set({filtered("192.0.2.101")});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message(), Contains("packet filter") && Contains("not permitted"));
  CHECK_FALSE(machine.passes("192.0.2.1", "192.0.2.100"));
}
