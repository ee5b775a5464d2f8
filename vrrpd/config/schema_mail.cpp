#include "vrrpd/config/schema_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace ha::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kKnown[] = {"to",   "from", "server",  "port",
                                       "helo", "name", "timeout", "faults"};
constexpr std::size_t kRecipientsMax = 64;
constexpr std::size_t kAddressSizeBytesMax = 254;  // RFC 5321 section 4.5.3.1.3, without <>
constexpr std::size_t kHostSizeBytesMax = 253;     // RFC 1035 section 2.3.4, as text
constexpr std::size_t kNameSizeBytesMax = 100;
constexpr DurationRange kTimeoutRange{1s, 10min};

[[nodiscard]] bool is_printable(char c) { return c >= ' ' && c <= '~'; }

}  // namespace

Parsed<std::string> parse_mail_address(std::string_view text) {
  constexpr std::string_view kForbidden = " ()<>,;:\\\"";
  const bool is_valid = !text.empty() && text.size() <= kAddressSizeBytesMax &&
                        std::all_of(text.begin(), text.end(), is_printable) &&
                        text.find_first_of(kForbidden) == std::string_view::npos;
  if (is_valid) return std::string{text};
  return tl::make_unexpected(
      fmt::format("is not a mail address of 1-{} plain characters", kAddressSizeBytesMax));
}

Parsed<std::string> parse_mail_host(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-_.:%"}.find(c) != std::string_view::npos;
  };
  const bool is_name = text.find(':') == std::string_view::npos;
  if (!text.empty() && text.size() <= kHostSizeBytesMax &&
      std::all_of(text.begin(), text.end(), is_allowed) &&
      (is_name || parse_address(text.substr(0, text.find('%'))))) {
    return std::string{text};
  }
  return tl::make_unexpected("is not a host name or an address");
}

Parsed<std::string> parse_mail_name(std::string_view text) {
  if (!text.empty() && text.size() <= kNameSizeBytesMax &&
      std::all_of(text.begin(), text.end(), is_printable)) {
    return std::string{text};
  }
  return tl::make_unexpected(
      fmt::format("is not 1-{} printable ASCII characters", kNameSizeBytesMax));
}

vrrp::MailConfig read_mail(const Node& value, const std::string& node, Diagnostics& diagnostics) {
  vrrp::MailConfig mail;
  // A node's name may have characters that a host's has not.
  mail.helo = parse_mail_host(node).value_or("localhost");
  mail.from = "root@" + mail.helo;
  mail.name = node;
  const auto section = Section::open(value, "mail", kKnown, diagnostics);
  if (!section) return mail;
  const Node* to = section->require("to");
  if (to != nullptr && is_list(*to, "to", kRecipientsMax, diagnostics)) {
    for (const Node& item : to->items) {
      if (auto address = read_scalar(item, "recipient", diagnostics, parse_mail_address)) {
        mail.to.push_back(std::move(*address));
      }
    }
  }
  section->read("from", mail.from, parse_mail_address);
  section->read("server", mail.server, parse_mail_host);
  int port = mail.port;
  section->integer("port", port, {1, 65'535});
  mail.port = static_cast<std::uint16_t>(port);
  section->read("helo", mail.helo, parse_mail_host);
  section->read("name", mail.name, parse_mail_name);
  section->duration("timeout", mail.timeout, kTimeoutRange);
  section->boolean("faults", mail.faults);
  return mail;
}

}  // namespace ha::config
