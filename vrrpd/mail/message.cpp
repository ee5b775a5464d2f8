#include "vrrpd/mail/message.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>

namespace ha::mail {
namespace {

/// Longer ones would make a line too long. Those of a valid configuration are shorter.
constexpr std::size_t kNameSizeMax = 200;
/// RFC 5322 section 2.1.1 would rather have no longer lines.
constexpr std::size_t kLineSizeWanted = 78;

std::string printable(std::string_view text) {
  std::string clean{text.substr(0, kNameSizeMax)};
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';
  }
  return clean;
}

std::string_view word_of(Change::State state) {
  switch (state) {
    case Change::State::kMaster:
      return "MASTER";
    case Change::State::kBackup:
      return "BACKUP";
    case Change::State::kFault:
      return "FAULT";
  }
  return {};
}

/// As RFC 5322 section 3.3 has it, whatever the locale is.
std::string date_of(const std::tm& local) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const long minutes = std::labs(local.tm_gmtoff) / 60;
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} {}{:02}{:02}",
                     kDays.at(static_cast<std::size_t>(local.tm_wday)), local.tm_mday,
                     kMonths.at(static_cast<std::size_t>(local.tm_mon)), 1900 + local.tm_year,
                     local.tm_hour, local.tm_min, local.tm_sec, local.tm_gmtoff < 0 ? '-' : '+',
                     minutes / 60, minutes % 60);
}

/// A long list goes on in further lines, which begin with a blank (RFC 5322 section 2.2.3).
std::string recipients_of(const vrrp::MailConfig& config) {
  std::string text = "To: ";
  std::size_t line_begin = 0;
  bool is_first = true;
  for (const std::string& recipient : config.to) {
    if (!is_first) {
      text += ',';
      if (text.size() - line_begin + recipient.size() + 2 > kLineSizeWanted) {
        text += "\r\n";
        line_begin = text.size();
      }
      text += ' ';
    }
    text += recipient;
    is_first = false;
  }
  return text;
}

std::string body_of(const Change& change) {
  if (change.subject == Change::Subject::kGroup) {
    return fmt::format("=> All VRRP group instances are now in {} state <=", word_of(change.state));
  }
  return change.state == Change::State::kMaster
             ? "=> VRRP Instance is now owning VRRP VIPs <="
             : "=> VRRP Instance is no longer owning VRRP VIPs <=";
}

}  // namespace

std::string compose(const vrrp::MailConfig& config, const Change& change, const std::tm& local,
                    std::string_view id) {
  return fmt::format(
      "Date: {}\r\n"
      "From: {}\r\n"
      "Subject: [{}] VRRP {} {} - Entering {} state\r\n"
      "X-Mailer: vrrpd\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "Message-ID: <{}@{}>\r\n"
      "{}\r\n"
      "\r\n"
      "{}\r\n"
      "\r\n",
      date_of(local), config.from, printable(config.name),
      change.subject == Change::Subject::kGroup ? "Group" : "Instance", printable(change.name),
      word_of(change.state), id, config.helo, recipients_of(config), body_of(change));
}

}  // namespace ha::mail
