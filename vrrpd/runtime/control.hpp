/// The control socket: one JSON object a line, request and answer.
///
/// Requests: {"command": "status"}, {"command": "explain", "instance": "VI_MAIN"} (instance
/// optional), {"command": "reload", "confirm": "60s"} (confirm optional: a duration in 1s-1h),
/// {"command": "confirm"}, {"command": "drain"}, {"command": "undrain"},
/// {"command": "events", "after": "0"}, {"command": "capture", "after": "0"} (after optional:
/// the number that an answer called the last one) and, from gluster-sync, {"command": "sync",
/// "team": "devops", "lag-ms": 245000}: how old the copy on this machine is. Answers:
/// {"ok": true, …} or {"ok": false, "error": "…"}:
///   status   {"ok": true, "status": {…}}
///   explain  {"ok": true, "explain": ["…", …]}
///   reload   {"ok": true, "diagnostics": ["warning …"], "confirm-within-ms": 60000} (the last one
///            only where asked for) or {"ok": false, "error": "…", "diagnostics": ["…"]}
///   confirm, drain, undrain  {"ok": true}
///   events   {"ok": true, "last": 7, "events": [{…}, …]}, see Events::json()
///   capture  {"ok": true, "last": 9, "records": [{…}, …]}, see Recorder::json(); there may be more
///   sync     {"ok": true, "tracked": true}; false if no instance tracks that team
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/result.hpp"
#include "vrrpd/runtime/ring.hpp"
#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {

/// What a reload came to. Nothing has changed where it was refused.
struct ReloadOutcome {
  bool done = false;
  std::string error;  ///< why it was refused, a sentence; empty if it was not
  /// Every problem of the file, as --check-config prints them, and what this machine lacks for it.
  std::vector<std::string> diagnostics;
};

/// What the requests are answered with.
struct ControlHandlers {
  std::function<Status()> status;
  /// Taken back after so long unless confirmed, where a time is given.
  std::function<ReloadOutcome(std::optional<Duration>)> reload;
  /// False: nothing waits for it.
  std::function<bool()> confirm;
  /// True: no address is wanted on this machine any more; false: the opposite.
  std::function<void(bool)> drain{};
  std::function<RingExtract(std::uint64_t after)> events{};
  std::function<RingExtract(std::uint64_t after)> capture{};
  /// False: no instance tracks the team.
  std::function<bool(const std::string& team, std::chrono::milliseconds lag)> sync{};
};

/// The answer to one line, without its line end. Total: any bytes get an answer, bounded in size by
/// theirs and by the status.
[[nodiscard]] std::string answer(std::string_view line, const ControlHandlers& handlers);

/// How long a client may take to send a request, and again to read its answer.
inline constexpr std::chrono::milliseconds kControlPatience = std::chrono::seconds{5};

/// Serves the socket from `io`'s loop, which must outlive it. At most 16 clients at a time, the
/// others wait in the kernel's queue; 64 KiB a request; a client that exceeds the patience is
/// dropped. None of them can hold up the loop. The file is removed on destruction, and no handler
/// is called after it.
class ControlServer {
 public:
  /// Creates the directory (0755) if it is missing, and the socket with mode 0660 and the group
  /// named, if /etc/group has one: the name service is not asked, since it may block. A lock file
  /// beside it (PATH.lock, 0600) makes sure that of several daemons only one gets it. A socket file
  /// that nobody serves any more is replaced; one that is served is an error, and so is anything
  /// there that is no socket.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> open(
      boost::asio::io_context& io, const std::string& path, const std::string& group,
      ControlHandlers handlers, std::chrono::milliseconds patience = kControlPatience);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// What could not be done and does not keep it from serving: giving the socket to the group needs
  /// CAP_CHOWN or membership. Empty: nothing.
  [[nodiscard]] const std::string& warning() const;

 private:
  class Impl;
  explicit ControlServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  ///< also held by its handlers under way, which outlive the server
                                ///< by a turn of the loop
};

}  // namespace ha::vrrp
