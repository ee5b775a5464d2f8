/// What the daemon tells about itself: a snapshot as values, its JSON form (leaf names of RFC 8347,
/// kebab-case), and the same in sentences.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/messages.hpp"
#include "ha/types.hpp"
#include "vrrpd/engine/router.hpp"
#include "vrrpd/runtime/loop_lag.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {

using WallClock = std::chrono::system_clock::time_point;

/// Per virtual router, RFC 8347 section 4 `statistics`.
struct RouterStatistics {
  std::uint64_t master_transitions = 0;
  std::uint64_t advertisement_rcvd = 0;
  std::uint64_t advertisement_sent = 0;
  std::uint64_t priority_zero_pkts_rcvd = 0;
  std::uint64_t priority_zero_pkts_sent = 0;
  std::uint64_t addresses_restored = 0;  ///< put back after somebody else removed them
  std::array<std::uint64_t, kPacketErrorCount> errors{};  ///< by PacketError
};

/// RFC 8347 counts these per virtual router, and mode-mismatch-errors is ours.
inline constexpr std::array kRouterErrors{
    PacketError::kInterval, PacketError::kAddressList,    PacketError::kLength, PacketError::kType,
    PacketError::kAuthType, PacketError::kAuthentication, PacketError::kSource, PacketError::kMode};

/// RFC 8347 counts the first four for the whole machine. Packets too short to name a virtual
/// router, or of another type than an advertisement, can be charged to none either.
inline constexpr std::array kGlobalErrors{PacketError::kChecksum, PacketError::kVersion,
                                          PacketError::kVrid,     PacketError::kTtl,
                                          PacketError::kLength,   PacketError::kType};

/// Packets that no virtual router of ours can be charged with.
using GlobalErrors = std::array<std::uint64_t, kPacketErrorCount>;

/// Something that needs a human, for as long as it lasts.
struct Alarm {
  std::string kind;  ///< "interval-mismatch"
  std::string peer;  ///< empty: no peer is concerned
  std::string ours;  ///< both values, for a mismatch
  std::string theirs;
  WallClock since;
};

struct RouterStatus {
  std::string name;
  std::string interface;
  std::string virtual_interface;  ///< the macvlan that the addresses are on; empty: none
  std::string virtual_mac;        ///< its MAC address
  Vrid vrid;
  Version version = Version::k3;
  std::string state;  ///< "master"
  Priority priority;
  Priority effective_priority;
  Preempt preempt = Preempt::kYes;
  Duration preempt_delay{};
  std::vector<std::string> addresses;  ///< "192.168.1.100/24", in the order of the configuration
  std::string last_adv_source;         ///< empty: none was heard
  Priority last_adv_priority;          ///< what it claimed
  std::chrono::milliseconds last_adv_age{};
  Duration master_down_interval{};
  Duration skew_time{};
  LastEvent last_event = LastEvent::kNone;
  NewMasterReason new_master_reason = NewMasterReason::kNotMaster;
  std::string why;  ///< the sentence logged with the last transition; in fault: what is missing
  WallClock since;
  std::string group;             ///< empty: none
  bool waits_for_group = false;  ///< could be master if the others of its group could
  std::vector<Demotion> tracks;
  std::vector<Alarm> alarms;
  RouterStatistics statistics;
};

struct TeamStatus {
  std::string name;
  int up = 0;
  int servers = 0;
  bool healthy = false;
};

struct HaproxyStatus {
  std::string verdict;  ///< "healthy"
  int servers_up = 0;
  int servers = 0;
  int percentage = 0;
  int healthy_teams = 0;
  std::vector<TeamStatus> teams;
  std::chrono::milliseconds grace_remaining{};
  std::string reason;
  std::string alarm;                      ///< empty: none
  std::uint64_t failovers_triggered = 0;  ///< times the verdict began to demote
};

/// The operator wants no address here.
struct Drained {
  WallClock since;
  bool saved = false;   ///< on disk: a restart does not end it
  std::string trouble;  ///< why it could not be saved; empty: no reason so far
};

struct Status {
  std::string node;
  std::string version;
  std::vector<RouterStatus> instances;
  GlobalErrors errors{};
  std::optional<HaproxyStatus> haproxy;
  /// How long a reload may still be confirmed before it is taken back; nothing: none waits for it.
  std::optional<std::chrono::milliseconds> confirm_within{};
  LoopLag loop_lag{};            ///< in the metrics only
  std::uint64_t last_event = 0;  ///< the number of the newest in Events
  std::optional<Drained> drained{};
};

/// "2026-01-07T10:15:00Z".
[[nodiscard]] std::string to_utc(WallClock time);
/// "2026-01-07T10:15:00.123Z".
[[nodiscard]] std::string to_utc_ms(WallClock time);

/// The object that `vrrpctl status --json` prints, as one line of UTF-8.
[[nodiscard]] std::string to_json(const Status& status);

/// Why this state and this priority, one sentence a line. All instances where `instance` is empty;
/// nothing if there is no instance of that name.
[[nodiscard]] std::optional<std::vector<std::string>> explain(const Status& status,
                                                              std::string_view instance);

}  // namespace ha::vrrp
