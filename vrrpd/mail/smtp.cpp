#include "vrrpd/mail/smtp.hpp"

#include <fmt/format.h>

#include <utility>

namespace ha::mail {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The beginning of what somebody else said, as a log line can hold it.
std::string quoted(std::string_view text) {
  std::string clean{text.substr(0, SmtpSession::kQuotedSizeBytesMax)};
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';
  }
  return clean;
}

bool is_positive(int code) { return code >= 200 && code < 300; }

}  // namespace

SmtpSession::SmtpSession(Envelope envelope, std::vector<std::string> mails)
    : envelope_{std::move(envelope)}, mails_{std::move(mails)} {}

std::string SmtpSession::receive(std::string_view bytes) {
  std::string to_send;
  for (const char c : bytes) {
    if (is_over()) break;
    if (c == '\n') {
      to_send += take_line();
      line_.clear();
    } else if (line_.size() < kLineSizeBytesMax) {
      line_ += c;
    } else {
      to_send += refuse("the server's lines are too long");
      stage_ = Stage::kOver;
    }
  }
  return to_send;
}

std::string SmtpSession::take_line() {
  std::string_view line = line_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const bool has_code = line.size() >= 3 && is_digit(line[0]) && is_digit(line[1]) &&
                        is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
  if (!has_code || ++lines_ > kLinesMax) {
    std::string to_send = refuse(has_code ? "the server's answer has too many lines"
                                          : fmt::format("no SMTP server: {}", quoted(line)));
    stage_ = Stage::kOver;
    return to_send;
  }
  if (line.size() > 3 && line[3] == '-') return {};
  lines_ = 0;
  const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
  return answer({code, line});
}

std::string SmtpSession::answer(const Reply& reply) {
  switch (stage_) {
    case Stage::kGreeting:
      if (reply.code == 220) return say(Stage::kHelo, "HELO " + envelope_.helo);
      break;
    case Stage::kHelo:
      if (is_positive(reply.code)) return next_mail();
      break;
    case Stage::kSender:
      if (is_positive(reply.code)) {
        recipient_ = 0;
        has_recipient_ = false;
        return say(Stage::kRecipient, fmt::format("RCPT TO:<{}>", envelope_.to.front()));
      }
      break;
    case Stage::kRecipient:
      return recipient_answered(reply);
    case Stage::kData:
      if (reply.code != 354) break;
      stage_ = Stage::kText;
      said_ = "the mail";
      return mails_[sent_] + ".\r\n";
    case Stage::kText:
      if (!is_positive(reply.code)) break;
      ++sent_;
      return next_mail();
    case Stage::kQuit:
      stage_ = Stage::kOver;
      return {};
    case Stage::kOver:
      return {};
  }
  note_refusal(reply);
  return say(Stage::kQuit, "QUIT");
}

std::string SmtpSession::recipient_answered(const Reply& reply) {
  if (is_positive(reply.code)) {
    has_recipient_ = true;
  } else {
    note_refusal(reply);
  }
  if (++recipient_ < envelope_.to.size()) {
    return say(Stage::kRecipient, fmt::format("RCPT TO:<{}>", envelope_.to[recipient_]));
  }
  return has_recipient_ ? say(Stage::kData, "DATA") : say(Stage::kQuit, "QUIT");
}

std::string SmtpSession::next_mail() {
  if (sent_ == mails_.size()) return say(Stage::kQuit, "QUIT");
  return say(Stage::kSender, fmt::format("MAIL FROM:<{}>", envelope_.from));
}

std::string SmtpSession::say(Stage stage, std::string command) {
  stage_ = stage;
  said_ = command;
  return std::move(command) + "\r\n";
}

std::string SmtpSession::refuse(std::string trouble) {
  if (trouble_.empty()) trouble_ = std::move(trouble);
  return say(Stage::kQuit, "QUIT");
}

void SmtpSession::note_refusal(const Reply& reply) {
  if (!trouble_.empty()) return;
  trouble_ = fmt::format("{} is answered with: {}", said_, quoted(reply.text));
}

}  // namespace ha::mail
