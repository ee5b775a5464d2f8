/// One virtual router: the state table of RFC 9568 section 6.4 (RFC 3768 section 6.4 for version 2)
/// and what this daemon adds to it, as a pure function from (state, event, now) to (state,
/// actions).
///
/// Nothing here reads a clock, opens a socket or logs. The same function runs in the daemon, in the
/// unit tests and in the simulated network. It knows neither addresses to install nor their family:
/// both are data of whoever carries the actions out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "ha/ip.hpp"
#include "ha/types.hpp"

namespace ha::vrrp {

/// When a backup displaces a live master of lower priority.
enum class Preempt : std::uint8_t {
  kNo,        ///< never (RFC 9568 section 6.1)
  kYes,       ///< always
  kDegraded,  ///< only one whose priority has dropped since it was accepted
};

struct AnnouncementSchedule {
  /// Rounds of announcements on becoming master; 0 announces nothing.
  std::uint32_t repeat = 5;
  /// Then the same number again after this long; 0 does without.
  Duration second_burst_delay = std::chrono::seconds{5};
  /// Then one round each time this long has passed while master; 0 does without.
  Duration refresh = std::chrono::seconds{60};
  /// Of so many rounds; at least 1.
  std::uint32_t refresh_repeat = 1;
  /// Rounds when a master hears a lesser claim; 0 announces nothing then.
  std::uint32_t conflict_repeat = 1;
  /// Then the same number again after this long; 0 does without. Nothing: after an advertisement
  /// interval.
  std::optional<Duration> conflict_delay{};

  friend bool operator==(const AnnouncementSchedule&, const AnnouncementSchedule&) = default;
};

struct RouterConfig {
  Version version = Version::k3;
  /// Configured priority, 1-255. 255 is the address owner.
  Priority priority{100};
  Duration advertisement_interval = std::chrono::seconds{1};
  Preempt preempt = Preempt::kYes;
  /// A live master of lower priority is left in place for this long after it was first heard
  /// (`preempt/hold-time` of RFC 8347). It does not delay the relief of a master whose priority
  /// dropped.
  Duration preempt_delay{};
  AnnouncementSchedule announcements;
  /// As master, answers an advertisement with a lesser claim (RFC 9568 section 6.4.3).
  bool answers_lesser = true;
  /// As master, advertises once more before it yields to a better claim, so that what lies between
  /// the two learns from the new master's answer where the addresses are.
  bool answers_better = false;

  friend bool operator==(const RouterConfig&, const RouterConfig&) = default;
};

/// Another router's claim, as it was compared with ours.
struct Claim {
  IpAddress source;
  Priority priority;
  friend bool operator==(const Claim&, const Claim&) = default;
};

// ---- states: each owns exactly the timers and data that exist in it ----

/// Not started, or shut down.
struct Initialize {
  friend bool operator==(const Initialize&, const Initialize&) = default;
};

/// Started, but something it needs is missing: the interface, its link, an address to send from.
struct Fault {
  friend bool operator==(const Fault&, const Fault&) = default;
};

/// The master a backup follows.
struct KnownMaster {
  IpAddress address;
  Priority priority;  ///< in its last advertisement
  Priority highest;   ///< since it was accepted
  friend bool operator==(const KnownMaster&, const KnownMaster&) = default;
};

struct Backup {
  Priority priority;         ///< ours, effective
  IpAddress address;         ///< ours, for the tie-break
  TimePoint master_down_at;  ///< Active_Down_Timer
  Duration master_interval;  ///< Active_Adver_Interval, learned (version 3)
  std::optional<KnownMaster> master;
  /// The live master of lower priority that the running timer is going to displace.
  std::optional<Claim> rival;
  TimePoint rival_heard_at{};  ///< only with one
  /// Priority 0 was heard: the running timer ends a vacancy, not a silence.
  bool master_left = false;
  /// Until then advertisements of lower priority are accepted (preempt_delay).
  std::optional<TimePoint> preempt_hold_until;
  /// Its time has come, but not yet that of its group.
  bool waiting = false;
  /// Until then it hears nobody.
  std::optional<TimePoint> deaf_until;
  friend bool operator==(const Backup&, const Backup&) = default;
};

/// Which of its addresses a master announces.
enum class Announced : std::uint8_t {
  kAll,
  kNew,  ///< those that a running router was given last
};

struct Master {
  Priority priority;
  IpAddress address;
  /// Three of the intervals that its last advertisement told: until then nobody else takes over.
  TimePoint held_until;
  TimePoint next_advert_at;  ///< Adver_Timer
  /// Losing advertisements are answered again from then on.
  TimePoint answer_from;
  /// And announcements go with such an answer again from then on.
  TimePoint announce_from;
  /// The next round of announcements, and how many rounds of this burst are left including it.
  std::optional<TimePoint> announce_at;
  std::uint32_t rounds_left = 0;
  /// When the second burst starts.
  std::optional<TimePoint> second_burst_at;
  /// What the burst and the second one are about. A refresh is about all.
  Announced announced = Announced::kAll;
  /// After a stall of this process: until then we only listen, and whoever is heard is the master.
  std::optional<TimePoint> listen_until;
  friend bool operator==(const Master&, const Master&) = default;
};

using State = std::variant<Initialize, Fault, Backup, Master>;

/// "initialize", "fault", "backup", "master" (RFC 8347, and fault).
[[nodiscard]] std::string_view name_of(const State& state);

// ---- events ----

/// Everything the router needs is there. `priority` is the effective one, `address` the one it
/// sends from.
struct Started {
  Priority priority;
  IpAddress address;
  /// Set where a predecessor of this process died as master: when it advertised last. It is
  /// succeeded without a fail-over if the others cannot have noticed; see succeeds().
  std::optional<TimePoint> predecessor_advertised_at{};
  /// Set where nothing may be heard or taken over before that, not even by an owner.
  std::optional<TimePoint> not_before{};
};
/// Something it needs went away; `cause` is one of the interface or address events of RFC 8347, or
/// kHeldBack.
struct Faulted {
  enum class Cause : std::uint8_t {
    kInterfaceDown,
    kNoPrimaryIpAddress,
    kNoVirtualIpAddresses,
    kHeldBack,  ///< something it tracks keeps it out, or another router of its group is in fault
  } cause;
};
struct ShutDown {};
/// A valid advertisement, priority 0 included.
struct AdvertReceived {
  IpAddress source;
  Priority priority;
  Duration interval;
};
struct PriorityChanged {
  Priority priority;  ///< effective; 1-254, or 255 for the owner
};
struct AddressChanged {
  IpAddress address;  ///< the one it sends from now
};
/// Virtual addresses were put back or came anew, or the link returned: neighbours may have to be
/// told again.
struct AnnouncementDue {
  Announced addresses = Announced::kAll;
};
/// Addresses that a master holds are gone, though it did not release them: somebody removed them,
/// or their lease ran out while this process stood still.
struct AddressesLost {};
/// The RouterConfig passed to step() is another one than before, or the addresses that are
/// advertised changed.
struct Reconfigured {};
/// As a member of a group: its own time has come, and it waits for that of the others. Delivered in
/// place of the DeadlineReached that would make it master.
struct TakeOverDeferred {};
/// The time of all members has come: a waiting one becomes master.
struct TakeOver {};
/// Another member of the group is no longer master: neither may this one be. Means nothing to an
/// owner.
struct StepAside {};
/// `deadline()` has passed. Early or duplicate ones are harmless.
struct DeadlineReached {};

using Event = std::variant<Started, Faulted, ShutDown, AdvertReceived, PriorityChanged,
                           AddressChanged, AnnouncementDue, AddressesLost, Reconfigured,
                           TakeOverDeferred, TakeOver, StepAside, DeadlineReached>;

// ---- actions, carried out in order ----

struct SendAdvert {
  Priority priority;
  friend bool operator==(const SendAdvert&, const SendAdvert&) = default;
};
struct AcquireAddresses {
  friend bool operator==(const AcquireAddresses&, const AcquireAddresses&) = default;
};
struct ReleaseAddresses {
  friend bool operator==(const ReleaseAddresses&, const ReleaseAddresses&) = default;
};
/// Puts back those that are gone, as AddressesLost says, or may have gone while this machine stood
/// still.
struct RestoreAddresses {
  friend bool operator==(const RestoreAddresses&, const RestoreAddresses&) = default;
};
/// One round: each address once.
struct Announce {
  Announced addresses = Announced::kAll;
  friend bool operator==(const Announce&, const Announce&) = default;
};

/// `last-event` of RFC 8347, without its prefix.
enum class LastEvent : std::uint8_t {
  kNone,
  kStartup,
  kShutdown,
  kHigherPriorityBackup,  ///< a backup with a better claim was heard by this master
  kMasterTimeout,
  kInterfaceUp,
  kInterfaceDown,
  kNoPrimaryIpAddress,
  kNoVirtualIpAddresses,
  kPreemptHoldTimeout,
  kLowerPriorityMaster,
  kOwnerPreempt,
  kHeldBack,  ///< not of the RFC: Faulted::Cause::kHeldBack
};
/// "master-timeout".
[[nodiscard]] std::string_view name_of(LastEvent event);

/// `new-master-reason` of RFC 8347.
enum class NewMasterReason : std::uint8_t { kNotMaster, kPriority, kPreempted, kNoResponse };
/// "no-response".
[[nodiscard]] std::string_view name_of(NewMasterReason reason);

/// The state changed. The actions around it say what that takes; this one says why, for logs,
/// status and notification.
struct Transitioned {
  std::string_view to;  ///< name_of() the new state
  LastEvent event = LastEvent::kNone;
  NewMasterReason reason = NewMasterReason::kNotMaster;
  std::optional<Claim>
      claim;  ///< the advertisement that caused it, or the master that fell silent or was displaced
  /// Set when this machine woke up too late to go on as master; then `claim` is who took over
  /// meanwhile.
  bool stalled = false;
  /// Set when this process goes on as the master that its predecessor was.
  bool succeeded = false;
  friend bool operator==(const Transitioned&, const Transitioned&) = default;
};

/// As master, an advertisement with a lesser claim was heard. Sent for each one; what it takes is
/// rate-limited.
struct LosingAdvertHeard {
  Claim claim;
  friend bool operator==(const LosingAdvertHeard&, const LosingAdvertHeard&) = default;
};

/// The backup follows another master than before.
struct MasterChanged {
  Claim master;
  friend bool operator==(const MasterChanged&, const MasterChanged&) = default;
};

using Action = std::variant<SendAdvert, AcquireAddresses, ReleaseAddresses, RestoreAddresses,
                            Announce, Transitioned, LosingAdvertHeard, MasterChanged>;

struct Step {
  State next;
  std::vector<Action> actions;
};

/// Returns the state after `event` and what to do about it, at time `now`.
///
/// Events that mean nothing in `state` return it unchanged with no actions.
///
/// A deadline that is reached later than a whole down interval means that the process, or its
/// machine, stood still: the world has moved on. The caller then delivers what lies in the socket
/// before DeadlineReached, and the router speaks only after it has listened. A master that hears
/// anybody, which holds from three intervals of silence on, steps down without a word and lets the
/// ordinary rules decide; one that hears nobody for an interval goes on, and takes its addresses
/// anew, since their lease may have run out. A backup listens for an interval and its skew time
/// more.
[[nodiscard]] Step step(const RouterConfig& config, const State& state, const Event& event,
                        TimePoint now);

/// Whether announcements are under way that are no mere refresh. New addresses that come meanwhile
/// are announced along with what the burst is about.
[[nodiscard]] bool in_a_burst(const Master& master);

/// When to call step() with DeadlineReached; nothing while no timer runs.
[[nodiscard]] std::optional<TimePoint> deadline(const State& state);

/// Rounds of one burst of announcements are this far apart, so that a short disturbance does not
/// swallow them all.
inline constexpr Duration kAnnouncementSpacing = std::chrono::milliseconds{50};

/// In a lasting conflict the addresses are announced once in this time, and twice at its beginning.
inline constexpr Duration kConflictAnnouncementInterval = std::chrono::seconds{1};

/// Losing advertisements are answered with at most this many per advertisement interval, so that
/// nobody can use us as an amplifier.
inline constexpr int kAnswersPerInterval = 4;

/// Whether a process that starts at `now` goes on as master in place of a predecessor whose last
/// advertisement left at `advertised_at`: no backup's timer can have run out, since the shortest
/// lasts for three intervals and a skew time.
[[nodiscard]] bool succeeds(const RouterConfig& config, TimePoint advertised_at, TimePoint now);

/// Skew_Time: RFC 9568 section 6.1, or RFC 3768 section 6.1 for version 2, where it is not scaled
/// by the interval. `interval` is the master's.
[[nodiscard]] Duration skew_time(Version version, Priority priority, Duration interval);

/// Active_Down_Interval (Master_Down_Interval): 3 * interval + Skew_Time.
[[nodiscard]] Duration master_down_interval(Version version, Priority priority, Duration interval);

}  // namespace ha::vrrp
