/// When to ask HAProxy, whom to believe, and what its silence means: the decisions of the client,
/// without its sockets.
///
/// Pure: what happened and the time come in as values, what to do comes out as values.
///
/// A *poll* is a fresh connection that asks once and reads to the end. The *held* connection is
/// opened after a good poll and says nothing: it is there to end when HAProxy dies, so that a death
/// is seen at once and not at the next poll. It belongs to one worker; once another one answers the
/// polls it is replaced, or it would keep the old one alive.
///
/// Where a ring is named, the held connection follows its events. Each of them asks for a poll at
/// once; none is believed, and none is needed: the ring drops events when they are too many, and
/// the next regular poll sees what they would have told.
///
/// A stats socket is asked for `show servers state`, a quarter of the work of `show stat` for
/// HAProxy, until it does not tell enough (Answer::unclear) or fails; then for `show stat` until
/// another worker answers.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ha/types.hpp"
#include "haproxy_probe/config.hpp"
#include "haproxy_probe/evaluator.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {

/// The poll was answered as a whole.
struct PollAnswered {
  Answer answer;
};
/// Nobody listens: the socket refuses or does not exist.
struct PollRefused {
  std::string reason;
};
/// Anything else went wrong with the poll.
struct PollFailed {
  std::string reason;
};
/// The held connection ended, or could not be opened.
struct HeldEnded {
  std::string last_words;  ///< what HAProxy said last on it
};
/// The ring has said something.
struct Rang {};
/// deadline() has passed.
struct TimeReached {};

using DialogueEvent =
    std::variant<PollAnswered, PollRefused, PollFailed, HeldEnded, Rang, TimeReached>;

/// What is asked for.
enum class Question : std::uint8_t {
  kServersState,  ///< `show servers state`
  kStats,         ///< `show stat`
  kPage,          ///< the CSV of the statistics page
};

/// Connect and ask; exactly one Poll… event follows, unless the poll is abandoned.
struct StartPoll {
  Question question = Question::kServersState;
};
/// Close the poll's connection; its outcome does not matter any more.
struct AbandonPoll {};
/// Open the held connection; HeldEnded follows when it ends, unless it is let go. With `events` it
/// follows the ring, and Rang follows each of them.
struct Hold {
  bool events = false;
};
/// Close the held connection.
struct LetGo {};
/// Hand `event` to the evaluator. Always the last action.
struct Tell {
  Event event;
};

using DialogueAction = std::variant<StartPoll, AbandonPoll, Hold, LetGo, Tell>;

/// A reload leaves moments in which the socket refuses, or in which the old worker answers or
/// closes, and so does a death that is not over yet. So a poll that fails quickly is repeated after
/// the first three of these times before its failure is believed. A refusal is believed at once if
/// the held connection has ended: across a reload it would have stayed with the old worker. While
/// it stands it takes all of them: on a busy machine a new HAProxy, which has put its socket in the
/// place of the old one's, may come to listen on it as late as that.
inline constexpr std::array<Duration, 5> kRetryAfter = {
    std::chrono::milliseconds{1}, std::chrono::milliseconds{4}, std::chrono::milliseconds{15},
    std::chrono::milliseconds{60}, std::chrono::milliseconds{240}};
inline constexpr std::size_t kRetries = 3;

/// After a poll that took so long, an event has to wait for `kDoorbellRest` times as long: a storm
/// of events costs HAProxy and us a fifth of the time at most.
inline constexpr int kDoorbellRest = 4;
inline constexpr Duration kDoorbellRestMin = std::chrono::milliseconds{2};
/// A ring that could not be followed is tried again after that time, or with the next worker.
inline constexpr Duration kEventsAgainAfter = std::chrono::seconds{60};

class Dialogue {
 public:
  explicit Dialogue(ProbeConfig config);

  /// Takes in `event` at `now` and returns what to do, in order.
  [[nodiscard]] std::vector<DialogueAction> handle(DialogueEvent event, TimePoint now);

  /// When to call handle() with TimeReached; before the first call that is at once. An early or
  /// repeated TimeReached does nothing. One that is later than `timeout` means that this process
  /// was away, and gives a running poll, whose answer may be waiting, the same time again.
  [[nodiscard]] TimePoint deadline() const;

 private:
  using Actions = std::vector<DialogueAction>;

  [[nodiscard]] Actions on(PollAnswered&& event, TimePoint now);
  [[nodiscard]] Actions on(PollRefused&& event, TimePoint now);
  [[nodiscard]] Actions on(PollFailed&& event, TimePoint now);
  [[nodiscard]] Actions on(HeldEnded&& event, TimePoint now);
  [[nodiscard]] Actions on(Rang&& event, TimePoint now);
  [[nodiscard]] Actions on(TimeReached&& event, TimePoint now);
  [[nodiscard]] bool retry(std::size_t retries_max, TimePoint now);
  [[nodiscard]] StartPoll begin_poll(TimePoint now);
  void meet(const Identity& identity, TimePoint now);
  void hold(const Identity& identity, TimePoint now, Actions& actions);
  void let_go(Actions& actions);
  void end_round(TimePoint now, Event&& outcome, Actions& actions);

  ProbeConfig config_;
  Question question_;
  std::optional<Identity> worker_;  ///< who answered last
  bool polling_ = false;
  TimePoint poll_began_;
  TimePoint poll_ends_at_;  ///< while polling
  TimePoint next_poll_at_ = TimePoint::min();
  /// A round is a poll and its retries.
  TimePoint round_began_;
  std::size_t retries_ = 0;
  /// The held connection ended while this poll ran: its answer may be older than that.
  bool ask_again_ = false;
  bool rang_ = false;       ///< while this poll ran
  TimePoint rest_ends_at_;  ///< no poll for an event before that
  std::optional<Identity> held_;
  bool held_ended_ = false;  ///< and nobody has answered since
  /// One held connection an interval: what closes it at once does not make us spin.
  TimePoint may_hold_at_ = TimePoint::min();

  bool following_ = false;                  ///< the held connection follows the ring
  TimePoint follow_at_ = TimePoint::min();  ///< not before that
  /// A connection that followed the ring has ended: whose it was and what it said last.
  std::optional<std::pair<Identity, std::string>> unfollowed_;
  std::string remark_;  ///< why the ring is not followed
};

}  // namespace ha::probe
