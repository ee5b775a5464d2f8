/// One mirror of the daemon: asks its planner, starts the jobs, and knows how they went.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/children.hpp"
#include "sync/command.hpp"
#include "sync/glance.hpp"
#include "sync/planner.hpp"
#include "sync/status.hpp"

namespace ha::sync {

class MirrorRunner {
 public:
  /// `words` start this program with its general options. The others must outlive the object.
  /// `ended` is called after each job.
  MirrorRunner(Children& children, const Setting& setting, std::vector<std::string> words,
               const Mirror& mirror, std::function<void()> ended, TimePoint now);

  [[nodiscard]] Planner& planner() { return planner_; }
  [[nodiscard]] const Mirror& mirror() const { return mirror_; }
  [[nodiscard]] bool is_running() const { return planner_.running().has_value(); }

  /// vrrpd's answer, or why there is none.
  void role_answered(std::string_view answer, TimePoint now);
  void role_unknown(const std::string& why, TimePoint now);
  void target_seen(const TargetGlance& glance, TimePoint now);
  /// Starts a job if one is due.
  void start_if_due(TimePoint now);
  /// To be called every second.
  void tick(TimePoint now);

  [[nodiscard]] MirrorStatus status(TimePoint now) const;

 private:
  void heard(std::string_view line);
  void ended(Job job, std::optional<int> code);
  void take(Job job, const Report& report, TimePoint now);
  void tell(Job job, const Report& report, double seconds) const;
  [[nodiscard]] std::string role() const;
  [[nodiscard]] std::string own_file(std::string_view name) const;

  Children& children_;
  const Setting& setting_;
  std::vector<std::string> words_;
  const Mirror& mirror_;
  std::function<void()> on_end_;
  Planner planner_;

  std::optional<TargetGlance> target_;
  std::string role_problem_;
  std::string alarm_;
  std::string claim_;  ///< the own one when it was fenced off
  std::uint64_t successes_ = 0;
  std::uint64_t failures_ = 0;

  // Of the job that runs.
  TimePoint began_{};
  TimePoint phase_began_{};
  TimePoint progress_told_{};
  std::optional<Progress> progress_;
  std::optional<Report> report_;
  std::string last_words_;
};

}  // namespace ha::sync
