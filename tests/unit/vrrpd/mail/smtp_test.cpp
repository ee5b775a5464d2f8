#include "vrrpd/mail/smtp.hpp"

#include "tests/support/catch.hpp"

namespace ha::mail {
namespace {

using Catch::Matchers::Contains;

SmtpSession session(std::size_t mails = 1, std::vector<std::string> to = {"a@x", "b@y"}) {
  std::vector<std::string> texts;
  for (std::size_t i = 1; i <= mails; ++i) texts.push_back("mail " + std::to_string(i) + "\r\n");
  return {{"lb1", "root@lb1", std::move(to)}, std::move(texts)};
}

/// Gives one answer after the other and returns what was said last.
std::string hear(SmtpSession& session, const std::vector<std::string>& answers) {
  std::string said;
  for (const std::string& answer : answers) said = session.receive(answer + "\r\n");
  return said;
}

TEST_CASE("a session says what SMTP wants, one thing at a time", "[mail]") {
  SmtpSession s = session();
  CHECK(s.receive("220 here\r\n") == "HELO lb1\r\n");
  CHECK(s.receive("250 hello\r\n") == "MAIL FROM:<root@lb1>\r\n");
  CHECK(s.receive("250 ok\r\n") == "RCPT TO:<a@x>\r\n");
  CHECK(s.receive("250 ok\r\n") == "RCPT TO:<b@y>\r\n");
  CHECK(s.receive("251 forwarded\r\n") == "DATA\r\n");
  CHECK(s.receive("354 go\r\n") == "mail 1\r\n.\r\n");
  CHECK(s.sent() == 0);
  CHECK(s.receive("250 queued\r\n") == "QUIT\r\n");
  CHECK(s.sent() == 1);
  CHECK_FALSE(s.is_over());
  CHECK(s.receive("221 bye\r\n").empty());
  CHECK(s.is_over());
  CHECK(s.trouble().empty());
}

TEST_CASE("several mails go in one session", "[mail]") {
  SmtpSession s = session(2, {"a@x"});
  CHECK(hear(s, {"220", "250", "250", "250", "354", "250"}) == "MAIL FROM:<root@lb1>\r\n");
  CHECK(hear(s, {"250", "250", "354"}) == "mail 2\r\n.\r\n");
  CHECK(hear(s, {"250"}) == "QUIT\r\n");
  CHECK(s.sent() == 2);
}

TEST_CASE("an answer may have several lines and come in any pieces", "[mail]") {
  SmtpSession s = session();
  CHECK(s.receive("220-one\r\n220-two\r\n22").empty());
  CHECK(s.receive("0 three\r").empty());
  CHECK(s.receive("\n") == "HELO lb1\r\n");
  CHECK(s.receive("250\n") == "MAIL FROM:<root@lb1>\r\n");
  CHECK(s.receive("250 ok\r\n250 ok\r\n") == "RCPT TO:<a@x>\r\nRCPT TO:<b@y>\r\n");
}

TEST_CASE("whatever the server refuses ends the session, and is said", "[mail]") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"554 no"}, "the connection is answered with: 554 no"},
      {{"220", "501 who"}, "HELO lb1 is answered with: 501 who"},
      {{"220", "250", "550 not you"}, "MAIL FROM:<root@lb1> is answered with: 550 not you"},
      {{"220", "250", "250", "250", "250", "451 later"}, "DATA is answered with: 451 later"},
      {{"220", "250", "250", "250", "250", "250 what"}, "DATA is answered with: 250 what"},
      {{"220", "250", "250", "250", "250", "354", "552 too much"},
       "the mail is answered with: 552 too much"}};
  for (const auto& [answers, trouble] : cases) {
    SmtpSession s = session();
    CHECK(hear(s, answers) == "QUIT\r\n");
    CHECK(s.trouble() == trouble);
    CHECK(s.sent() == 0);
    CHECK(hear(s, {"500 whatever"}).empty());
    CHECK(s.is_over());
    CHECK(s.trouble() == trouble);
  }
}

TEST_CASE("a recipient who is refused does not cost the others their mail", "[mail]") {
  SmtpSession s = session();
  CHECK(hear(s, {"220", "250", "250", "550 unknown", "250"}) == "DATA\r\n");
  CHECK(hear(s, {"354", "250", "221"}).empty());
  CHECK(s.sent() == 1);
  CHECK(s.trouble() == "RCPT TO:<a@x> is answered with: 550 unknown");

  SmtpSession none = session();
  CHECK(hear(none, {"220", "250", "250", "550 unknown", "551 either"}) == "QUIT\r\n");
  CHECK(none.sent() == 0);
  CHECK(none.trouble() == "RCPT TO:<a@x> is answered with: 550 unknown");
}

TEST_CASE("what does not speak SMTP, or too much of it, is left alone", "[mail]") {
  for (const std::string nonsense : {"SSH-2.0-x\r\n", "\r\n", "22\r\n", "220x\r\n", "2a0 \r\n"}) {
    SmtpSession s = session();
    static_cast<void>(s.receive(nonsense));
    CHECK(s.is_over());
    CHECK_THAT(s.trouble(), Catch::Matchers::StartsWith("no SMTP server: "));
  }
  SmtpSession endless = session();
  static_cast<void>(endless.receive(std::string(SmtpSession::kLineSizeBytesMax + 1, '2')));
  CHECK(endless.is_over());
  CHECK(endless.trouble() == "the server's lines are too long");

  SmtpSession chatty = session();
  for (std::size_t i = 0; i <= SmtpSession::kLinesMax; ++i) {
    static_cast<void>(chatty.receive("220-more\r\n"));
  }
  CHECK(chatty.is_over());
  CHECK(chatty.trouble() == "the server's answer has too many lines");
}

TEST_CASE("what a server said can stand in a log line", "[mail]") {
  SmtpSession s = session();
  static_cast<void>(s.receive("554 \x1b[31m" + std::string(900, 'x') + "\r\n"));
  CHECK_THAT(s.trouble(), Contains("554 ?[31mxxx"));
  CHECK(s.trouble().size() < 200);
}

}  // namespace
}  // namespace ha::mail
