#include "vrrpd/mail/message.hpp"

#include "tests/support/catch.hpp"

namespace ha::mail {
namespace {

using Catch::Matchers::Contains;
using State = Change::State;
using Subject = Change::Subject;

vrrp::MailConfig config() {
  vrrp::MailConfig config;
  config.to = {"ops@example.com", "boss@example.com"};
  config.from = "root@lb1";
  config.helo = "lb1.example.com";
  config.name = "lb1";
  return config;
}

/// Wednesday, 7 January 2026, 10:15:00, so far east of Greenwich.
std::tm local(long offset_seconds = 3600) {
  std::tm time{};
  time.tm_year = 126;
  time.tm_mon = 0;
  time.tm_mday = 7;
  time.tm_wday = 3;
  time.tm_hour = 10;
  time.tm_min = 15;
  time.tm_gmtoff = offset_seconds;
  return time;
}

std::string about(Subject subject, const std::string& name, State state) {
  return compose(config(), {subject, name, state, {}}, local(), "7");
}

TEST_CASE("a mail has keepalived's subject and text", "[mail]") {
  CHECK(about(Subject::kInstance, "VI_1", State::kMaster) ==
        "Date: Wed, 07 Jan 2026 10:15:00 +0100\r\n"
        "From: root@lb1\r\n"
        "Subject: [lb1] VRRP Instance VI_1 - Entering MASTER state\r\n"
        "X-Mailer: vrrpd\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "Message-ID: <7@lb1.example.com>\r\n"
        "To: ops@example.com, boss@example.com\r\n"
        "\r\n"
        "=> VRRP Instance is now owning VRRP VIPs <=\r\n"
        "\r\n");
  const std::string no_longer = "\r\n\r\n=> VRRP Instance is no longer owning VRRP VIPs <=\r\n\r\n";
  for (const State state : {State::kBackup, State::kFault}) {
    CHECK_THAT(about(Subject::kInstance, "VI_1", state), Contains(no_longer));
  }
  const std::string group = about(Subject::kGroup, "G", State::kFault);
  CHECK_THAT(group, Contains("Subject: [lb1] VRRP Group G - Entering FAULT state\r\n"));
  CHECK_THAT(group, Contains("\r\n=> All VRRP group instances are now in FAULT state <=\r\n"));
}

TEST_CASE("the date has the offset of the machine's time zone", "[mail]") {
  const auto date = [](long offset) {
    return compose(config(), {}, local(offset), "7").substr(6, 31);
  };
  CHECK(date(0) == "Wed, 07 Jan 2026 10:15:00 +0000");
  CHECK(date(-(3 * 3600 + 1800)) == "Wed, 07 Jan 2026 10:15:00 -0330");
  CHECK(date(5 * 3600 + 2700) == "Wed, 07 Jan 2026 10:15:00 +0545");
}

TEST_CASE("a name begins no header of its own and no line of its own", "[mail]") {
  const std::string mail =
      about(Subject::kInstance, "A\r\nBcc: x@y\r\n.\r\n\xc3\xa4", State::kMaster);
  CHECK_THAT(mail, Contains("VRRP Instance A??Bcc: x@y??.???? - Entering"));
  CHECK(mail.find("\r\nBcc") == std::string::npos);
  CHECK_THAT(about(Subject::kInstance, std::string(5000, 'x'), State::kMaster),
             Contains(std::string(200, 'x') + " - "));
}

TEST_CASE("many recipients take several lines", "[mail]") {
  vrrp::MailConfig many = config();
  many.to.assign(64, std::string(240, 'a') + "@example.com");
  const std::string mail = compose(many, {}, local(), "7");
  std::size_t longest = 0;
  for (std::size_t begin = 0, end = 0; (end = mail.find("\r\n", begin)) != std::string::npos;
       begin = end + 2) {
    longest = std::max(longest, end - begin);
  }
  CHECK(longest < 300);
  CHECK_THAT(mail, Contains(",\r\n " + many.to[0] + ",\r\n "));
}

}  // namespace
}  // namespace ha::mail
