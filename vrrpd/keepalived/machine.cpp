#include "vrrpd/keepalived/machine.hpp"

#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "vrrpd/runtime/subprocess.hpp"

namespace ha::keepalived {
namespace {

constexpr std::size_t kMatchesMax = 1000;
// Where keepalived looks for programs that are called without their directory.
constexpr std::string_view kSearched[] = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                          "/usr/bin/",        "/sbin/",          "/bin/"};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_{fd} {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[nodiscard]] std::optional<uid_t> id_of(const std::string& user) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int error = getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0 || found == nullptr) return std::nullopt;
  return entry.pw_uid;
}

}  // namespace

std::string ThisMachine::host_name() const {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return {};
  const std::string_view whole{name.data()};
  return std::string{whole.substr(0, whole.find('.'))};
}

Result<std::string> ThisMachine::read(const std::string& path, std::size_t size_bytes_max) const {
  // Non-blocking, since an include may name a pipe that nobody writes to.
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0) return failure(errno, "cannot be read");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return failure(errno, "cannot be read");
  if (!S_ISREG(status.st_mode)) return failure(EINVAL, "is not a regular file");
  std::string content;
  std::array<char, 16384> block{};
  while (content.size() < size_bytes_max) {
    const std::size_t wanted = std::min(block.size(), size_bytes_max - content.size());
    const ssize_t got = ::read(file.get(), block.data(), wanted);
    if (got < 0) return failure(errno, "cannot be read");
    if (got == 0) break;
    content.append(block.data(), static_cast<std::size_t>(got));
  }
  return content;
}

std::vector<std::string> ThisMachine::matching(const std::string& pattern) const {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), GLOB_BRACE | GLOB_MARK, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc && paths.size() < kMatchesMax; ++i) {
      const std::string_view path{found.gl_pathv[i]};
      if (path.back() != '/') paths.emplace_back(path);
    }
  }
  globfree(&found);
  return paths;
}

std::optional<std::string> ThisMachine::find_program(const std::string& name) const {
  for (const std::string_view directory : kSearched) {
    std::string path = std::string{directory} + name;
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return std::nullopt;
}

bool ThisMachine::has_account(const std::string& user) const { return id_of(user).has_value(); }

std::string ThisMachine::why_untrusted(const std::string& program, const std::string& user) const {
  const auto id = user.empty() ? geteuid() : id_of(user);
  if (!id || access(program.c_str(), F_OK) != 0) return {};
  return vrrp::why_untrusted(program, *id);
}

}  // namespace ha::keepalived
