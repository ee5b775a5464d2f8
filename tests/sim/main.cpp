/// vrrp_sim: runs schedules by the million, or one of them with its whole story.
///
///   vrrp_sim --schedules COUNT [--first-seed SEED] [--jobs THREADS]
///   vrrp_sim --seed SEED
///
/// Exits 0 if every invariant held, 1 if one broke, 2 for a wrong command line.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "schedule.hpp"

namespace ha::sim {
namespace {

constexpr std::size_t kTraceLines = 60;

/// The failing seed that was started first among those found before everybody stopped.
struct Failure {
  std::uint64_t seed;
  std::string what;
};

class Campaign {
 public:
  Campaign(std::uint64_t first_seed, std::uint64_t schedules)
      : next_{first_seed}, end_{first_seed + schedules} {}

  void run(unsigned jobs) {
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < jobs; ++job) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
  }

  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }
  [[nodiscard]] std::uint64_t done() const { return done_; }

 private:
  void work() {
    while (!stop_) {
      const std::uint64_t seed = next_++;
      if (seed >= end_) return;
      const std::optional<std::string> what = run_schedule(seed);
      ++done_;
      if (!what) continue;
      stop_ = true;
      const std::lock_guard lock{mutex_};
      if (!failure_ || seed < failure_->seed) failure_ = Failure{seed, *what};
    }
  }

  std::atomic<std::uint64_t> next_;
  std::uint64_t end_;
  std::atomic<std::uint64_t> done_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  std::optional<Failure> failure_;
};

int run_many(std::uint64_t first_seed, std::uint64_t schedules, unsigned jobs) {
  Campaign campaign{first_seed, schedules};
  const auto begin = std::chrono::steady_clock::now();
  campaign.run(jobs);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{} schedules from seed {} in {:.1f} s: {:.0f} schedules per second\n",
             campaign.done(), first_seed, took.count(),
             static_cast<double>(campaign.done()) / took.count());
  if (!campaign.failure()) return 0;
  fmt::print("{}",
             explain_failure(campaign.failure()->seed, campaign.failure()->what, kTraceLines));
  return 1;
}

int run_one(std::uint64_t seed) {
  Trace trace{Lan::kStart};
  const std::optional<std::string> what = run_schedule(seed, &trace);
  fmt::print("{}seed {}: {}\n", trace.tail(trace.lines().size()), seed,
             what.value_or("every invariant held"));
  return what ? 1 : 0;
}

int usage() {
  fmt::print(stderr,
             "usage: vrrp_sim --schedules COUNT [--first-seed SEED] [--jobs THREADS]\n"
             "       vrrp_sim --seed SEED\n");
  return 2;
}

/// Digits only; nothing else is a number here.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

int run(const std::vector<std::string_view>& arguments) {
  std::map<std::string_view, std::uint64_t> options;
  for (std::size_t at = 0; at < arguments.size(); at += 2) {
    static constexpr std::string_view kKnown[] = {"--schedules", "--first-seed", "--jobs",
                                                  "--seed"};
    const bool known =
        std::find(std::begin(kKnown), std::end(kKnown), arguments[at]) != std::end(kKnown);
    const auto value =
        at + 1 < arguments.size() ? number(arguments[at + 1]) : std::optional<std::uint64_t>{};
    if (!known || !value) return usage();
    options[arguments[at]] = *value;
  }
  if (options.size() == 1 && options.count("--seed") == 1) return run_one(options["--seed"]);
  if (options.count("--schedules") == 0 || options.count("--seed") == 1) return usage();
  options.emplace("--first-seed", 1);
  options.emplace("--jobs", 1);
  const auto jobs = static_cast<unsigned>(std::clamp<std::uint64_t>(options["--jobs"], 1, 256));
  return run_many(options["--first-seed"], options["--schedules"], jobs);
}

}  // namespace
}  // namespace ha::sim

int main(int argc, char** argv) { return ha::sim::run({argv + 1, argv + argc}); }
