/// Every keyword of keepalived.conf that is known here, and what becomes of it. This is the one
/// place for it: reading, the page for people who migrate and the tests all take it from here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ha::keepalived {

/// The block a keyword stands in.
enum class Context : std::uint8_t {
  kFile,
  kGlobal,          ///< global_defs
  kInstance,        ///< vrrp_instance
  kAuthentication,  ///< authentication
  kAddress,         ///< an option of a line of virtual_ipaddress
  kSyncGroup,       ///< vrrp_sync_group
  kScript,          ///< vrrp_script
  kTrackFile,       ///< track_file NAME
  kTrackProcess,    ///< vrrp_track_process
};

enum class Treatment : std::uint8_t {
  kRead,     ///< means here what it means there
  kNote,     ///< makes no difference, there or here
  kWarning,  ///< has an effect there that it does not have here
  kError,    ///< we do not run with it
};

struct Keyword {
  Context context;
  std::string_view word;
  Treatment treatment;
  /// Why it is not read, or what is different although it is. Never empty unless kRead.
  std::string_view text;
};

/// All of them, by context; no word twice in one context.
[[nodiscard]] std::span<const Keyword> keywords();

/// Null if `word` is unknown there.
[[nodiscard]] const Keyword* find_keyword(Context context, std::string_view word);

/// "vrrp_instance"; as the page for people who migrate calls it.
[[nodiscard]] std::string_view name_of(Context context);

}  // namespace ha::keepalived
