/// When to ask HAProxy, whom to believe, and what its silence means: the decisions of the client,
/// without its sockets.
///
/// Pure: what happened and the time come in as values, what to do comes out as values.
///
/// A *poll* is a fresh connection that asks once and reads to the end. The *held* connection is
/// opened after a good poll and says nothing: it is there to end when HAProxy dies, so that a death
/// is seen at once and not at the next poll. It belongs to one worker; once another one answers the
/// polls it is replaced, or it would keep the old one alive.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
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
struct HeldEnded {};
/// deadline() has passed.
struct TimeReached {};

using DialogueEvent = std::variant<PollAnswered, PollRefused, PollFailed, HeldEnded, TimeReached>;

/// Connect and ask; exactly one Poll… event follows, unless the poll is abandoned.
struct StartPoll {};
/// Close the poll's connection; its outcome does not matter any more.
struct AbandonPoll {};
/// Open the held connection; HeldEnded follows when it ends, unless it is let go.
struct Hold {};
/// Close the held connection.
struct LetGo {};
/// Hand `event` to the evaluator. Always the last action.
struct Tell {
  Event event;
};

using DialogueAction = std::variant<StartPoll, AbandonPoll, Hold, LetGo, Tell>;

/// A reload leaves moments in which the socket refuses, or in which the old worker answers or
/// closes, and so does a death that is not over yet. So a poll that fails quickly is repeated after
/// these times before its failure is believed. A refusal is believed at once if the held connection
/// has ended: across a reload it would have stayed with the old worker.
inline constexpr std::array<Duration, 3> kRetryAfter = {
    std::chrono::milliseconds{1}, std::chrono::milliseconds{4}, std::chrono::milliseconds{15}};

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
  [[nodiscard]] Actions on(TimeReached&& event, TimePoint now);
  [[nodiscard]] bool retry(TimePoint now);
  void begin_poll(TimePoint now);
  void hold(const Identity& identity, Actions& actions);
  void let_go(Actions& actions);
  void end_round(TimePoint now, Event&& outcome, Actions& actions);

  ProbeConfig config_;
  bool polling_ = false;
  TimePoint poll_ends_at_;  ///< while polling
  TimePoint next_poll_at_ = TimePoint::min();
  /// A round is a poll and its retries.
  TimePoint round_began_;
  std::size_t retries_ = 0;
  /// The held connection ended while this poll ran: its answer may be older than that.
  bool ask_again_ = false;
  std::optional<Identity> held_;
  bool held_ended_ = false;  ///< and nobody has answered since
  /// One held connection a regular round: what closes it at once does not make us spin.
  bool may_hold_ = false;
};

}  // namespace ha::probe
