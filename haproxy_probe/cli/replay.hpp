/// Plays a recorded history (record.hpp) against other settings: what would have been decided when.
///
/// Pure: lines go in, what happened comes out. Of the settings the teams and the servers that count
/// are the recording's; threshold, quorum, combine, grace, recover and the demotions are tried out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "haproxy_probe/cli/record.hpp"
#include "haproxy_probe/evaluator.hpp"

namespace ha::probe::cli {

/// The verdict has changed, or what a demotion costs.
struct Change {
  WallTime time;
  Verdict before = Verdict::kUnknown;
  Report report;
  int demotion = 0;
};

/// "2026-01-07T10:15:30.000Z healthy -> unhealthy (demoted by 50): Overall: … | FAILOVER: …".
[[nodiscard]] std::string to_text(const Change& change);

class Replay {
 public:
  explicit Replay(ProbeConfig config);

  /// Takes the next line, without its end; empty ones say nothing. Returns the changes up to its
  /// time, or what is wrong with it.
  [[nodiscard]] tl::expected<std::vector<Change>, std::string> take(std::string_view line);

  /// How often and how long the machine would have been demoted, in one line.
  [[nodiscard]] std::string summary() const;

  [[nodiscard]] bool was_demoted() const { return demotions_ > 0; }
  [[nodiscard]] bool is_empty() const { return !first_; }

 private:
  void pass_to(WallTime time, std::vector<Change>& changes);
  void handle(const Event& event, WallTime time, std::vector<Change>& changes);

  ProbeConfig config_;
  Evaluator evaluator_;
  std::optional<WallTime> first_;
  WallTime last_;
  Verdict verdict_ = Verdict::kUnknown;
  WallTime verdict_since_;
  std::map<Verdict, std::chrono::milliseconds> spent_;
  std::size_t lines_ = 0;
  int demotions_ = 0;
};

}  // namespace ha::probe::cli
