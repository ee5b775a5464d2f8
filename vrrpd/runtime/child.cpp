#include "vrrpd/runtime/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <vector>

namespace ha::vrrp {
namespace {

constexpr const char* kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr int kLinksMax = 40;

void tell(int report, std::string_view text) {
  text = text.substr(0, Subprocesses::kAnswerSizeBytesMax);
  // Fits into an empty pipe; there is nobody to tell if it fails.
  [[maybe_unused]] const ssize_t written = ::write(report, text.data(), text.size());
}

/// Leaves the three streams, without their content, and the report. Returns the report's new
/// number.
int close_descriptors(int report) {
  const int safe = ::fcntl(report, F_DUPFD_CLOEXEC, 4);
  const int null = ::open("/dev/null", O_RDWR);
  for (int stream = 0; stream < 3; ++stream) ::dup2(null, stream);
  ::dup3(safe, 3, O_CLOEXEC);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  return 3;
}

/// Becomes the user of the command; what prevents it, or nothing.
std::string become(const Launch& launch) {
  const bool is_root = ::geteuid() == 0;
  const std::string& name =
      launch.command.user.empty() && is_root ? launch.default_user : launch.command.user;
  uid_t user = ::geteuid();
  gid_t group = ::getegid();
  if (!name.empty()) {
    const passwd* record = ::getpwnam(name.c_str());
    if (record == nullptr) return fmt::format("there is no user {}", name);
    user = record->pw_uid;
    group = record->pw_gid;
  }
  if (!launch.command.group.empty()) {
    const ::group* record = ::getgrnam(launch.command.group.c_str());
    if (record == nullptr) return fmt::format("there is no group {}", launch.command.group);
    group = record->gr_gid;
  }
  // Capabilities that the daemon was given beside its user are not for others.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (user == ::geteuid() && group == ::getegid()) return {};
  const bool done = (name.empty() || ::initgroups(name.c_str(), group) == 0) &&
                    ::setgid(group) == 0 && ::setuid(user) == 0;
  if (done) return {};
  return fmt::format("become user {}{}: {}", name.empty() ? std::to_string(user) : name,
                     launch.command.group.empty() ? "" : ", group " + launch.command.group,
                     std::strerror(errno));
}

std::vector<std::string> environment_of(const Launch& launch) {
  std::vector<std::string> environment{std::string{"PATH="} + kPath};
  if (const passwd* record = ::getpwuid(::geteuid())) {
    environment.push_back(std::string{"HOME="} + record->pw_dir);
    environment.push_back(std::string{"USER="} + record->pw_name);
    environment.push_back(std::string{"LOGNAME="} + record->pw_name);
    environment.push_back(std::string{"SHELL="} + record->pw_shell);
  }
  for (const auto& [name, value] : launch.environment) environment.push_back(name + "=" + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// The parts of a path, last one first.
std::vector<std::string> parts_of(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    if (begin < path.size()) parts.emplace_back(path.substr(begin));
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return parts;
}

std::string why_others_may_change(const std::string& path, const struct stat& status, uid_t user) {
  if (status.st_uid != 0 && status.st_uid != user) {
    return fmt::format("{} belongs to neither root nor the user that runs it", path);
  }
  if (S_ISLNK(status.st_mode)) return {};
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) return {};
  if ((status.st_mode & S_IWOTH) != 0) return fmt::format("{} is writable by everybody", path);
  if ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0) {
    return fmt::format("{} is writable by its group", path);
  }
  return {};
}

}  // namespace

std::string why_untrusted(std::string_view program, std::uint32_t user) {
  std::vector<std::string> parts = parts_of(program);
  std::string at;
  int links = 0;
  while (!parts.empty()) {
    const std::string part = std::move(parts.back());
    parts.pop_back();
    if (part == ".") continue;
    if (part == "..") {
      at.resize(std::min(at.rfind('/'), at.size()));
      continue;
    }
    const std::string next = fmt::format("{}/{}", at, part);
    struct stat status {};
    if (::lstat(next.c_str(), &status) != 0) {
      return fmt::format("{}: {}", next, std::strerror(errno));
    }
    if (auto why = why_others_may_change(next, status, user); !why.empty()) return why;
    if (!S_ISLNK(status.st_mode)) {
      at = next;
      continue;
    }
    char target[4096];
    const ssize_t size = ::readlink(next.c_str(), target, sizeof target);
    if (size < 0 || ++links > kLinksMax) {
      return fmt::format("{}: {}", next, std::strerror(size < 0 ? errno : ELOOP));
    }
    if (target[0] == '/') at.clear();
    for (std::string& further : parts_of({target, static_cast<std::size_t>(size)})) {
      parts.insert(parts.end(), std::move(further));
    }
  }
  return {};
}

void prepare_child(bool dies_with_us, pid_t parent) {
  ::setpgid(0, 0);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!dies_with_us) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kExitNotStarted);
}

void execute(const Launch& launch, int report) {
  report = close_descriptors(report);
  int death_signal = 0;
  ::prctl(PR_GET_PDEATHSIG, &death_signal);
  if (const std::string why = become(launch); !why.empty()) return tell(report, why);
  // Forgotten by the kernel with the change of user.
  ::prctl(PR_SET_PDEATHSIG, death_signal);

  std::vector<std::string> arguments = launch.command.arguments;
  arguments.insert(arguments.end(), launch.appended.begin(), launch.appended.end());
  if (const std::string why = why_untrusted(arguments.front(), ::geteuid()); !why.empty()) {
    return tell(report, why);
  }
  ::umask(022);
  if (::chdir("/") != 0) return tell(report, "enter /");
  std::vector<std::string> environment = environment_of(launch);
  ::execve(arguments.front().c_str(), pointers(arguments).data(), pointers(environment).data());
  tell(report, fmt::format("execute {}: {}", arguments.front(), std::strerror(errno)));
}

void answer(const std::function<std::string()>& work, int report) {
  report = close_descriptors(report);
  try {
    tell(report, work());
  } catch (const std::exception&) {
    ::_exit(kExitNotStarted);
  }
  ::_exit(0);
}

}  // namespace ha::vrrp
