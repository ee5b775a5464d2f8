/// One virtual router in the daemon: feeds events to the engine's step() and carries its actions
/// out.
///
/// Holds no protocol logic. Everything it sends goes through the Outbox, so nothing here does I/O
/// of its own but logging.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/engine/sync_group.hpp"
#include "vrrpd/runtime/alarms.hpp"
#include "vrrpd/runtime/events.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/notifier.hpp"
#include "vrrpd/runtime/outbox.hpp"
#include "vrrpd/runtime/record.hpp"
#include "vrrpd/runtime/scheduler.hpp"
#include "vrrpd/runtime/segment.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

class RouterDriver;

/// What every router uses and none owns.
struct RouterServices {
  const Kernel& kernel;
  Outbox& outbox;
  Scheduler& scheduler;
  Notifier& notifier;
  Log& log;
  Events& events;
  /// Those with something to tell once what this turn sends has left.
  std::vector<RouterDriver*>& untold;
};

/// What a router needs around it to run.
struct Surroundings {
  Segment* segment = nullptr;
  Segment* outgoing = nullptr;  ///< by which advertisements leave; mostly the same
  IpAddress source;             ///< the address it sends from
  /// How often the link was lost. One that is back tells its neighbours again.
  std::uint32_t carrier_losses = 0;
  /// Nobody is heard and nothing taken over before that.
  std::optional<TimePoint> not_before{};
};

class RouterDriver {
 public:
  /// If `record` says that a predecessor was master, it is succeeded. `services` must outlive the
  /// driver, and so must `record`, or its being moved to another one.
  RouterDriver(InstanceConfig config, const RouterServices& services, RouterRecord& record);
  ~RouterDriver();
  RouterDriver(const RouterDriver&) = delete;
  RouterDriver& operator=(const RouterDriver&) = delete;

  [[nodiscard]] const InstanceConfig& config() const { return config_; }
  [[nodiscard]] const ReceivePolicy& policy();
  [[nodiscard]] bool is_master() const { return std::holds_alternative<Master>(state_); }
  /// What it waits for; empty unless it is in fault.
  [[nodiscard]] std::string_view fault_reason() const {
    return std::holds_alternative<Fault>(state_) ? std::string_view{fault_reason_}
                                                 : std::string_view{};
  }
  [[nodiscard]] Segment* segment() const { return segment_; }
  [[nodiscard]] Segment* outgoing() const { return outgoing_; }

  /// Keeps its notes in `record` from now on.
  void move_to(RouterRecord& record);

  /// The interface it runs on, found or configured.
  void set_interface(std::string name) { interface_ = std::move(name); }

  /// Everything is there: starts, or goes on with another source address.
  void start(const Surroundings& surroundings, TimePoint now);
  /// It cannot start before something it tracks has a first result.
  void wait() { has_waited_ = true; }
  /// Something is missing; `reason` is for people.
  void fault(Faulted::Cause cause, std::string_view reason, TimePoint now);
  void shut_down(TimePoint now);
  /// As shut_down(), since a reload has no use for it any more.
  void remove(TimePoint now);
  /// The segment is about to go away; only in fault or before the start.
  void leave_segment();
  /// The one by which advertisements leave is about to go away, if it is another one.
  void leave_outgoing();

  /// Changes to a configuration of the same virtual router (RouterIdentity). What did not change
  /// goes on undisturbed. The addresses are the caller's to change, who knows what moves between
  /// routers.
  void reconfigure(InstanceConfig config, TimePoint now);
  /// Announces these, which a master was given with its last configuration.
  void announce_new(std::span<const AddressRequest> added, TimePoint now);

  /// Replaces the demotion of the same source. Returns whether the amount is another one.
  bool set_demotion(Demotion demotion, TimePoint now);
  /// By the operator, who wants no address here; nothing: not any more.
  void set_drain(const std::optional<Demotion>& drain, TimePoint now);
  /// The largest amount that HAProxy's verdict can cost.
  void set_haproxy_maximum(int amount) { haproxy_maximum_ = amount; }
  [[nodiscard]] bool has_started() const { return !std::holds_alternative<Initialize>(state_); }
  /// What it tracks and keeps it out of the election, one that is pending last; null if nothing
  /// does.
  [[nodiscard]] const Demotion* held_back_by() const;

  /// The group it is in, empty for none. A member takes over only when move() says so.
  void set_group(std::string name) { group_ = std::move(name); }
  [[nodiscard]] Place place() const { return place_of(state_); }
  void move(Move move, TimePoint now);

  /// Tells people and commands of its last change of state, if they have not been told. Packets
  /// come first: a thousand routers that take over at once have much to say.
  void tell(TimePoint now);
  /// The state it is in, as the pipe is told; only once it has started.
  [[nodiscard]] Notice news() const;
  /// All notify commands have heard of its state.
  void news_is_told() { record_->owe_news(false); }
  void owe_group_news(bool owed) { record_->owe_group_news(owed); }
  /// Whether it goes on as the master that a predecessor was, and its group has told so.
  [[nodiscard]] bool group_has_no_news() const { return goes_on_ && !record_->owes_group_news(); }

  void wake(TimePoint now) { feed(DeadlineReached{}, now); }
  /// `age` is for how long the packet lay in the socket.
  void receive(const Received& received, const IpAddress& source, Duration age, TimePoint now);
  /// Counts a packet that was for this router and is dropped, and alarms if it shows a
  /// misconfigured peer.
  void dropped(PacketError error, const Datagram& datagram, TimePoint now);
  /// As dropped(), for kinds that are counted for the whole daemon.
  void note_mismatch(PacketError error, const Datagram& datagram, TimePoint now);

  /// The kernel says these are gone although we are master: puts them back, unless this process
  /// stood still so long that somebody else may have them.
  void restore(std::span<const AddressRequest> missing, TimePoint now);
  /// The addresses as they are to be installed now; those on a missing interface are left out.
  [[nodiscard]] std::vector<AddressRequest> requests() const { return requests(config_); }
  /// Those of requests() that are ours to add and remove: not what an owner's interface has on its
  /// own account.
  [[nodiscard]] std::vector<AddressRequest> managed() const { return managed(config_); }
  /// The same as they would be with `config`, which is of the same virtual router.
  [[nodiscard]] std::vector<AddressRequest> managed(const InstanceConfig& config) const;

  [[nodiscard]] RouterStatus status(TimePoint now);

 private:
  void feed(const Event& event, TimePoint now);
  void handle(const Event& event, TimePoint now);
  void carry_out(const Action& action, TimePoint now);
  void send_advert(Priority priority);
  void encode_adverts(Priority priority);
  /// That it is master, and how it sends.
  void note_mastery(RouterRecord& record) const;
  [[nodiscard]] std::vector<AddressRequest> requests(const InstanceConfig& config) const;
  /// managed(), and what carries our mark where it does not belong any more: an interface with
  /// another name.
  [[nodiscard]] std::vector<AddressRequest> held() const;
  [[nodiscard]] static std::vector<Routing> routing(const InstanceConfig& config);
  void change_routing(const InstanceConfig& next);
  void announce(Announced which);
  [[nodiscard]] bool lease_has_lapsed(TimePoint now) const;
  void renew_lease(TimePoint now);
  void put_back(TimePoint now);
  void log_transition(const Transitioned& transition);
  /// What an advertisement meant to a router that was in `before`.
  void log_advert(const Claim& claim, const State& before);
  void log_preempt_delay(const State& before);
  void log_announcement(const AddressRequest& request, const std::string& interface);
  void log_master(const Claim& master);
  void notify(Notice::Kind kind, TimePoint now, std::string reason);
  void judge_tracks();
  [[nodiscard]] std::string sentence(const Transitioned& transition) const;
  [[nodiscard]] Standing standing() const;
  /// What was derived from the configuration, the source and the form is made anew when it is
  /// needed.
  void forget_derived();
  void update_priority(TimePoint now);
  /// `values` says both values in words, where they are wanted.
  template <class Values>
  void alarm(std::string_view kind, const IpAddress& peer, TimePoint now, Values values);
  /// For how long an alarm is shown after it was last seen.
  [[nodiscard]] Duration alarm_lasting() const;

  /// What other routers have said.
  struct Heard {
    IpAddress source;  ///< of the last advertisement
    Priority priority;
    TimePoint at;
    std::optional<Claim> best;
    std::string powerless;    ///< the warning about it that was given last
    std::string last_master;  ///< whom this router followed last; empty: nobody
    Throttle losing_adverts;
  };

  InstanceConfig config_;
  const RouterServices& services_;
  std::string interface_;
  Segment* segment_ = nullptr;
  Segment* outgoing_ = nullptr;
  IpAddress source_;
  std::uint32_t carrier_losses_ = 0;
  // One of a thousand that hears nobody is to be small.
  Rare<ReceivePolicy> policy_;
  Rare<Heard> heard_;
  Rare<Alarms> alarms_;
  /// The advertisement for each destination, one behind the other, as long as each other; empty:
  /// none is valid.
  std::vector<std::uint8_t> encoded_;
  Priority encoded_priority_;
  ChecksumForm form_ = ChecksumForm::kPseudoHeader;
  State state_ = Initialize{};
  RouterRecord* record_;
  std::optional<TimePoint> predecessor_advertised_at_;
  TimePoint acquired_at_;  ///< or renewed; only while master
  std::vector<AddressRequest> lost_;
  std::optional<TimePoint> scheduled_;
  Rare<Transitioned> untold_;

  /// What the engine means by Announced::kNew.
  std::vector<AddressRequest> new_addresses_;

  std::vector<Demotion> demotions_;
  Priority effective_;
  std::string group_;
  bool is_removed_ = false;
  bool has_waited_ = false;
  bool goes_on_ = false;  ///< its state is the one that a predecessor was in
  int haproxy_maximum_ = 0;
  std::string fault_reason_;
  RouterStatistics statistics_;
  LastEvent last_event_ = LastEvent::kNone;
  NewMasterReason new_master_reason_ = NewMasterReason::kNotMaster;
  std::string why_;
  WallClock since_;
};

}  // namespace ha::vrrp
