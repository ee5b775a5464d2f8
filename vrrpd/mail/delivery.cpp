#include "vrrpd/mail/delivery.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <ctime>
#include <istream>

#include "vrrpd/mail/smtp.hpp"

namespace ha::mail {
namespace {

/// nobody's and nogroup's, wherever they are.
constexpr unsigned kNobody = 65534;

/// Where the user cannot be changed, as in a container without that one, the capabilities go all
/// the same.
void give_up_privileges() {
  if (::geteuid() == 0) {
    const bool done = ::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
                      ::setresuid(kNobody, kNobody, kNobody) == 0;
    static_cast<void>(done);
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, 2> none{};
  ::syscall(SYS_capset, &header, none.data());
}

std::vector<std::string> compose_all(const vrrp::MailConfig& config,
                                     const std::vector<Change>& changes) {
  std::vector<std::string> mails;
  for (const Change& change : changes) {
    const auto since_epoch = change.at.time_since_epoch();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(change.at);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    mails.push_back(
        compose(config, change, local,
                fmt::format("{}.{}.{}", since_epoch.count(), ::getpid(), mails.size())));
  }
  return mails;
}

}  // namespace

Outcome deliver(const vrrp::MailConfig& config, const std::vector<Change>& changes) {
  give_up_privileges();
  SmtpSession session{{config.helo, config.from, config.to}, compose_all(config, changes)};
  boost::asio::ip::tcp::iostream server;
  server.expires_after(config.timeout);
  // Without the flag that leaves out families of which the machine has loopback addresses alone.
  server.connect(config.server, std::to_string(config.port),
                 boost::asio::ip::resolver_base::flags());
  while (server && !session.is_over()) {
    server.expires_after(config.timeout);
    const int byte = server.get();
    if (!server) break;
    const char c = static_cast<char>(byte);
    if (const std::string to_send = session.receive({&c, 1}); !to_send.empty()) {
      server << to_send << std::flush;
    }
  }
  Outcome outcome{session.sent(), session.trouble()};
  const bool has_all = outcome.sent == changes.size();
  if (outcome.trouble.empty() && !has_all) {
    outcome.trouble = server.error() ? server.error().message() : "the server hung up";
  }
  return outcome;
}

std::string to_text(const Outcome& outcome) {
  return fmt::format("{} {}", outcome.sent, outcome.trouble);
}

Outcome parse_outcome(std::string_view text) {
  Outcome outcome;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), outcome.sent);
  const auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc{} || rest.empty() || rest.front() != ' ')
    return {0, "ended without a word"};
  outcome.trouble = rest.substr(1);
  return outcome;
}

}  // namespace ha::mail
