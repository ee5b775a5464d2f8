/// The Linux kernel over rtnetlink. The only user of libnl.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "vrrpd/kernel/kernel.hpp"

namespace ha::vrrp {

/// Needs CAP_NET_ADMIN to change addresses, nothing to watch them. Two sockets: one for requests,
/// one non-blocking for notifications, read from `io`'s loop, which must outlive the object.
///
/// The network namespace is the one the thread is in when it calls open(). The handler of
/// on_event() may call everything here but not destroy the object.
class Netlink final : public Kernel {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Netlink>> open(boost::asio::io_context& io);
  ~Netlink() override;

  [[nodiscard]] const std::vector<Link>& links() const override;
  [[nodiscard]] const std::vector<Address>& addresses() const override;
  Result<void> add_addresses(std::span<const AddressRequest> requests) override;
  Result<void> remove_addresses(std::span<const AddressRequest> requests) override;
  Result<void> add_routing(std::span<const Routing> routing) override;
  Result<void> remove_routing(std::span<const Routing> routing) override;
  Result<void> add_macvlan(const Macvlan& macvlan) override;
  Result<void> remove_links(std::span<const IfIndex> links) override;
  Result<void> set_arp(IfIndex link, const ArpBehaviour& arp) override;
  Result<void> restrict_ipv6(const std::string& interface, bool uses_ipv6) override;
  void catch_up() override;
  void on_event(std::function<void(const KernelEvent&)> handler) override;

 private:
  struct Sockets;
  explicit Netlink(std::unique_ptr<Sockets> sockets);
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace ha::vrrp
