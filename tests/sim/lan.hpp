/// A virtual LAN on a virtual clock: machines that run the real engine, and a network between them
/// that delays, loses, duplicates, reorders and cuts. Everything that happens follows from the
/// seed and from the calls made here.
///
/// A machine does what the daemon's driver does: it feeds one event at a time, carries the actions
/// out in order, and sleeps until deadline(). When a backup wakes, or a master that is late by more
/// than its interval, what lies in the socket is delivered before DeadlineReached, as
/// VirtualRouters::wake_due() does. The Lan checks nothing; observers do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "random.hpp"
#include "vrrpd/engine/router.hpp"

namespace ha::sim {

/// Index of a machine, in the order of Lan::add().
using NodeId = std::size_t;

/// How every link behaves; a cut is separate.
struct LinkQuality {
  Duration delay_min{};
  Duration delay_max{};
  unsigned loss_per_mille = 0;
  unsigned duplicate_per_mille = 0;
  bool reorders = false;  ///< otherwise packets of one link arrive in the order they were sent
};

/// One call of step(), before its actions are carried out. The references die with the call that
/// hands it over.
struct StepRecord {
  NodeId node;
  TimePoint now;      ///< by the machine's own clock, as all time points of its states are
  TimePoint lan_now;  ///< by the LAN's
  const vrrp::RouterConfig& config;
  const vrrp::State& before;
  const vrrp::Event& event;
  const vrrp::Step& step;
};

/// Watches a Lan. May throw, which ends the run. Times are the LAN's.
class Observer {
 public:
  Observer() = default;
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual ~Observer() = default;

  virtual void stepped(const StepRecord& record) = 0;
  /// The process is gone, and its addresses with it.
  virtual void crashed(NodeId node, TimePoint now) = 0;
  virtual void paused(NodeId node, TimePoint now) = 0;
  /// Called before the machine does anything.
  virtual void resumed(NodeId node, TimePoint now) = 0;
  /// Something that is no step of the engine, for people who read a trace.
  virtual void remarked(std::string_view text, TimePoint now) = 0;
};

struct Node {
  vrrp::RouterConfig config;
  Priority priority;      ///< effective; what the next Started carries
  IpAddress address;      ///< likewise
  Duration clock_offset;  ///< its clock is ahead of the LAN's by this much
  vrrp::State state;
  bool running = false;  ///< the process exists
  bool paused = false;   ///< it exists and does nothing; packets wait in its socket
  std::optional<vrrp::Faulted::Cause> fault;
  bool holds_addresses = false;

  [[nodiscard]] bool is_master() const { return std::holds_alternative<vrrp::Master>(state); }
  [[nodiscard]] bool is_backup() const { return std::holds_alternative<vrrp::Backup>(state); }
  /// Takes part in the election.
  [[nodiscard]] bool participates() const { return is_master() || is_backup(); }
  /// Can send and receive: without virtual addresses the link still works.
  [[nodiscard]] bool attached() const {
    return !fault || *fault == vrrp::Faulted::Cause::kNoVirtualIpAddresses;
  }
};

class Lan {
 public:
  /// Packets a paused machine's socket holds; later ones are dropped, as the kernel does.
  static constexpr std::size_t kSocketBufferPackets = 64;
  /// When the virtual clock starts. Not at the epoch, which is every time point's default.
  static constexpr TimePoint kStart{std::chrono::seconds{1'000}};

  /// `wake_latency_max`: a timer fires up to this much after its deadline.
  Lan(std::uint64_t seed, const LinkQuality& quality, Duration wake_latency_max);

  /// A machine that is switched off. Its effective priority starts as the configured one. No two
  /// machines were booted at the same time, so each has a clock of its own.
  NodeId add(const vrrp::RouterConfig& config, const IpAddress& address,
             Duration clock_offset = {});
  /// `observer` must outlive the Lan.
  void observe(Observer& observer) { observers_.push_back(&observer); }

  // ---- what happens to machines; calls that make no sense for the machine's state do nothing ----

  void start(NodeId id);
  void shut_down(NodeId id);
  /// kill -9: no last words, the state and the addresses are gone.
  void crash(NodeId id);
  /// SIGSTOP, or a frozen virtual machine. Commands wait as packets do.
  void pause(NodeId id);
  /// Delivers packets and commands, in an order that is chance, and then the timer; a timer goes
  /// first only where the driver's rule leaves that open, for a master that is barely late.
  void resume(NodeId id);
  /// Effective priority. A machine that is off starts with it next time.
  void set_priority(NodeId id, Priority priority);
  void change_address(NodeId id, const IpAddress& address);
  void fault(NodeId id, vrrp::Faulted::Cause cause);
  void restore(NodeId id);
  /// Reloads with another interval; ignored while the process is paused or off.
  void reconfigure(NodeId id, Duration advertisement_interval);
  /// Feeds an event that the driver would not send now; ignored while paused.
  void stray(NodeId id, const vrrp::Event& event);

  // ---- what happens to the network ----

  void set_quality(const LinkQuality& quality);
  void cut(NodeId from, NodeId to);
  void mend(NodeId from, NodeId to);
  void mend_all();
  /// An advertisement from outside, delivered to `to` at once.
  void inject(NodeId to, const vrrp::AdvertReceived& advert);

  // ---- time ----

  [[nodiscard]] TimePoint now() const { return now_; }
  /// What the clock of that machine shows.
  [[nodiscard]] TimePoint clock_of(NodeId id) const { return now_ + nodes_[id].clock_offset; }
  /// Lets everything up to and including `until` happen.
  void run_until(TimePoint until);
  void run_for(Duration duration) { run_until(now_ + duration); }

  // ---- what can be seen ----

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[id]; }
  [[nodiscard]] const LinkQuality& quality() const { return quality_; }
  [[nodiscard]] Duration wake_latency_max() const { return wake_latency_max_; }
  [[nodiscard]] std::vector<NodeId> masters() const;
  /// The only master; nothing when there is none or more than one.
  [[nodiscard]] std::optional<NodeId> master() const;
  /// How often a machine became master or stopped being it, crashes included.
  [[nodiscard]] std::uint64_t master_changes() const { return master_changes_; }
  /// Whom the neighbours heard announce the addresses last.
  [[nodiscard]] std::optional<NodeId> last_announcer() const { return last_announcer_; }
  /// The fewest machines that held the addresses at any instant since watch_holders().
  [[nodiscard]] std::size_t fewest_holders() const { return fewest_holders_; }
  void watch_holders() { fewest_holders_ = holders_; }
  /// Advertisements machine `id` has sent so far, those that a cut swallowed included.
  [[nodiscard]] std::uint64_t adverts_sent(NodeId id) const { return timing_[id].adverts_sent; }

  void remark(std::string_view text);

 private:
  /// What can happen at a later time. Packets go before timers of the same instant.
  struct Pending {
    TimePoint at;
    std::uint64_t order;  ///< breaks ties: kind, then the order of scheduling
    NodeId node;
    bool is_wake;
    std::uint64_t arming;         ///< of a wake: stale unless it is the machine's current one
    vrrp::AdvertReceived advert;  ///< of a packet
  };
  struct Timing {
    std::optional<TimePoint> armed_for;
    std::uint64_t arming = 0;
    std::vector<vrrp::AdvertReceived> socket;
    std::vector<vrrp::Event> commands;
    std::uint64_t adverts_sent = 0;
  };
  struct Link {
    bool cut = false;
    TimePoint last_arrival;
  };

  [[nodiscard]] static bool is_later(const Pending& a, const Pending& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
  [[nodiscard]] Link& link(NodeId from, NodeId to) { return links_[from * kNodesMax + to]; }

  void happen(const Pending& pending);
  [[nodiscard]] bool must_read_before_timer(NodeId id) const;
  void run_commands(NodeId id);
  void wake_if_due(NodeId id);
  void command(NodeId id, const vrrp::Event& event);
  void feed(NodeId id, const vrrp::Event& event);
  void carry_out(NodeId id, const vrrp::Action& action);
  void rearm(NodeId id);
  void transmit(NodeId from, Priority priority);
  void send_copy(NodeId from, NodeId to, const vrrp::AdvertReceived& advert);
  void push(Pending pending);
  void release(Node& node);

  static constexpr std::size_t kNodesMax = 8;

  Random random_;
  LinkQuality quality_;
  Duration wake_latency_max_;
  TimePoint now_;
  std::vector<Node> nodes_;
  std::vector<Timing> timing_;
  std::vector<Link> links_;
  std::vector<Pending> queue_;  ///< a heap by is_later
  std::uint64_t scheduled_ = 0;
  std::vector<Observer*> observers_;
  std::uint64_t master_changes_ = 0;
  std::optional<NodeId> last_announcer_;
  std::size_t holders_ = 0;
  std::size_t fewest_holders_ = 0;
};

}  // namespace ha::sim
