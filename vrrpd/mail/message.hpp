/// What a mail about a change of state says: keepalived's words, which people's filters know. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "vrrpd/config/config.hpp"

namespace ha::mail {

/// One change of state that is told by mail.
struct Change {
  enum class Subject : std::uint8_t { kInstance, kGroup };
  enum class State : std::uint8_t { kMaster, kBackup, kFault };

  Subject subject = Subject::kInstance;
  std::string name;  ///< of the instance or group
  State state = State::kBackup;
  std::chrono::system_clock::time_point at;

  friend bool operator==(const Change&, const Change&) = default;
};

/// The whole mail (RFC 5322), from its first header to the end of its last line. Lines end with CR
/// and LF, have at most 998 characters, and none begins with a dot.
///
/// `local` is when it happened, with its offset from UTC; `id` makes the mail's Message-ID unique.
/// What is not a printable ASCII character in a name becomes a question mark, so that a name never
/// begins a header of its own.
[[nodiscard]] std::string compose(const vrrp::MailConfig& config, const Change& change,
                                  const std::tm& local, std::string_view id);

}  // namespace ha::mail
