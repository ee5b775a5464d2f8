/// Two machines with one set of verbs: the fake kernel, and the real one in a network namespace.
/// What a test does to them goes past the port under test: by FakeKernel's own functions, and by
/// ip(8).
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/fake_kernel.hpp"
#include "tests/support/network_namespace.hpp"
#include "tests/support/poll_until.hpp"
#include "vrrpd/kernel/netlink.hpp"

namespace ha::test {

using namespace vrrp;

inline Prefix prefix(const std::string& text) {
  const auto slash = text.find('/');
  return {boost::asio::ip::make_address(text.substr(0, slash)),
          static_cast<std::uint8_t>(std::stoi(text.substr(slash + 1)))};
}

inline const Link* find_link(const Kernel& kernel, const std::string& name) {
  for (const Link& link : kernel.links()) {
    if (link.name == name) return &link;
  }
  return nullptr;
}

inline const Address* find_address(const Kernel& kernel, IfIndex index, const Prefix& wanted) {
  for (const Address& address : kernel.addresses()) {
    if (address.interface == index && address.prefix == wanted) return &address;
  }
  return nullptr;
}

class FakeMachine {
 public:
  Kernel& kernel() { return kernel_; }

  IfIndex add_link(const std::string& name) {
    const IfIndex index = kernel_.add_link(name);
    kernel_.deliver();
    return index;
  }
  void set_up(IfIndex index, bool up) { kernel_.set_up(index, up); }
  /// The cable is out for a moment.
  void flap(IfIndex index) {
    kernel_.set_carrier(index, false);
    kernel_.set_carrier(index, true);
  }
  void rename(IfIndex index, const std::string& name) { kernel_.rename(index, name); }
  void remove_link(IfIndex index) { kernel_.remove_link(index); }
  void add_address(IfIndex index, const Prefix& added) {
    kernel_.put_address({.interface = index, .prefix = added});
  }
  void remove_address(IfIndex index, const Prefix& removed) {
    kernel_.remove_address(index, removed);
  }
  /// More changes than there is room to be told of, the last of which is that `last` was added.
  void overflow(IfIndex index, const Prefix& last) {
    add_address(index, last);
    kernel_.lose_notifications();
  }

  template <class Condition>
  bool wait_until(Condition condition) {
    kernel_.deliver();
    return condition();
  }
  /// Everything done so far has been told.
  void settle() { kernel_.deliver(); }

 private:
  FakeKernel kernel_;
};

class RealMachine {
 public:
  RealMachine() {
    const NetworkNamespace::Inside inside{namespace_};
    auto opened = Netlink::open(io_);
    REQUIRE(opened);
    kernel_ = std::move(*opened);
  }

  Kernel& kernel() { return *kernel_; }
  boost::asio::io_context& io() { return io_; }
  std::string run(const std::string& command) { return namespace_.run(command); }

  IfIndex add_link(const std::string& name) {
    run("ip link add " + name + " type veth peer name " + name + "-peer");
    run("ip link set " + name + "-peer up");
    run("ip link set " + name + " up");
    REQUIRE(wait_until([&] {
      const Link* link = find_link(*kernel_, name);
      return link != nullptr && link->up && link->running;
    }));
    settle();
    return find_link(*kernel_, name)->index;
  }
  void set_up(IfIndex index, bool up) {
    run("ip link set " + name_of(index) + (up ? " up" : " down"));
  }
  void flap(IfIndex index) {
    const std::string peer = name_of(index) + "-peer";
    run("ip link set " + peer + " down && ip link set " + peer + " up");
  }
  void rename(IfIndex index, const std::string& name) {
    run("ip link set " + name_of(index) + " name " + name);
  }
  void remove_link(IfIndex index) { run("ip link del " + name_of(index)); }
  void add_address(IfIndex index, const Prefix& added) {
    run("ip addr add " + to_string(added) + " dev " + name_of(index));
  }
  void remove_address(IfIndex index, const Prefix& removed) {
    run("ip addr del " + to_string(removed) + " dev " + name_of(index));
  }
  void overflow(IfIndex index, const Prefix& last) {
    // The loop does not run meanwhile, and the queue holds some 2,000 of these.
    const std::string name = name_of(index);
    run("for i in $(seq 20); do for j in $(seq 250); do echo addr add 10.9.$i.$j/32 dev " + name +
        "; done; done | ip -batch -; ip addr flush dev " + name + " to 10.9.0.0/16");
    add_address(index, last);
  }

  template <class Condition>
  bool wait_until(Condition condition) {
    return poll_until(io_, condition);
  }
  /// Notifications come in order: when this one is there, so are all before it.
  void settle() {
    const std::string name = "settle" + std::to_string(++settled_);
    run("ip link add " + name + " type bridge");
    REQUIRE(wait_until([&] { return find_link(*kernel_, name) != nullptr; }));
  }

 private:
  std::string name_of(IfIndex index) {
    for (const Link& link : kernel_->links()) {
      if (link.index == index) return link.name;
    }
    FAIL("no such interface");
    return {};
  }

  NetworkNamespace namespace_;
  boost::asio::io_context io_{1};
  std::unique_ptr<Netlink> kernel_;
  int settled_ = 0;
};

/// The events of one kind, in the order in which they came.
template <class Event>
std::vector<Event> only(const std::vector<KernelEvent>& events) {
  std::vector<Event> found;
  for (const KernelEvent& event : events) {
    if (const auto* e = std::get_if<Event>(&event)) found.push_back(*e);
  }
  return found;
}

}  // namespace ha::test
