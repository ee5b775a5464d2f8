#include "vrrpd/runtime/mailer.hpp"

#include <algorithm>
#include <iterator>

#include "vrrpd/mail/delivery.hpp"

namespace ha::vrrp {
namespace {

/// Those that keepalived tells by mail: it never gets to sending the one about its end.
std::optional<mail::Change::State> told_by_mail(const Notice& notice) {
  if (notice.kind != Notice::Kind::kState) return std::nullopt;
  if (notice.state == "MASTER") return mail::Change::State::kMaster;
  if (notice.state == "BACKUP") return mail::Change::State::kBackup;
  if (notice.state == "FAULT") return mail::Change::State::kFault;
  return std::nullopt;
}

}  // namespace

void MailQueue::push(const Notice& notice, bool faults, std::chrono::system_clock::time_point at) {
  const std::pair key{notice.subject, notice.name};
  const auto state = told_by_mail(notice);
  if (!state) {
    // Stopped or removed: what comes by this name later begins anew.
    if (notice.kind == Notice::Kind::kState) told_.erase(key);
    return;
  }
  if (*state == mail::Change::State::kFault && !faults) return;
  const auto [told, is_first] = told_.try_emplace(key, *state);
  if (!is_first && std::exchange(told->second, *state) == *state) return;
  if (waiting_.size() >= kWaitingMax) {
    waiting_.pop_front();
    ++left_out_;
  }
  const bool is_group = notice.subject == Notice::Subject::kGroup;
  waiting_.push_back({is_group ? mail::Change::Subject::kGroup : mail::Change::Subject::kInstance,
                      notice.name, *state, at});
}

std::vector<mail::Change> MailQueue::take(std::size_t changes_max) {
  const auto end =
      waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(changes_max, waiting_.size()));
  std::vector<mail::Change> taken{std::make_move_iterator(waiting_.begin()),
                                  std::make_move_iterator(end)};
  waiting_.erase(waiting_.begin(), end);
  return taken;
}

Mailer::Mailer(boost::asio::io_context& io, Subprocesses& subprocesses, Log& log)
    : subprocesses_{subprocesses}, log_{log}, pause_{io} {}

void Mailer::tell(const Notice& notice) {
  if (!config_) return;
  queue_.push(notice, config_->faults, std::chrono::system_clock::now());
  if (const std::size_t left_out = queue_.take_left_out(); left_out > 0) {
    if (losses_.admit(std::chrono::steady_clock::now())) {
      log_.warning("mail: {} wait already; the oldest one is left out{}", MailQueue::kWaitingMax,
                   losses_.suffix());
    }
  }
  if (!queue_.empty() && !session_ && !is_pausing_) start_after(kPause);
}

void Mailer::start_after(Duration pause) {
  is_pausing_ = true;
  pause_.expires_after(pause);
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error) start();
  });
}

void Mailer::start() {
  is_pausing_ = false;
  if (!config_) queue_.clear();
  if (queue_.empty()) {
    if (idle_) std::exchange(idle_, {})();
    return;
  }
  auto changes = queue_.take(kSessionMax);
  const std::size_t mails = changes.size();
  session_ = subprocesses_.start(
      [config = *config_, changes = std::move(changes)] {
        return mail::to_text(mail::deliver(config, changes));
      },
      kSessionTime, [this, mails](const Ended& how) { ended(mails, how); });
}

void Mailer::ended(std::size_t mails, const Ended& how) {
  session_.reset();
  const bool has_answer = how.kind == Ended::Kind::kExited && how.value == 0;
  const mail::Outcome outcome =
      has_answer ? mail::parse_outcome(how.text) : mail::Outcome{0, to_string(how)};
  if (outcome.sent > 0) log_.info("SMTP alert successfully sent.");
  if (!outcome.trouble.empty() && failures_.admit(std::chrono::steady_clock::now())) {
    log_.warning("mail: {} of {} sent by {}:{}: {}{}", outcome.sent, mails,
                 config_ ? config_->server : "", config_ ? config_->port : 0, outcome.trouble,
                 failures_.suffix());
  }
  start_after(idle_ ? Duration::zero() : kPause);
}

void Mailer::finish(std::function<void()> idle) {
  idle_ = std::move(idle);
  if (!session_) start_after(Duration::zero());
}

void Mailer::give_up() {
  queue_.clear();
  if (session_) subprocesses_.abandon(*session_);
  session_.reset();
}

}  // namespace ha::vrrp
