/// Children of the daemon: commands that users have configured, and work of its own that may hang.
///
/// Nothing here waits. A program, or a user's record, may lie on a file system that does not
/// answer, so everything that looks at files happens in the child, and the child's end is an event
/// of the loop. That is also why it is fork(): posix_spawn() holds the caller until the program has
/// been loaded.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ha/command.hpp"

namespace ha::vrrp {

/// A command and what it is started with.
///
/// The child runs in a process group of its own, in the folder /, with /dev/null as its three
/// streams, no other descriptor, default signals, umask 022 and an environment of PATH, HOME, USER,
/// LOGNAME and SHELL.
struct Launch {
  Command command;
  std::vector<std::string> appended;  ///< arguments behind the command's own
  std::vector<std::pair<std::string, std::string>> environment;
  /// Who runs it where the command does not say and the daemon is root; empty: root.
  std::string default_user;
  /// Whether it is killed if the daemon dies.
  bool dies_with_us = false;
};

/// How a child ended.
struct Ended {
  enum class Kind : std::uint8_t {
    kExited,      ///< `value` is its status
    kSignalled,   ///< `value` is the signal
    kTimedOut,    ///< and was killed
    kNotStarted,  ///< `text` says why
  };
  Kind kind = Kind::kExited;
  int value = 0;
  std::string text;  ///< the answer of work that exited with 0

  friend bool operator==(const Ended&, const Ended&) = default;
};

/// "exited with status 1", "took too long", "execute /x: No such file or directory".
[[nodiscard]] std::string to_string(const Ended& ended);

/// Why `program` may not be run by `user`, empty if it may: it, every folder above it and every
/// link on the way have to belong to root or `user` and be writable by nobody else, or somebody
/// else could decide what is run. A folder that is writable by all but sticky, such as /tmp, lets
/// nobody replace what is not his. Looks at the file system, which may block.
[[nodiscard]] std::string why_untrusted(std::string_view program, std::uint32_t user);

class Subprocesses {
 public:
  using Id = std::uint64_t;
  using OnEnd = std::function<void(const Ended&)>;
  using Work = std::function<std::string()>;

  /// At most so many children at a time; what is started beyond them ends as kNotStarted.
  static constexpr std::size_t kChildrenMax = 256;
  /// Answers of work are cut after so many bytes.
  static constexpr std::size_t kAnswerSizeBytesMax = 4096;
  /// Between asking the group of a child that takes too long to end (SIGTERM) and ending it
  /// (SIGKILL), and once more until it is given up: a process may hang in the kernel.
  static constexpr Duration kPatience = std::chrono::milliseconds{500};

  /// `io` must outlive the object.
  explicit Subprocesses(boost::asio::io_context& io);
  /// Kills those that die with the daemon; others go on.
  ~Subprocesses();
  Subprocesses(const Subprocesses&) = delete;
  Subprocesses& operator=(const Subprocesses&) = delete;

  /// Starts a command. `on_end` is called exactly once, from the loop and never from within
  /// start(): with the end of the child, at the latest two kPatience after its time limit, which
  /// begins anew if this process or the machine stood still meanwhile.
  Id start(Launch launch, OnEnd on_end);
  /// Calls `work` in a child, which is killed after `timeout` or if the daemon dies, and ends with
  /// its answer.
  Id start(Work work, Duration timeout, OnEnd on_end);

  /// Ends a child and calls nobody. Harmless if it has ended.
  void abandon(Id id);

  [[nodiscard]] std::size_t running() const { return children_.size(); }

 private:
  struct Child;

  Id fork_child(const std::function<void(int report)>& in_child, Duration timeout,
                bool dies_with_us, bool is_work, OnEnd on_end);
  void refuse(std::string reason, OnEnd on_end);
  void wait(Id id);
  void reap(Id id);
  void arm(Id id, Child& child, Duration after);
  void time_is_up(Id id);
  void lose_patience(Id id);

  boost::asio::io_context& io_;
  std::map<Id, std::unique_ptr<Child>> children_;
  Id last_id_ = 0;
  /// A completion may lie in the loop's queue when the object goes.
  std::shared_ptr<void> alive_;
};

}  // namespace ha::vrrp
