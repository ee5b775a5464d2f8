/// Runs notify commands: those of one instance or group one at a time and in order, a limited
/// number of them at once, and none that could hold the event loop up.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/mailer.hpp"
#include "vrrpd/runtime/notify.hpp"
#include "vrrpd/runtime/notify_fifo.hpp"
#include "vrrpd/runtime/subprocess.hpp"

namespace ha::vrrp {

class Notifier {
 public:
  /// So many commands run at once; of 1,020 instances that fail over together the others wait.
  static constexpr std::size_t kRunningMax = 32;
  /// How long the pipe's reader may take to come to its end when the daemon stops, and mails that
  /// have not been sent yet.
  static constexpr Duration kPatience = std::chrono::seconds{1};

  /// Both must outlive the object.
  Notifier(boost::asio::io_context& io, Log& log);

  /// Where all notices are written to as well. Replaces the one before.
  void set_fifo(const std::optional<NotifyFifo>& fifo);

  /// How mails are sent to those who want them; nothing: not at all.
  void set_mail(std::optional<MailConfig> mail) { mailer_.configure(std::move(mail)); }

  /// Called when all commands of an instance or a group have run that had to.
  using OnTold = std::function<void(Notice::Subject subject, const std::string& name)>;
  void on_told(OnTold handler) { on_told_ = std::move(handler); }

  /// Has the commands of `config` told, and a mail sent, in a later turn of the loop. Returns
  /// whether any commands have to run yet, of this notice or an earlier one.
  bool tell(const Notice& notice, const NotifyConfig& config, TimePoint now);

  /// Writes into the pipe what it has been told before, if it is to hear that with a reload.
  void repeat(const Notice& notice, TimePoint now);

  /// The daemon stops: lets what runs come to its end, tells each its last notice, and calls `done`
  /// from the loop when all that is over. Time limits apply.
  void finish(std::function<void()> done);

 private:
  using Key = std::pair<Notice::Subject, std::string>;
  struct Owed {
    NotifyQueue queue;
    bool scheduled = false;  ///< in ready_, or its command runs
  };

  void schedule(const Key& key);
  void pump_soon();
  void pump();
  void ended(const Key& key, const std::string& program, const Ended& ended);
  void finish_if_idle();

  boost::asio::io_context& io_;
  Log& log_;
  Subprocesses subprocesses_;
  std::unique_ptr<NotifyPipe> pipe_;
  std::map<Key, Owed> owed_;
  std::deque<Key> ready_;
  std::size_t running_ = 0;
  bool pump_pending_ = false;
  std::function<void()> done_;
  OnTold on_told_;
  Mailer mailer_;
  boost::asio::steady_timer patience_;
  std::shared_ptr<void> alive_;
};

}  // namespace ha::vrrp
