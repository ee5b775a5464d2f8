#include "vrrpd/runtime/notify_fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace ha::vrrp {

NotifyPipe::NotifyPipe(boost::asio::io_context& io, Subprocesses& subprocesses, Log& log,
                       NotifyFifo config)
    : subprocesses_{subprocesses},
      log_{log},
      config_{std::move(config)},
      restart_{io},
      alive_{std::make_shared<char>()} {
  open();
  if (pipe_.get() >= 0) start_reader();
}

void NotifyPipe::open() {
  const char* path = config_.path.c_str();
  const bool made = ::mkfifo(path, 0600) == 0 || errno == EEXIST;
  // For both directions, so that it opens without a reader and lines wait for one.
  if (made) pipe_ = Descriptor{::open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)};
  struct stat status {};
  if (!made || pipe_.get() < 0 || ::fstat(pipe_.get(), &status) != 0) {
    log_.error("notify_fifo {}: {}", path, std::strerror(errno));
    pipe_ = {};
  } else if (!S_ISFIFO(status.st_mode)) {
    log_.error("notify_fifo {} is there and not a named pipe", path);
    pipe_ = {};
  }
}

void NotifyPipe::start_reader() {
  if (!config_.reader) return;
  Launch launch;
  launch.command = *config_.reader;
  launch.appended = {config_.path};
  launch.dies_with_us = true;
  reader_running_ = true;
  subprocesses_.start(std::move(launch),
                      [this, alive = std::weak_ptr<void>{alive_}](const Ended& ended) {
                        if (!alive.expired()) reader_ended(ended);
                      });
}

void NotifyPipe::reader_ended(const Ended& ended) {
  reader_running_ = false;
  if (pipe_.get() < 0) return read_to_end_();
  log_.warning("the reader of {} {}; starting it again", config_.path, to_string(ended));
  restart_.expires_after(kPause);
  restart_.async_wait([this](const boost::system::error_code& error) {
    if (!error && pipe_.get() >= 0) start_reader();
  });
}

void NotifyPipe::write(std::string_view line, TimePoint now) {
  if (pipe_.get() < 0) return;
  // Short enough to be written whole or not at all (pipe(7), PIPE_BUF).
  if (::write(pipe_.get(), line.data(), line.size()) >= 0 || !lost_.admit(now)) return;
  log_.warning("nobody reads {}: a notification is lost{}", config_.path, lost_.suffix());
}

void NotifyPipe::close(std::function<void()> read_to_end) {
  read_to_end_ = std::move(read_to_end);
  restart_.cancel();
  pipe_ = Descriptor{};
}

}  // namespace ha::vrrp
