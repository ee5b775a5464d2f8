/// All virtual routers of this machine: gives each what it needs from the kernel, hands packets to
/// the right one, wakes them when their time has come, and ends each turn of the event loop by
/// sending what it produced.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/runtime/router_driver.hpp"

namespace ha::vrrp {

class VirtualRouters {
 public:
  /// All must outlive the object. With the first apply(), addresses that a predecessor left behind
  /// are removed, but for those of routers that are master at once.
  VirtualRouters(boost::asio::io_context& io, Kernel& kernel, FrameSocket& frames, Log& log);
  ~VirtualRouters();
  VirtualRouters(const VirtualRouters&) = delete;
  VirtualRouters& operator=(const VirtualRouters&) = delete;

  /// Makes `instances` the ones that run. Those that are the same as before notice nothing; one
  /// whose interface, VRID, version, family or mode changed hands over and starts anew; others
  /// change in place.
  /// Each keeps its notes in the record of the same index; there are as many, and they must
  /// outlive the object or the next call.
  void apply(const std::vector<InstanceConfig>& instances, std::span<RouterRecord> records);

  /// The verdict's price, for all that track it.
  void set_haproxy(const Demotion& demotion);

  /// Hands over: priority 0, then addresses away.
  void shut_down();

  /// This machine's own addresses: all but the virtual ones.
  [[nodiscard]] LocalAddresses local_addresses() const;
  /// Called when they may have changed.
  void on_local_addresses(std::function<void()> handler) { local_changed_ = std::move(handler); }

  [[nodiscard]] std::vector<RouterStatus> status() const;
  [[nodiscard]] const GlobalErrors& errors() const { return errors_; }

 private:
  using SegmentKey = std::pair<IfIndex, Family>;

  void receive(const Datagram* datagram, RouterDriver* router);
  void wake_due();
  void finish_turn();

  void handle(const KernelEvent& event);
  void look_again_soon();
  void look_again();
  void evaluate(RouterDriver& router, TimePoint now);
  [[nodiscard]] const Link* interface_for(const InstanceConfig& config) const;
  [[nodiscard]] std::optional<IpAddress> source_for(const InstanceConfig& config,
                                                    IfIndex interface) const;
  Result<Segment*> segment_for(const InstanceConfig& config, const Link& link);
  void restore_missing(TimePoint now);
  void close_unused_segments();
  void remove_leftovers();
  void index_addresses();
  [[nodiscard]] bool is_virtual(const IpAddress& address) const {
    return virtual_addresses_.contains(address);
  }

  boost::asio::io_context& io_;
  Kernel& kernel_;
  Log& log_;
  Outbox outbox_;
  Scheduler scheduler_;
  std::map<SegmentKey, std::unique_ptr<Segment>> segments_;
  std::vector<std::unique_ptr<RouterDriver>> routers_;
  /// Every virtual address and who has it.
  std::map<IpAddress, RouterDriver*> virtual_addresses_;
  std::optional<Demotion> haproxy_;
  GlobalErrors errors_{};
  bool leftovers_removed_ = false;
  bool look_pending_ = false;
  bool addresses_lost_ = false;
  std::function<void()> local_changed_;
};

}  // namespace ha::vrrp
