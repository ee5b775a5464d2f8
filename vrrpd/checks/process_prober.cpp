/// Whether processes of a name run. A child looks through /proc, which takes milliseconds on a busy
/// machine; the end of those it finds is noticed at once, through their pidfds. (The kernel's
/// process events would tell of new ones as well, but only in the initial network namespace.)
#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "vrrpd/checks/answers.hpp"
#include "vrrpd/checks/prober.hpp"

namespace ha::checks {
namespace {

using vrrp::Ended;
using vrrp::Subprocesses;

/// The kernel cuts names after so many bytes (TASK_COMM_LEN of linux/sched.h, less the final zero).
constexpr std::size_t kNameSizeBytesMax = 15;
/// More of one name are counted but not waited for.
constexpr std::size_t kWatchedMax = 64;

/// More of a command line is not looked at.
constexpr std::size_t kCommandLineSizeBytesMax = 64 * 1024;

/// The beginning of a file of /proc; empty if it cannot be read.
std::string content_of(const std::string& path) {
  std::ifstream file{path};
  std::string content(kCommandLineSizeBytesMax, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

/// Whether the process `pid` is alive and, if that is all that is asked for, has the name: the
/// second field of its stat, in parentheses and free to contain any byte, is the name, the third
/// its state.
bool is_alive(const std::string& pid, std::optional<std::string_view> name) {
  const std::string stat = content_of("/proc/" + pid + "/stat");
  const std::size_t begin = stat.find('(');
  const std::size_t end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end + 2 >= stat.size()) {
    return false;
  }
  const char state = stat[end + 2];
  if (state == 'Z' || state == 'X') return false;
  return !name || stat.compare(begin + 1, end - begin - 1, *name) == 0;
}

bool is_meant(const ProcessProbe& probe, const std::string& pid) {
  if (probe.match == ProcessProbe::Match::kAny) {
    return is_alive(pid, std::string_view{probe.name}.substr(0, kNameSizeBytesMax));
  }
  return matches(probe, content_of("/proc/" + pid + "/cmdline")) && is_alive(pid, std::nullopt);
}

/// The number of processes that are meant, and the first of their numbers. Runs in a child.
std::string find_processes(const ProcessProbe& probe) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const std::string pid = entry.path().filename();
    if (std::all_of(pid.begin(), pid.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
        is_meant(probe, pid)) {
      found.push_back(pid);
    }
  }
  std::string answer = std::to_string(found.size());
  found.resize(std::min(found.size(), kWatchedMax));
  for (const std::string& pid : found) answer += " " + pid;
  return answer;
}

std::vector<int> parse_numbers(std::string_view text) {
  std::vector<int> numbers;
  while (!text.empty()) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) break;
    numbers.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.empty()) text.remove_prefix(1);
  }
  return numbers;
}

class ProcessProber : public Prober {
 public:
  ProcessProber(const ProbeServices& services, ProcessProbe probe, Duration timeout,
                Listener listener)
      : services_{services},
        probe_{std::move(probe)},
        timeout_{timeout},
        listener_{std::move(listener)},
        alive_{std::make_shared<char>()} {}
  ~ProcessProber() override { services_.subprocesses.abandon(child_); }

  void start() override {
    child_ = services_.subprocesses.start([this] { return find_processes(probe_); }, timeout_,
                                          [this](const Ended& ended) { found(ended); });
  }

 private:
  void found(const Ended& ended) {
    const std::vector<int> numbers = parse_numbers(ended.text);
    if (ended.kind != Ended::Kind::kExited || numbers.empty()) {
      return listener_.outcome({false, "look for processes: " + to_string(ended), 0});
    }
    const int count = numbers.front();
    watch({numbers.begin() + 1, numbers.end()});
    const bool good = count >= probe_.at_least && count <= probe_.at_most;
    listener_.outcome({good, fmt::format("{} {} running", count, count == 1 ? "is" : "are"), 0});
  }

  void watch(const std::vector<int>& pids) {
    std::erase_if(watched_, [&](const auto& entry) {
      return std::find(pids.begin(), pids.end(), entry.first) == pids.end();
    });
    for (const int pid : pids) {
      if (watched_.contains(pid)) continue;
      const int descriptor = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
      if (descriptor < 0) {
        // It has ended meanwhile, or there are too many descriptors and the next probe will tell.
        if (errno == ESRCH) listener_.changed();
        continue;
      }
      auto& end = watched_.try_emplace(pid, services_.io, descriptor).first->second;
      end.async_wait(
          boost::asio::posix::stream_descriptor::wait_read,
          [this, pid, alive = std::weak_ptr<void>{alive_}](const boost::system::error_code& error) {
            if (error || alive.expired()) return;
            watched_.erase(pid);
            listener_.changed();
          });
    }
  }

  const ProbeServices& services_;
  ProcessProbe probe_;
  Duration timeout_;
  Listener listener_;
  Subprocesses::Id child_ = 0;
  std::map<int, boost::asio::posix::stream_descriptor> watched_;
  std::shared_ptr<void> alive_;
};

}  // namespace

std::unique_ptr<Prober> make_process_prober(const ProbeServices& services, const CheckConfig& check,
                                            Listener listener) {
  return std::make_unique<ProcessProber>(services, std::get<ProcessProbe>(check.probe),
                                         check.timeout, std::move(listener));
}

}  // namespace ha::checks
