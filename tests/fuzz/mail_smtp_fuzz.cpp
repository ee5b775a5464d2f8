/// What an SMTP server says. Whatever it is: the session ends or goes on, tells nobody more than it
/// has to, says nothing that the state it is in does not allow, and its messages fit a log line.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ha/check.hpp"
#include "vrrpd/mail/delivery.hpp"
#include "vrrpd/mail/smtp.hpp"

namespace {

using ha::mail::SmtpSession;

SmtpSession session() { return {{"lb1", "root@lb1", {"a@x", "b@y"}}, {"one\r\n", "two\r\n"}}; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  SmtpSession whole = session();
  const std::string said = whole.receive(bytes);

  SmtpSession pieces = session();
  std::string said_in_pieces;
  for (const char c : bytes) said_in_pieces += pieces.receive({&c, 1});
  HA_CHECK(said == said_in_pieces);
  HA_CHECK(whole.sent() == pieces.sent() && whole.trouble() == pieces.trouble());

  HA_CHECK(whole.sent() <= 2);
  HA_CHECK(whole.trouble().size() < 300);
  for (const char c : whole.trouble()) HA_CHECK(c >= ' ' && c <= '~');
  HA_CHECK(!whole.is_over() || whole.receive("250 x\r\n").empty());
  static_cast<void>(ha::mail::parse_outcome(bytes));
  return 0;
}
