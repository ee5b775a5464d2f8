#include "vrrpd/runtime/drain_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <system_error>
#include <utility>

namespace ha::vrrp {
namespace {

constexpr const char* kDefaultDirectory = "/var/lib/vrrpd";
constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kFileMode = 0644;

/// In the child: nothing but system calls, and errno as the exit status.
int write_file(const std::string& path, const std::string& next, const std::string& directory,
               const std::string& content) {
  if (content.empty()) return unlink(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
  if (mkdir(directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return errno;
  const int file = open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (file < 0) return errno;
  if (write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return errno == 0 ? EIO : errno;
  }
  if (fsync(file) != 0 || rename(next.c_str(), path.c_str()) != 0) return errno;
  const int entries = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return entries < 0 || fsync(entries) != 0 ? errno : 0;
}

}  // namespace

std::string DrainFile::default_path() {
  const char* const given = std::getenv("STATE_DIRECTORY");
  const std::string directories = given == nullptr || *given == '\0' ? kDefaultDirectory : given;
  return directories.substr(0, directories.find(':')) + "/drained";
}

std::optional<WallClock> DrainFile::read(const std::string& path) {
  std::ifstream file{path};
  if (!file) return std::nullopt;
  std::string text(32, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  std::int64_t seconds = 0;
  // Whatever is in it: that it is there is the operator's word.
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return WallClock{std::chrono::seconds{seconds}};
}

class DrainFile::Impl : public std::enable_shared_from_this<DrainFile::Impl> {
 public:
  Impl(boost::asio::io_context& io, std::string path)
      : path_{std::move(path)},
        next_{path_ + ".new"},
        directory_{path_.substr(0, path_.rfind('/'))},
        child_{io} {}

  void save(std::optional<WallClock> since, std::function<void(std::string)> done);
  void stop() {
    stopped_ = true;
    boost::system::error_code ignored;
    child_.close(ignored);
  }

 private:
  struct Task {
    std::string content;
    std::function<void(std::string)> done;
  };
  void start(Task task);
  void ended();
  void finish(int error);

  std::string path_;
  std::string next_;
  std::string directory_;
  boost::asio::posix::stream_descriptor child_;
  pid_t pid_ = 0;
  std::optional<Task> running_;
  std::optional<Task> waiting_;
  bool stopped_ = false;
};

void DrainFile::Impl::save(std::optional<WallClock> since, std::function<void(std::string)> done) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  std::string content =
      since ? fmt::format("{}\n", duration_cast<seconds>(since->time_since_epoch()).count())
            : std::string{};
  Task task{std::move(content), std::move(done)};
  if (running_) {
    waiting_ = std::move(task);
  } else {
    start(std::move(task));
  }
}

void DrainFile::Impl::start(Task task) {
  running_ = std::move(task);
  pid_ = fork();
  if (pid_ < 0) return finish(errno);
  if (pid_ == 0) {
    // A child that a disk holds up must not hold our sockets open.
    close_range(3, ~0U, 0);
    _exit(write_file(path_, next_, directory_, running_->content));
  }
  const auto file = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (file < 0) return finish(errno);
  child_.assign(file);
  child_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const boost::system::error_code&) {
                      if (!self->stopped_) self->ended();
                    });
}

void DrainFile::Impl::ended() {
  int status = 0;
  waitpid(pid_, &status, 0);
  child_.close();
  finish(WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
}

void DrainFile::Impl::finish(int error) {
  const Task task = std::move(*running_);
  running_.reset();
  task.done(error == 0 ? std::string{}
                       : fmt::format("{}: {}", path_, std::generic_category().message(error)));
  if (auto next = std::exchange(waiting_, std::nullopt)) start(std::move(*next));
}

DrainFile::DrainFile(boost::asio::io_context& io, std::string path)
    : impl_{std::make_shared<Impl>(io, std::move(path))} {}

DrainFile::~DrainFile() { impl_->stop(); }

void DrainFile::save(std::optional<WallClock> since,
                     std::function<void(std::string trouble)> done) {
  impl_->save(since, std::move(done));
}

}  // namespace ha::vrrp
