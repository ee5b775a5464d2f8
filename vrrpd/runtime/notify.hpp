/// What notify commands are told and in which order. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/runtime/subprocess.hpp"

namespace ha::vrrp {

/// One thing that happened to an instance or a group.
struct Notice {
  enum class Kind : std::uint8_t { kState, kPriority, kLowerPriority };
  enum class Subject : std::uint8_t { kInstance, kGroup };

  Subject subject = Subject::kInstance;
  std::string name;
  Kind kind = Kind::kState;
  /// "MASTER", "BACKUP", "FAULT" or "STOP"; for the other kinds the state it is in.
  std::string state;
  int priority = 0;  ///< the effective one; of a group 0
  std::string reason;

  friend bool operator==(const Notice&, const Notice&) = default;
};

/// "MASTER", "STOP" for a state as RFC 8347 calls it.
[[nodiscard]] std::string notify_word(std::string_view state);

/// The commands that hear of it, in order: that of the state, then the one for all.
[[nodiscard]] std::vector<Launch> commands_for(const Notice& notice, const NotifyConfig& config);

/// `INSTANCE "VI_MAIN" MASTER 110` and a line end, as keepalived writes it.
[[nodiscard]] std::string fifo_line(const Notice& notice);

/// The commands that one instance or group still owes. They run one at a time and in order; where
/// they cannot keep up, what is over is left out, and never what came last.
class NotifyQueue {
 public:
  /// So many notices wait at most.
  static constexpr std::size_t kWaitingMax = 16;

  void push(Notice::Kind kind, std::vector<Launch> commands);
  /// Takes the next command out; nothing if none is left.
  [[nodiscard]] std::optional<Launch> next();
  /// Forgets all but the last notice, and what of an earlier one has been begun.
  void hurry();
  [[nodiscard]] bool empty() const { return waiting_.empty(); }
  /// How many notices were left out since the last call.
  [[nodiscard]] std::size_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  struct Waiting {
    Notice::Kind kind;
    std::deque<Launch> commands;
    bool begun = false;
  };
  std::deque<Waiting> waiting_;
  std::size_t left_out_ = 0;
};

}  // namespace ha::vrrp
