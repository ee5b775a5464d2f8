/// Hands mails to a server. Runs in a child of the daemon's, and may block there: looking a name up
/// can take as long as it likes, and what a stranger's server sends is read without the daemon's
/// capabilities.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/mail/message.hpp"

namespace ha::mail {

/// What became of the mails of one session.
struct Outcome {
  std::size_t sent = 0;
  std::string trouble;  ///< empty: none

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// Gives the process's privileges up for good and sends a mail about each of `changes`, at least
/// one, in their order.
[[nodiscard]] Outcome deliver(const vrrp::MailConfig& config, const std::vector<Change>& changes);

/// An outcome as a child's answer, and back. What is no such text is trouble.
[[nodiscard]] std::string to_text(const Outcome& outcome);
[[nodiscard]] Outcome parse_outcome(std::string_view text);

}  // namespace ha::mail
