/// A virtual LAN on a virtual clock: machines that run the real engine, and a network between them
/// that delays, loses, duplicates, reorders and cuts. Everything that happens follows from the
/// seed and from the calls made here.
///
/// A machine is a kernel, a guard and an engine. Its engine process does what the daemon's driver
/// does: it feeds one event at a time, carries the actions out in order, renews the lease of its
/// addresses with advertisements, and sleeps until deadline(). When a backup wakes, or a master
/// that is late by more than its interval, what lies in the socket is delivered before
/// DeadlineReached, as VirtualRouters::wake_due() does. The guard starts an engine that died again,
/// or lets go in its name. The kernel keeps the addresses until their lease ends. The Lan checks
/// nothing; observers do.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ownership.hpp"
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
  /// The engine process is gone.
  virtual void crashed(NodeId node, TimePoint now) = 0;
  virtual void paused(NodeId node, TimePoint now) = 0;
  /// Called before the machine does anything.
  virtual void resumed(NodeId node, TimePoint now) = 0;
  /// Something that is no step of the engine, for people who read a trace.
  virtual void remarked(std::string_view text, TimePoint now) = 0;
};

/// What the other members of a router's group allow it.
enum class Others : std::uint8_t {
  kNone,     ///< it is in no group
  kReady,    ///< they could be master, or are
  kUnready,  ///< one of them follows another master
};

/// What stands still.
enum class Freeze : std::uint8_t {
  kProcesses,  ///< SIGSTOP, or the cgroup freezer; packets and commands wait, leases run out
  kMachine,    ///< a paused virtual machine; nobody answers, packets are lost, leases wait
};

/// What a new configuration file changes.
struct Reload {
  Duration advertisement_interval;
  vrrp::Preempt preempt = vrrp::Preempt::kYes;
  /// The configured priority, and so the effective one; nothing leaves both.
  std::optional<Priority> priority{};
  bool adds_addresses = false;
};

struct Node {
  vrrp::RouterConfig config;
  Priority priority;      ///< effective; what the next Started carries
  IpAddress address;      ///< likewise
  Duration clock_offset;  ///< its clock is ahead of the LAN's by this much
  /// The configured lifetime of its addresses, 0 for `auto`; nothing: they stay for ever.
  std::optional<Duration> shortest_lease;
  vrrp::State state;
  bool running = false;     ///< the engine process exists
  bool restarting = false;  ///< it died, and the guard is starting the next one
  bool paused = false;      ///< it exists and does nothing
  bool kernel_stands_still = false;
  std::optional<vrrp::Faulted::Cause> fault;
  Others others = Others::kNone;
  bool holds_addresses = false;  ///< in the kernel
  TimePoint addresses_set_at;    ///< when their lease began, by the LAN's clock

  /// DESIGN section 5: `auto` is the smallest whole number of seconds that is at least 3 intervals.
  [[nodiscard]] std::optional<Duration> lease() const {
    if (!shortest_lease) return std::nullopt;
    const auto automatic =
        std::chrono::ceil<std::chrono::seconds>(3 * config.advertisement_interval);
    return std::max<Duration>(*shortest_lease, automatic);
  }
  /// Whoever asks for the addresses reaches this machine, perhaps among others.
  [[nodiscard]] bool serves() const { return holds_addresses && !kernel_stands_still; }
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
  /// The kernel looks for leases that have ended about once a second.
  static constexpr Duration kLeaseSlack = std::chrono::milliseconds{1'300};

  /// `wake_latency_max`: a timer fires up to this much after its deadline.
  Lan(std::uint64_t seed, const LinkQuality& quality, Duration wake_latency_max);

  /// A machine that is switched off. Its effective priority starts as the configured one. No two
  /// machines were booted at the same time, so each has a clock of its own.
  NodeId add(const vrrp::RouterConfig& config, const IpAddress& address, Duration clock_offset = {},
             std::optional<Duration> shortest_lease = Duration::zero());
  /// `observer` must outlive the Lan.
  void observe(Observer& observer) { observers_.push_back(&observer); }

  // ---- what happens to machines; calls that make no sense for the machine's state do nothing ----

  void start(NodeId id);
  void shut_down(NodeId id);
  /// Loses its power: no last words, everything is gone.
  void crash(NodeId id);
  /// Guard and engine die together. Their addresses stay until the lease ends.
  void kill(NodeId id);
  /// The engine dies. Its guard starts the next one `restart_after` later, or, if this is the
  /// second death within kRestartInterval, lets go.
  void kill_engine(NodeId id, Duration restart_after);
  /// The same in the midst of what it does: when `actions` more have been carried out.
  void kill_engine_after(NodeId id, int actions, Duration restart_after);
  /// Takes the last one back, if it has not come to it yet.
  void spare_engine(NodeId id) { timing_[id].deadly_actions.reset(); }
  /// The guard does not take its time any longer.
  void finish_restart(NodeId id);
  void pause(NodeId id, Freeze freeze = Freeze::kProcesses);
  /// Delivers packets and commands, in an order that is chance, and then the timer; a timer goes
  /// first only where the driver's rule leaves that open, for a master that is barely late.
  void resume(NodeId id);
  /// Somebody removes its addresses.
  void remove_addresses(NodeId id);
  /// The others of its group, of which there are some from the first call on.
  void set_others(NodeId id, Others others);
  /// Effective priority. A machine that is off starts with it next time.
  void set_priority(NodeId id, Priority priority);
  void change_address(NodeId id, const IpAddress& address);
  void fault(NodeId id, vrrp::Faulted::Cause cause);
  void restore(NodeId id);
  /// Waits while the process is paused; ignored while it is off.
  void reload(NodeId id, const Reload& reload);
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
  /// Who has had the addresses; forgets what was.
  void watch_ownership() { ownership_.watch(now_); }
  [[nodiscard]] Ownership ownership() const { return ownership_; }
  /// Whether an engine that dies now gets a successor.
  [[nodiscard]] bool has_a_successor(NodeId id) const;
  /// When machine `id` sent its last advertisement, by the LAN's clock.
  [[nodiscard]] TimePoint advertised_at(NodeId id) const { return timing_[id].advertised_at; }
  /// Advertisements machine `id` has sent so far, those that a cut swallowed included.
  [[nodiscard]] std::uint64_t adverts_sent(NodeId id) const { return timing_[id].adverts_sent; }
  /// How often the engine of machine `id` made sure of its addresses so far.
  [[nodiscard]] std::uint64_t restorations(NodeId id) const { return timing_[id].restorations; }

  void remark(std::string_view text);

 private:
  enum class Kind : std::uint8_t {
    kPacket,
    kLook,      ///< the kernel's news that addresses are gone are read
    kLeaseEnd,  ///< unless it was renewed meanwhile
    kRestart,   ///< the guard has started the next engine
    kWake,
  };
  /// What can happen at a later time. Packets go before timers of the same instant.
  struct Pending {
    TimePoint at;
    std::uint64_t order;  ///< breaks ties: kind, then the order of scheduling
    NodeId node;
    Kind kind;
    std::uint64_t arming;         ///< of a wake or restart: stale unless it is the current one
    vrrp::AdvertReceived advert;  ///< of a packet
  };
  using Command = std::variant<vrrp::Event, Reload>;
  /// Of one machine.
  struct Timing {
    std::optional<TimePoint> armed_for;
    std::uint64_t arming = 0;
    std::uint64_t restart_arming = 0;
    std::vector<vrrp::AdvertReceived> socket;
    std::vector<Command> commands;
    bool look_waits = false;  ///< until the process goes on
    std::uint64_t adverts_sent = 0;
    TimePoint advertised_at;  ///< by the LAN's clock

    // The driver's.
    std::optional<TimePoint> predecessor;  ///< what the record said at its start
    TimePoint acquired_at;                 ///< or renewed
    std::uint64_t restorations = 0;
    bool lost = false;  ///< while AddressesLost is being handled
    /// Dies before it carries out another action than so many.
    std::optional<int> deadly_actions;
    Duration restart_after;

    // The guard's. All by the machine's clock.
    std::optional<TimePoint> record;  ///< when the engine advertised last, if it is or was master
    std::optional<TimePoint> last_death;

    // The kernel's, by the LAN's clock.
    TimePoint lease_ends_at;
    bool lease_end_pending = false;
    bool lease_end_waits = false;  ///< until the machine goes on
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
  void receive(NodeId id, const vrrp::AdvertReceived& advert);
  void drain(NodeId id);
  [[nodiscard]] bool must_read_before_timer(NodeId id) const;
  void run_commands(NodeId id);
  void wake_if_due(NodeId id);
  void command(NodeId id, const vrrp::Event& event);
  void adopt(NodeId id, const Reload& reload);
  void look(NodeId id);
  void boot(NodeId id, std::optional<TimePoint> predecessor_advertised_at);
  void bury(NodeId id);
  void let_go(NodeId id);

  void feed(NodeId id, const vrrp::Event& event);
  void handle(NodeId id, const vrrp::Event& event);
  [[nodiscard]] bool is_deferred(NodeId id, const vrrp::Event& event, const vrrp::Step& step) const;
  void settle_group(NodeId id);
  void note(NodeId id, const std::vector<vrrp::Action>& actions);
  [[nodiscard]] bool dies_now(NodeId id);
  void carry_out(NodeId id, const vrrp::Action& action);
  void put_back(NodeId id);
  [[nodiscard]] bool lease_has_lapsed(NodeId id) const;
  void renew_lease(NodeId id);
  void rearm(NodeId id);
  void transmit(NodeId from, Priority priority);
  void send_copy(NodeId from, NodeId to, const vrrp::AdvertReceived& advert);
  void push(TimePoint at, NodeId node, Kind kind, std::uint64_t arming = 0,
            const vrrp::AdvertReceived& advert = {});

  // The kernel's verbs.
  void set_addresses(NodeId id);
  void drop_addresses(NodeId id);
  void end_lease(NodeId id);
  void tell_lost(NodeId id);

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
  Ownership ownership_;
};

}  // namespace ha::sim
