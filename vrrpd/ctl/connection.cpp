#include "vrrpd/ctl/connection.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace ha::ctl {
namespace {

using Clock = std::chrono::steady_clock;

/// Far beyond any status; whatever says more is not vrrpd.
constexpr std::size_t kAnswerMax = std::size_t{64} * 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_{fd} {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> sentence(std::string text) {
  return tl::unexpected<Error>{{{}, std::move(text)}};
}

std::string owning_group(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  const group* const entry = getgrgid(found.st_gid);
  return entry != nullptr ? entry->gr_name : std::to_string(found.st_gid);
}

tl::unexpected<Error> cannot_connect(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return sentence(fmt::format(
          "no daemon: {} does not exist; is vrrpd running, or is its socket elsewhere (--socket)?",
          path));
    case ECONNREFUSED:
      return sentence(
          fmt::format("no daemon: nobody serves {} any more; vrrpd is not running", path));
    case EACCES:
    case EPERM: {
      const std::string owner = owning_group(path);
      return sentence(
          fmt::format("no permission to use {}: be root or a member of {}", path,
                      owner.empty() ? "the group in `control:` of vrrpd.yaml" : "group " + owner));
    }
    default:
      return failure(error, "connect to " + path);
  }
}

tl::unexpected<Error> silent(const std::string& path, std::chrono::milliseconds patience) {
  return sentence(
      fmt::format("vrrpd does not answer on {} within {:g} s; it hangs, or too many others ask",
                  path, std::chrono::duration<double>{patience}.count()));
}

/// connect() on a Unix socket waits while the queue is full, for as long as sending may take.
int connect_within(int fd, const std::string& path, std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(patience);
  const timeval limit{seconds.count(), std::chrono::microseconds{patience - seconds}.count()};
  if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) return errno;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API's own idiom
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  return connect(fd, generic, sizeof address) == 0 ? 0 : errno;
}

/// Whether `fd` can be read from or written to before `deadline`.
bool wait_for(int fd, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{fd, events, 0};
    const int ready = poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

/// False: `deadline` has passed. A peer that has closed is noticed when the answer is read, which
/// may be there already.
bool send_all(int fd, std::string_view text, Clock::time_point deadline) {
  while (!text.empty()) {
    if (!wait_for(fd, POLLOUT, deadline)) return false;
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      break;
    }
  }
  return true;
}

}  // namespace

Result<std::string> ask(const std::string& path, const std::string& request,
                        std::chrono::milliseconds patience) {
  const Clock::time_point deadline = Clock::now() + patience;
  const Descriptor fd{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (fd.get() < 0) return failure(errno, "create a socket");
  if (const int error = connect_within(fd.get(), path, patience); error != 0) {
    return error == EAGAIN ? silent(path, patience) : cannot_connect(path, error);
  }
  if (!send_all(fd.get(), request + '\n', deadline)) return silent(path, patience);

  std::string answer;
  std::array<char, 64 * 1024> chunk{};
  while (answer.size() < kAnswerMax) {
    if (!wait_for(fd.get(), POLLIN, deadline)) return silent(path, patience);
    const ssize_t size = recv(fd.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size <= 0) return sentence(path + ": the connection ended before the answer was complete");
    const std::string_view part{chunk.data(), static_cast<std::size_t>(size)};
    const std::size_t end = part.find('\n');
    answer += part.substr(0, end);
    if (end != std::string_view::npos) return answer;
  }
  return sentence(path + ": the answer does not end; this is not vrrpd");
}

}  // namespace ha::ctl
