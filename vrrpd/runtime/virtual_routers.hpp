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

#include "vrrpd/config/diff.hpp"
#include "vrrpd/runtime/router_driver.hpp"
#include "vrrpd/runtime/virtual_devices.hpp"

namespace ha::vrrp {

/// What becomes of instances that cannot all be run.
enum class OnRefusal : std::uint8_t {
  kUndo,  ///< nothing changes
  kGoOn,  ///< what can be run is, and what cannot waits until it can
};

class VirtualRouters {
 public:
  /// All must outlive the object. With the first apply(), addresses that a predecessor left behind
  /// are removed, but for those of routers that are master at once.
  VirtualRouters(boost::asio::io_context& io, Kernel& kernel, FrameSocket& frames, Events& events,
                 Recorder& recorder, Notifier& notifier, Log& log);
  ~VirtualRouters();
  VirtualRouters(const VirtualRouters&) = delete;
  VirtualRouters& operator=(const VirtualRouters&) = delete;

  /// Makes `instances` the ones that run. Those that are the same as before notice nothing; a
  /// virtual router that is none of them (RouterIdentity) hands over, one that is new starts;
  /// others change in place. An address that stays on this machine stays where it is, whichever
  /// virtual router has it, and only those that are new to it are announced.
  ///
  /// Each keeps its notes in the record of the same index; there are as many, and they must
  /// outlive the object or the next call.
  ///
  /// Returns what is in the way, in sentences; empty if all went well. With OnRefusal::kUndo
  /// nothing has changed otherwise, and in the way is an interface that is neither there nor was
  /// named before, a socket that cannot be opened, an address that the kernel refuses. With kGoOn
  /// there is never anything in the way; what the kernel refuses is logged.
  [[nodiscard]] std::vector<std::string> apply(const std::vector<InstanceConfig>& instances,
                                               std::span<RouterRecord> records,
                                               OnRefusal on_refusal);

  /// What goes beyond one instance, for the next apply(): the groups, and the largest amount that
  /// HAProxy's verdict can cost.
  void prepare(std::vector<GroupConfig> groups, int haproxy_maximum);

  /// There are other daemons on this machine: of what a predecessor left behind, only what is
  /// configured now is removed.
  void share_machine() { is_alone_ = false; }

  /// Nobody is heard and nothing taken over before `at`, if that is still to come.
  void hold_until(TimePoint at) { held_until_ = at; }

  /// Writes the states of all instances and groups into the pipe again, where that is wanted.
  void repeat_states();

  /// The verdict's price, for all that track it.
  void set_haproxy(const Demotion& demotion);

  /// The lowest priority for all, since the operator wants no address here; nothing: as it was.
  /// Each remains master until another one takes over.
  void set_drain(const std::optional<Demotion>& drain);

  /// The health of one of the checks, for all that track it, now or after the next apply().
  void set_check(const std::string& check, const Health& health);

  /// How old this machine's copy of a team's files is, for all that track it, now or after the next
  /// apply(). Nothing: unknown, as it is at first.
  void set_sync(const std::string& team, std::optional<std::chrono::milliseconds> lag);
  [[nodiscard]] bool is_sync_tracked(const std::string& team) const;

  /// Whether there is an interface of this name that is up and has a carrier.
  [[nodiscard]] bool link_is_up(const std::string& interface) const;

  /// Hands over for good: priority 0, then addresses away.
  void shut_down();
  /// The addresses stay in the kernel when they are let go of.
  void keep_addresses() {
    keeps_addresses_ = true;
    outbox_.keep_addresses();
  }

  /// This machine's own addresses: all but the virtual ones.
  [[nodiscard]] LocalAddresses local_addresses() const;
  /// Called when they, or the state of an interface, may have changed.
  void on_surroundings(std::function<void()> handler) {
    surroundings_changed_ = std::move(handler);
  }

  [[nodiscard]] std::vector<RouterStatus> status() const;
  /// Those in fault, each as a sentence that says what it waits for.
  [[nodiscard]] std::vector<std::string> waiting() const;
  [[nodiscard]] const GlobalErrors& errors();
  [[nodiscard]] const LoopLag& loop_lag() const { return scheduler_.lag(); }

 private:
  using SegmentKey = std::pair<IfIndex, Family>;
  /// For each new instance which of the routers goes on as it.
  using Successions = std::vector<std::optional<std::size_t>>;

  void receive(const Segment& segment, const IncomingPacket& packet, const Datagram* datagram,
               RouterDriver* router);
  void record(const Segment& segment, const IncomingPacket& packet, const Datagram& datagram,
              const RouterDriver* router, std::optional<PacketError> error);
  void wake_due();
  void finish_turn();

  void handle(const KernelEvent& event);
  void look_again_soon();
  void look_again();
  /// What a router needs, or what it lacks.
  struct Readiness {
    std::optional<Surroundings> surroundings;
    Faulted::Cause cause{};
    std::string reason;
    /// Nothing is wrong as far as it is known: one that has not started goes on waiting.
    bool pending = false;
  };
  void evaluate_all(TimePoint now);
  void form_groups();
  void settle_groups(TimePoint now);
  void tell(TimePoint now);
  void news_is_told(Notice::Subject subject, const std::string& name);
  [[nodiscard]] Readiness readiness_of(RouterDriver& router, TimePoint now);
  void demote_by_checks(TimePoint now);
  void tell_check(RouterDriver& router, const std::string& check, const Health& health,
                  TimePoint now);
  void demote_by_syncs(TimePoint now);
  [[nodiscard]] const Link* interface_for(const InstanceConfig& config) const;
  [[nodiscard]] std::optional<IpAddress> source_for(const InstanceConfig& config,
                                                    IfIndex interface) const;
  Result<Segment*> segment_on(const Link& link, Family family);
  Result<Segment*> segment_for(const InstanceConfig& config, const Link& link);
  void drop_segments_of_lost_links(TimePoint now);
  /// The macvlans that `config` wants now, without those whose interface is missing; the
  /// instance's own first.
  [[nodiscard]] std::vector<WantedDevice> devices_for(const InstanceConfig& config) const;
  void provide_devices(const std::vector<const InstanceConfig*>& configs);
  void provide_devices_of(const std::vector<InstanceConfig>& instances, OnRefusal on_refusal,
                          std::vector<std::string>& obstacles);
  /// Those of the routers that run.
  void provide_own_devices();
  /// Removes the others; see VirtualDevices::keep().
  void keep_devices(bool leftovers);
  /// Or why it is not there.
  [[nodiscard]] Result<const Link*> find_device(const WantedDevice& wanted) const;
  /// By which its advertisements leave, if `segment` is the one it hears.
  Result<Segment*> outgoing_for(const InstanceConfig& config, Segment* segment);
  void restore_missing(TimePoint now);
  void close_unused_segments();
  [[nodiscard]] RouterIdentity identity_now(const InstanceConfig& config) const;
  [[nodiscard]] std::vector<std::string> obstacles(const std::vector<InstanceConfig>& instances,
                                                   const Successions& successions);
  [[nodiscard]] std::vector<AddressRequest> held() const;
  [[nodiscard]] std::vector<AddressRequest> to_hold(const std::vector<InstanceConfig>& instances,
                                                    const Successions& successions) const;
  Result<void> add_or_undo(std::span<const AddressRequest> added, OnRefusal on_refusal);
  [[nodiscard]] std::vector<AddressRequest> exchange_routers(
      const std::vector<InstanceConfig>& instances, std::span<RouterRecord> records,
      const Successions& successions, TimePoint now);
  void announce_new(std::span<const AddressRequest> added, TimePoint now);
  void demote_by_haproxy(TimePoint now);
  void count_overheard(Segment& segment);
  void remove_leftovers();
  void index_addresses();
  [[nodiscard]] bool is_virtual(const IpAddress& address) const {
    return virtual_addresses_.contains(address);
  }

  boost::asio::io_context& io_;
  Kernel& kernel_;
  Events& events_;
  Recorder& recorder_;
  Notifier& notifier_;
  Log& log_;
  Outbox outbox_;
  VirtualDevices devices_;
  Scheduler scheduler_;
  std::vector<RouterDriver*> untold_;
  RouterServices services_{kernel_, outbox_, scheduler_, notifier_, log_, events_, untold_};
  std::map<SegmentKey, std::unique_ptr<Segment>> segments_;
  std::vector<std::unique_ptr<RouterDriver>> routers_;
  /// Every virtual address and who has it.
  std::map<IpAddress, RouterDriver*> virtual_addresses_;
  struct Group {
    GroupConfig config;
    std::vector<RouterDriver*> members;
    std::optional<GroupState> told;  ///< to those that are notified
  };
  std::vector<Group> groups_;
  std::vector<GroupConfig> next_groups_;
  int haproxy_maximum_ = 0;
  std::optional<Demotion> haproxy_;
  std::optional<Demotion> drain_;
  std::map<std::string, Health> checks_;
  std::map<std::string, std::optional<std::chrono::milliseconds>> syncs_;  ///< by team
  GlobalErrors errors_{};
  TimePoint held_until_{};
  bool is_alone_ = true;
  bool leftovers_removed_ = false;
  bool look_pending_ = false;
  bool shut_down_ = false;
  bool keeps_addresses_ = false;
  bool addresses_lost_ = false;
  std::function<void()> surroundings_changed_;
};

}  // namespace ha::vrrp
