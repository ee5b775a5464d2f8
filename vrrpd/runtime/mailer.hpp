/// Tells changes of state by mail, in a child process: looking up the server and talking to it
/// never holds the event loop up, and takes no memory of the engine's for longer than it lasts.
///
/// A child and not a client in this loop: the resolver of Asio is a thread, what a server sends is
/// read without the engine's capabilities, and whatever goes wrong there ends with the child.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/mail/message.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/notify.hpp"
#include "vrrpd/runtime/subprocess.hpp"

namespace ha::vrrp {

/// Which changes are told, and which of them wait. Pure.
class MailQueue {
 public:
  /// So many wait at most; then the oldest ones are left out. Two changes of each of the virtual
  /// routers that one link can have are fewer.
  static constexpr std::size_t kWaitingMax = 1024;

  /// Adds what `notice` tells, if that is for a mail: a state that is neither the one that the
  /// last mail about it told nor, without `faults`, FAULT.
  void push(const Notice& notice, bool faults, std::chrono::system_clock::time_point at);
  /// Takes at most so many of the oldest ones out.
  [[nodiscard]] std::vector<mail::Change> take(std::size_t changes_max);
  void clear() { waiting_.clear(); }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// How many were left out since the last call.
  [[nodiscard]] std::size_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  std::map<std::pair<Notice::Subject, std::string>, mail::Change::State> told_;
  std::deque<mail::Change> waiting_;
  std::size_t left_out_ = 0;
};

class Mailer {
 public:
  /// Before a child is started: what a fail-over has to do goes first, and its mails together.
  static constexpr Duration kPause = std::chrono::milliseconds{100};
  /// So many mails in one session with the server.
  static constexpr std::size_t kSessionMax = 100;
  /// A session that takes longer is over; what was not sent by then is not sent.
  static constexpr Duration kSessionTime = std::chrono::minutes{5};

  /// All must outlive the object.
  Mailer(boost::asio::io_context& io, Subprocesses& subprocesses, Log& log);

  /// Nothing: nobody gets a mail any more.
  void configure(std::optional<MailConfig> config) { config_ = std::move(config); }

  /// Has a mail sent about `notice`, if it is one of those that mails tell, in a later turn of the
  /// loop. Each is tried once: a server that is away is asked again with the next change.
  void tell(const Notice& notice);

  /// Sends what waits without a pause and calls `idle` from the loop when that is over; at once if
  /// nothing waits.
  void finish(std::function<void()> idle);
  /// Gives up what has not been sent.
  void give_up();
  [[nodiscard]] bool is_idle() const { return !session_ && queue_.empty(); }

 private:
  void start_after(Duration pause);
  void start();
  void ended(std::size_t mails, const Ended& how);

  Subprocesses& subprocesses_;
  Log& log_;
  std::optional<MailConfig> config_;
  MailQueue queue_;
  boost::asio::steady_timer pause_;
  bool is_pausing_ = false;
  std::optional<Subprocesses::Id> session_;
  std::function<void()> idle_;
  Throttle failures_;
  Throttle losses_;
};

}  // namespace ha::vrrp
