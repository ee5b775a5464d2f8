/// From what HAProxy answers to a verdict about this machine (DESIGN: teams, threshold, quorum,
/// grace, recover).
///
/// Pure: answers and the time come in as values. The client that talks to HAProxy is in client.hpp.
///
/// An answer is *good*, *bad* or *uncounted*. With q = min(quorum, counted teams) it is bad if
/// up/servers is below the threshold and fewer than q teams are healthy (`combine: or`: or), in
/// integers and strictly: exactly at the threshold or at the quorum is good. It is uncounted if no
/// server counts at all. Then:
///
/// - The first counted answer ends `unknown`: the verdict is healthy, even if the answer is bad,
///   because the grace has only begun.
/// - The first bad answer starts the grace. A good spell shorter than `recover` does not restart
///   it, one of `recover` without a bad answer does. Bad `grace` or more after that start is
///   unhealthy.
/// - Unhealthy and down become healthy after `recover` of good answers without a bad one. Out of
///   down a bad answer is unhealthy at once: the machine is demoted already, and is not to be
///   spared for having been dead.
/// - Uncounted and unusable answers hold the verdict, whatever time passes, and raise an alarm.
/// - `stale_after` without a whole answer, counted or not, is down; it runs from the first event if
///   there was no answer. During a recovery such a silence starts it anew.
/// - HAProxy gone is down at once, without grace.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ha/messages.hpp"
#include "ha/types.hpp"
#include "haproxy_probe/config.hpp"
#include "haproxy_probe/count.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {

enum class Verdict : std::uint8_t {
  kUnknown,  ///< no counted answer was heard yet; nothing is demoted
  kHealthy,
  kUnhealthy,  ///< too little is up, for longer than the grace
  kDown,       ///< HAProxy itself is dead, or has not answered for `stale_after`
};
/// "healthy".
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// A complete, parsed answer of a worker that is not stopping.
struct StatsReceived {
  std::vector<ServerRow> servers;
  /// What an operator should know of how they came, though they are good; shown as an alarm.
  std::string remark{};
};
/// The socket refuses or is gone, or the held connection ended and nobody answers anew.
struct HaproxyGone {
  std::string reason;  ///< "connect /run/haproxy/admin.sock: Connection refused"
};
/// It accepts, but what it answers is unusable, or nothing came in time.
struct AnswerUnusable {
  std::string reason;
};
/// The set of this machine's own addresses; it holds from the next answer on.
struct LocalAddressesChanged {
  LocalAddresses local;
};
/// deadline() has passed.
struct DeadlineReached {};

using Event = std::variant<StatsReceived, HaproxyGone, AnswerUnusable, LocalAddressesChanged,
                           DeadlineReached>;

/// Everything an operator is shown. While HAProxy is down the teams of its last answer are all
/// shown with none up.
struct Report {
  Verdict verdict = Verdict::kUnknown;
  int servers_up = 0;
  int servers = 0;
  int percentage = 0;  ///< of servers up, rounded down
  int healthy_teams = 0;
  std::vector<TeamHealth> teams;           ///< in the order of HAProxy's answer
  std::optional<TimePoint> grace_ends_at;  ///< while bad and not yet unhealthy
  /// The decision line: "NO FAILOVER: 75% is not below 50%; 3 healthy teams". It begins with
  /// "NO FAILOVER" (good), "WAIT" (bad, within the grace), "FAILOVER" (demoted) or "HOLD" (the
  /// verdict is kept, and why), and does not change merely because time passes.
  std::string reason = "HOLD: no answer of HAProxy yet";
  /// What needs a human: HAProxy gone, unusable answers, nothing to count, missing teams.
  std::optional<std::string> alarm;
  friend bool operator==(const Report&, const Report&) = default;
};

/// "Overall: 3/4 (75%) | Teams: devops:UP(1/1) ma:UP(1/1) ba:DOWN(0/1) tw:UP(1/1)". A team of which
/// no server counts is "ba:UNKNOWN(0/0)".
[[nodiscard]] std::string overall_line(const Report& report);

/// What the verdict costs: 0, `demote_unhealthy` or `demote_down`.
[[nodiscard]] Demotion demotion(const ProbeConfig& config, const Report& report);

/// What an evaluator leaves to the one that follows it, in a restarted process or with another
/// configuration: a restart does not forget that the machine was demoted. The time is that of the
/// monotonic clock, which all processes of one boot share.
struct Standing {
  Verdict verdict = Verdict::kUnknown;
  std::optional<TimePoint> bad_since;  ///< where the grace began, if it has
  friend bool operator==(const Standing&, const Standing&) = default;
};

class Evaluator {
 public:
  /// Goes on from `before`: that verdict is held until HAProxy's answers change it by the usual
  /// rules, and a grace that had begun goes on. A recovery begins anew, and so does the silence
  /// that `stale_after` ends, since nobody watched meanwhile.
  ///
  /// Compiles the expressions of `config`, which must be valid (config checks them): throws
  /// std::regex_error.
  explicit Evaluator(ProbeConfig config, const Standing& before = {});

  /// Takes in `event` at time `now`, which never goes back. An early or repeated DeadlineReached
  /// changes nothing. One that is later than `timeout` means that this process, not HAProxy, was
  /// away: then HAProxy gets the time of one more poll before its silence counts as down.
  void handle(const Event& event, TimePoint now);

  [[nodiscard]] const Report& report() const { return report_; }

  /// What the next evaluator has to know to go on from here.
  [[nodiscard]] Standing standing() const { return {verdict_, bad_since_}; }

  /// When to call handle() with DeadlineReached: the grace, the recovery or the staleness ends.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

 private:
  /// What the last news was.
  enum class News : std::uint8_t { kNone, kGood, kBad, kUncounted, kUnusable, kGone };

  void on(const StatsReceived& event, TimePoint now);
  void on(const HaproxyGone& event, TimePoint now);
  void on(const AnswerUnusable& event, TimePoint now);
  void on(const LocalAddressesChanged& event, TimePoint now);
  void on(const DeadlineReached& event, TimePoint now);
  void advance(TimePoint now);
  void go_down();
  [[nodiscard]] bool can_go_down() const;
  [[nodiscard]] bool is_demoted() const;
  [[nodiscard]] bool percentage_is_low() const;
  [[nodiscard]] bool quorum_is_missed() const;
  [[nodiscard]] bool is_bad() const;
  [[nodiscard]] int quorum() const;
  [[nodiscard]] TimePoint stale_at() const;
  [[nodiscard]] std::string reason() const;
  [[nodiscard]] std::string why_good() const;
  [[nodiscard]] std::string why_bad() const;
  void update_report();

  ProbeConfig config_;
  Counter counter_;
  Count count_;
  Verdict verdict_ = Verdict::kUnknown;
  News news_ = News::kNone;
  std::string trouble_;                    ///< the reason of kUncounted, kUnusable and kGone
  std::optional<TimePoint> silent_since_;  ///< the last whole answer, or the first event
  std::optional<TimePoint> bad_since_;     ///< where the grace began
  std::optional<TimePoint> calm_since_;    ///< the first answer after the last bad one
  std::optional<TimePoint> good_since_;    ///< the first good answer after the last bad one
  Report report_;
};

}  // namespace ha::probe
