/// What one turn of the event loop wants done, carried out together at its end in the order that
/// matters on the wire: advertisements, then addresses, then announcements. Many virtual routers
/// that change at once so cost a handful of system calls, and the last of 500 addresses is
/// announced as early as the kernel allows.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/kernel.hpp"
#include "vrrpd/kernel/packet_socket.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/recorder.hpp"
#include "vrrpd/runtime/segment.hpp"

namespace ha::vrrp {

/// Where and how one address is announced.
struct Announcement {
  IfIndex interface;
  MacAddress mac{};
  IpAddress address;
  ArpForm form = ArpForm::kRequest;
  Duration spacing{};  ///< to the next one on this interface
};

class Outbox {
 public:
  /// All must outlive the outbox. `due` is called from the loop when announcements with a spacing
  /// are to leave, which they do with the flush() that follows: whoever stood still has to read its
  /// socket first.
  Outbox(boost::asio::io_context& io, Kernel& kernel, FrameSocket& frames, Recorder& recorder,
         Log& log, std::function<void()> due);

  /// `segment` must live until the next flush().
  void advertise(Segment& segment, const IpAddress& source, const IpAddress& destination,
                 std::span<const std::uint8_t> message);
  /// Withdraws a removal of the same before it.
  void add_addresses(std::span<const AddressRequest> requests);
  /// Also withdraws announcements of these addresses that have not left yet.
  void remove_addresses(std::span<const AddressRequest> requests);
  /// Routes and rules follow the addresses that come, and precede those that go.
  void add_routing(const std::vector<Routing>& routing);
  void remove_routing(const std::vector<Routing>& routing);
  /// From now on what is removed stays in the kernel.
  void keep_addresses() { keeps_addresses_ = true; }
  /// One with a spacing leaves when its turn has come; of one that is still waiting then, no second
  /// one is queued.
  void announce(const Announcement& announcement);

  void flush();

 private:
  void flush_adverts();
  void flush_addresses();
  /// An address that one router lets go and another takes in the same turn stays where it is.
  void withdraw_undone_removals();
  void flush_routing(std::vector<Routing>& queued, bool add);
  void flush_announcements();
  void send(const std::vector<Announcement>& announcements);
  /// Sends the announcements with a spacing whose time has come.
  void send_spaced();
  void change_addresses(std::span<const AddressRequest> requests, bool add);
  [[nodiscard]] std::string_view name_of(IfIndex interface) const;
  void report(const char* what, const VrrpSocket::Sent& sent);

  /// Additions, or removals, one after the other.
  struct Run {
    bool add;
    std::vector<AddressRequest> requests;
  };
  void queue(bool add, std::span<const AddressRequest> requests);

  Kernel& kernel_;
  FrameSocket& frames_;
  Recorder& recorder_;
  Log& log_;
  std::vector<Segment*> segments_;
  std::vector<Run> changes_;
  std::vector<Routing> routing_removed_;
  std::vector<Routing> routing_added_;
  std::vector<Announcement> announcements_;
  /// Announcements that leave one after the other, and when the next one may.
  struct Spaced {
    std::deque<Announcement> waiting;
    TimePoint free_at{};
  };
  std::map<IfIndex, Spaced> spaced_;
  boost::asio::steady_timer spaced_due_;
  std::function<void()> due_;
  Throttle send_errors_;
  bool keeps_addresses_ = false;
};

}  // namespace ha::vrrp
