#include "sync/command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "sync/role.hpp"
#include "vrrpd/ctl/connection.hpp"

namespace ha::sync {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kVrrpdPatience{2000};
constexpr double kMegabyte = 1e6;

/// Why the writer rule forbids it here and now; empty: it does not.
[[nodiscard]] std::string why_not_writer(const Config& config, const Mirror& mirror) {
  if (mirror.writer != WriterRule::kInstance) return {};
  const auto answer = ctl::ask(config.vrrpd, R"({"command": "status"})", kVrrpdPatience);
  if (!answer) return answer.error().message();
  std::string why;
  switch (role_in(*answer, mirror.instance, why)) {
    case Role::kMaster:
      return {};
    case Role::kNotMaster:
      return fmt::format("{} is not master on this machine", mirror.instance);
    case Role::kUnknown:
      break;
  }
  return why;
}

/// Shows on a terminal how far a pass is, once in a while.
class ProgressLine {
 public:
  explicit ProgressLine(std::string name)
      : name_{std::move(name)}, wanted_{isatty(STDERR_FILENO) == 1} {}
  ~ProgressLine() {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress) {
    const auto now = Clock::now();
    if (progress.phase != phase_) {
      phase_ = progress.phase;
      began_ = now;
    }
    if (!wanted_ || now - last_ < 500ms) return;
    last_ = now;
    shown_ = true;
    std::fputs(("\r\033[K" + line(progress, now)).c_str(), stderr);
  }

 private:
  [[nodiscard]] std::string line(const Progress& progress, Clock::time_point now) const {
    std::string text = fmt::format("{}: {}", name_, progress.phase);
    if (progress.total.entries == 0) return text;
    text += fmt::format(" {} of {} files", progress.done.entries, progress.total.entries);
    const double seconds = std::chrono::duration<double>{now - began_}.count();
    if (progress.total.size_bytes > 0) {
      text += fmt::format(", {:.1f} of {:.1f} MB",
                          static_cast<double>(progress.done.size_bytes) / kMegabyte,
                          static_cast<double>(progress.total.size_bytes) / kMegabyte);
    }
    if (progress.done.entries == 0 || seconds < 1) return text;
    const double rate = static_cast<double>(progress.done.entries) / seconds;
    const auto left = static_cast<double>(progress.total.entries - progress.done.entries);
    return text + fmt::format(", {:.0f} files/s, {:.0f} s left", rate, left / rate);
  }

  std::string name_;
  bool wanted_;
  bool shown_ = false;
  std::string phase_;
  Clock::time_point began_{};
  Clock::time_point last_{};
};

void print(const Setting& setting, const Mirror& mirror, const Report& report, double seconds) {
  if (setting.json) {
    const nlohmann::ordered_json json{{"team", mirror.team},
                                      {"env", mirror.env},
                                      {"outcome", name_of(report.outcome)},
                                      {"text", report.text},
                                      {"generation", report.version.generation},
                                      {"epoch", report.version.epoch},
                                      {"files-copied", report.copied.entries},
                                      {"bytes-copied", report.copied.size_bytes},
                                      {"removed", report.removed},
                                      {"conflicts", report.conflicts},
                                      {"kept-in", report.kept_in},
                                      {"seconds", seconds}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::string line = fmt::format("{}: {}: {}", mirror.name(), name_of(report.outcome), report.text);
  if (report.copied.entries + report.removed > 0) {
    line += fmt::format("; {} copied ({:.1f} MB), {} removed", report.copied.entries,
                        static_cast<double>(report.copied.size_bytes) / kMegabyte, report.removed);
  }
  if (!report.kept_in.empty() && report.conflicts == 0) {
    line += "; what was here before is in " + report.kept_in;
  }
  const bool good = report.outcome == Outcome::kCommitted || report.outcome == Outcome::kApplied ||
                    report.outcome == Outcome::kUnchanged;
  if (good) line += fmt::format(" ({:.2f} s)", seconds);
  std::fprintf(good ? stdout : stderr, "%s\n", line.c_str());
}

[[nodiscard]] bool is_good(const Report& report) {
  return report.outcome == Outcome::kCommitted || report.outcome == Outcome::kApplied ||
         report.outcome == Outcome::kUnchanged;
}

[[nodiscard]] Report refusal(std::string why) {
  Report report;
  report.outcome = Outcome::kRefused;
  report.text = std::move(why);
  return report;
}

/// The mirrors of a team, or the one named; nothing after a message that names those there are.
[[nodiscard]] std::vector<const Mirror*> chosen(const Config& config, const std::string& team,
                                                const std::string& env) {
  std::vector<const Mirror*> mirrors;
  std::string known;
  for (const Mirror& mirror : config.mirrors) {
    if (mirror.team == team && (env.empty() || mirror.env == env)) mirrors.push_back(&mirror);
    known += (known.empty() ? "" : ", ") + mirror.name();
  }
  if (mirrors.empty()) {
    std::fprintf(stderr, "gluster-sync: unknown %s: %s%s%s; there is %s\n",
                 env.empty() ? "team" : "team or environment", team.c_str(), env.empty() ? "" : "/",
                 env.c_str(), known.c_str());
  }
  return mirrors;
}

/// Opens a session and lets `work` report.
template <class Work>
[[nodiscard]] bool at_work(const Setting& setting, const Mirror& mirror, Work work) {
  const auto began = Clock::now();
  Report report;
  {
    ProgressLine line{mirror.name()};
    Workplace workplace = setting.workplace;
    workplace.on_progress = [&line](const Progress& progress) { line.show(progress); };
    auto session = Session::open(mirror, std::move(workplace));
    report = session ? work(*session) : refusal(session.error().message());
  }
  print(setting, mirror, report, std::chrono::duration<double>{Clock::now() - began}.count());
  return is_good(report);
}

}  // namespace

int run_now(const Setting& setting, const std::string& team, const std::string& env) {
  const auto mirrors = chosen(setting.config, team, env);
  bool good = !mirrors.empty();
  for (const Mirror* const mirror : mirrors) {
    const std::string why = why_not_writer(setting.config, *mirror);
    const bool done = at_work(setting, *mirror, [&](Session& session) {
      return why.empty() ? session.commit(MayClaim::kYes, std::nullopt) : refusal(why);
    });
    good = done && good;
  }
  return good ? 0 : 1;
}

int run_recover(const Setting& setting, const std::string& team, const std::string& env,
                const RecoverOptions& options) {
  const auto mirrors = chosen(setting.config, team, env);
  if (mirrors.empty()) return 1;
  return at_work(setting, *mirrors.front(),
                 [&](Session& session) { return session.recover(options); })
             ? 0
             : 1;
}

}  // namespace ha::sync
