/// Probes that a child makes: scripts, and a look at a file, which may lie on a file system that
/// does not answer.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "vrrpd/checks/answers.hpp"
#include "vrrpd/checks/prober.hpp"
#include "vrrpd/kernel/descriptor.hpp"

namespace ha::checks {
namespace {

using vrrp::Ended;
using vrrp::Launch;
using vrrp::Subprocesses;

constexpr const char* kScriptUser = "nobody";

/// What the child says of a file: its first letter, then the content or the reason.
constexpr char kPresent = '+';
constexpr char kAbsent = '-';
constexpr char kUnknown = '?';

/// Leaves one that is there alone.
void create(const std::string& path, int number) {
  constexpr mode_t kMode = 0600;
  const vrrp::Descriptor descriptor{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode)};
  const std::string text = fmt::format("{}\n", number);
  // What came of it, the look at the file shows.
  [[maybe_unused]] const ssize_t written =
      descriptor.get() < 0 ? -1 : ::write(descriptor.get(), text.data(), text.size());
}

/// Runs in a child.
std::string look_at(const FileProbe& file, bool is_first) {
  if (is_first && file.create) create(file.path, *file.create);
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {kAbsent};
    return kUnknown + std::string{std::strerror(errno)};
  }
  if (file.present != FileProbe::Present::kNumber) return {kPresent};
  const vrrp::Descriptor descriptor{::open(file.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  char text[64];
  const ssize_t size = ::read(descriptor.get(), text, sizeof text);
  if (size < 0) return kUnknown + std::string{std::strerror(errno)};
  return kPresent + std::string{text, static_cast<std::size_t>(size)};
}

Outcome outcome_of(const FileProbe& file, const Ended& ended) {
  if (ended.kind != Ended::Kind::kExited || ended.text.empty()) {
    return {false, "look at the file: " + to_string(ended), 0};
  }
  const char what = ended.text.front();
  const std::string rest = ended.text.substr(1);
  if (what == kUnknown) return {false, "look at the file: " + rest, 0};
  const bool present = what == kPresent;
  if (file.present != FileProbe::Present::kNumber) {
    return {present == (file.present == FileProbe::Present::kHealthy),
            fmt::format("{} {}", file.path, present ? "is there" : "is not there"), 0};
  }
  const auto number = parse_number(rest);
  if (!number) return {false, fmt::format("{} does not begin with a number", file.path), 0};
  return {true, fmt::format("{} says {}", file.path, *number), *number};
}

class ChildProber : public Prober {
 public:
  ChildProber(Subprocesses& subprocesses, CheckConfig check, Listener listener)
      : subprocesses_{subprocesses}, check_{std::move(check)}, listener_{std::move(listener)} {}
  ~ChildProber() override { subprocesses_.abandon(child_); }

  void start() override {
    if (const auto* script = std::get_if<ScriptProbe>(&check_.probe)) {
      Launch launch;
      launch.command = script->command;
      launch.default_user = kScriptUser;
      run(std::move(launch), [](const Ended& ended) -> Outcome {
        return {ended.kind == Ended::Kind::kExited && ended.value == 0, to_string(ended), 0};
      });
    } else if (const auto* file = std::get_if<FileProbe>(&check_.probe)) {
      child_ = subprocesses_.start(
          [file, is_first = std::exchange(is_first_, false)] { return look_at(*file, is_first); },
          check_.timeout,
          [this, file](const Ended& ended) { listener_.outcome(outcome_of(*file, ended)); });
    }
  }

 private:
  template <class Read>
  void run(Launch launch, Read read) {
    launch.command.timeout = check_.timeout;
    launch.dies_with_us = true;
    child_ = subprocesses_.start(
        std::move(launch), [this, read](const Ended& ended) { listener_.outcome(read(ended)); });
  }

  Subprocesses& subprocesses_;
  CheckConfig check_;
  Listener listener_;
  bool is_first_ = true;
  Subprocesses::Id child_ = 0;
};

}  // namespace

std::unique_ptr<Prober> make_child_prober(const ProbeServices& services, const CheckConfig& check,
                                          Listener listener) {
  return std::make_unique<ChildProber>(services.subprocesses, check, std::move(listener));
}

}  // namespace ha::checks
