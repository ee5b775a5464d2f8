#include "vrrpd/runtime/notifier.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace ha::vrrp {

Notifier::Notifier(boost::asio::io_context& io, Log& log)
    : io_{io},
      log_{log},
      subprocesses_{io},
      mailer_{io, subprocesses_, log},
      patience_{io},
      alive_{std::make_shared<char>()} {}

void Notifier::set_fifo(const std::optional<NotifyFifo>& fifo) {
  if (pipe_ && fifo && pipe_->config() == *fifo) return;
  pipe_.reset();  // its reader comes to an end with it
  if (fifo) pipe_ = std::make_unique<NotifyPipe>(io_, subprocesses_, log_, *fifo);
}

bool Notifier::tell(const Notice& notice, const NotifyConfig& config, TimePoint now) {
  if (pipe_ && (notice.kind != Notice::Kind::kPriority || config.priority_changes)) {
    pipe_->write(fifo_line(notice), now);
  }
  if (config.mail) mailer_.tell(notice);
  auto commands = commands_for(notice, config);
  const Key key{notice.subject, notice.name};
  if (commands.empty()) return owed_.contains(key);
  NotifyQueue& queue = owed_[key].queue;
  queue.push(notice.kind, std::move(commands));
  if (const std::size_t left_out = queue.take_left_out(); left_out > 0) {
    log_.warning("({}) notify commands cannot keep up: {} earlier notifications are left out",
                 notice.name, left_out);
  }
  schedule(key);
  return true;
}

void Notifier::repeat(const Notice& notice, TimePoint now) {
  if (pipe_ && pipe_->config().states_on_reload) pipe_->write(fifo_line(notice), now);
}

void Notifier::schedule(const Key& key) {
  Owed& owed = owed_.at(key);
  if (std::exchange(owed.scheduled, true)) return;
  ready_.push_back(key);
  pump_soon();
}

void Notifier::pump_soon() {
  if (std::exchange(pump_pending_, true)) return;
  boost::asio::post(io_, [this, alive = std::weak_ptr<void>{alive_}] {
    if (!alive.expired()) pump();
  });
}

/// Starts one command a turn: each takes a fraction of a millisecond, and advertisements have to
/// leave in between.
void Notifier::pump() {
  pump_pending_ = false;
  if (ready_.empty() || running_ >= kRunningMax) return;
  const Key key = std::move(ready_.front());
  ready_.pop_front();
  auto launch = owed_.at(key).queue.next();
  ++running_;
  const std::string program = launch->command.arguments.front();
  subprocesses_.start(std::move(*launch),
                      [this, key, program](const Ended& how) { ended(key, program, how); });
  pump_soon();
}

void Notifier::ended(const Key& key, const std::string& program, const Ended& how) {
  --running_;
  if (how.kind != Ended::Kind::kExited || how.value != 0) {
    log_.warning("({}) notify command {}: {}", key.second, program, to_string(how));
  }
  Owed& owed = owed_.at(key);
  owed.scheduled = false;
  if (owed.queue.empty()) {
    owed_.erase(key);
    if (on_told_) on_told_(key.first, key.second);
  } else {
    schedule(key);
  }
  pump_soon();
  finish_if_idle();
}

void Notifier::finish(std::function<void()> done) {
  for (auto& [key, owed] : owed_) owed.queue.hurry();
  done_ = std::move(done);
  if (pipe_) pipe_->close([this] { finish_if_idle(); });
  mailer_.finish([this] { finish_if_idle(); });
  patience_.expires_after(kPatience);
  patience_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    pipe_.reset();
    mailer_.give_up();
    finish_if_idle();
  });
  finish_if_idle();
}

void Notifier::finish_if_idle() {
  if (!done_ || !owed_.empty()) return;
  if ((pipe_ && pipe_->is_read()) || !mailer_.is_idle()) return;
  boost::asio::post(io_, std::exchange(done_, {}));
}

}  // namespace ha::vrrp
