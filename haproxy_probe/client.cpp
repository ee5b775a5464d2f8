#include "haproxy_probe/client.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ha/result.hpp"
#include "haproxy_probe/dialogue.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {
namespace {

using boost::asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

constexpr std::string_view kPollCommand = "show info;show stat -1 4 -1\n";
/// Without the prompt HAProxy would close after the answer; without the time limit after 10 s of
/// silence.
constexpr std::string_view kHoldCommand = "prompt\nset timeout cli 1d\n";
/// Two prompts and two blank lines are expected; whoever sends much more is no HAProxy.
constexpr std::size_t kHeldBytesMax = 64 * 1024;

/// One question: a connection and what has been read from it. Destroying it closes the connection,
/// and handlers that are still to come find it gone.
struct Poll {
  explicit Poll(boost::asio::io_context& io) : socket{io} {}
  stream_protocol::socket socket;
  AnswerParser parser;
  std::array<char, 16 * 1024> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
};

struct Held {
  explicit Held(boost::asio::io_context& io) : socket{io} {}
  stream_protocol::socket socket;
  std::size_t discarded_bytes = 0;
  std::array<char, 256> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read into
};

/// Connects `socket` to `path` and sends `command`, without waiting: a Unix socket that cannot take
/// the connection at once refuses it with EAGAIN, which Asio's own connect would take for "in
/// progress".
Result<void> ask(stream_protocol::socket& socket, const std::string& path,
                 std::string_view command) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, "connect " + path);
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), path.size());

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure(errno, "open a socket");
  ErrorCode error;
  socket.assign(stream_protocol{}, fd, error);
  if (error) {
    ::close(fd);
    return failure(error.value(), "watch a socket");
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure(errno, "connect " + path);
  }
  // An empty send buffer takes so little at once.
  if (::send(fd, command.data(), command.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(command.size())) {
    return failure(errno, "send to " + path);
  }
  return {};
}

bool nobody_listens(const Error& error) {
  return error.code == std::errc::connection_refused ||
         error.code == std::errc::no_such_file_or_directory;
}

DialogueEvent poll_failure(const Error& error) {
  if (nobody_listens(error)) return PollRefused{error.message()};
  return PollFailed{error.message()};
}

}  // namespace

/// Owns the sockets. Asio may still hold finished operations of a connection when it is closed, or
/// of all of this when the client is destroyed; so handlers have weak pointers, and do nothing once
/// their object is gone.
class Client::Connections : public std::enable_shared_from_this<Connections> {
 public:
  Connections(boost::asio::io_context& io, ProbeConfig config,
              std::function<void(const Event&)> on_event)
      : io_{io},
        path_{config.stats},
        dialogue_{std::move(config)},
        on_event_{std::move(on_event)},
        timer_{io} {}

  void start() { rearm(); }

  /// No event is handed out any more, not even by the handler that runs now.
  void stop() {
    stopped_ = true;
    timer_.cancel();
    poll_.reset();
    held_.reset();
  }

 private:
  void feed(DialogueEvent event) {
    for (DialogueAction& action :
         dialogue_.handle(std::move(event), std::chrono::steady_clock::now())) {
      if (stopped_) return;
      std::visit([this](auto& what) { carry_out(what); }, action);
    }
    if (!stopped_) rearm();
  }

  void carry_out(const StartPoll&) {
    poll_ = std::make_shared<Poll>(io_);
    if (const auto asked = ask(poll_->socket, path_, kPollCommand); !asked) {
      boost::asio::post(io_, [self = weak_from_this(), poll = std::weak_ptr<Poll>{poll_},
                              event = poll_failure(asked.error())] {
        const auto connections = self.lock();
        if (connections && poll.lock()) connections->end_poll(event);
      });
      return;
    }
    read_poll();
  }

  void carry_out(const AbandonPoll&) { poll_.reset(); }

  void carry_out(const Hold&) {
    held_ = std::make_shared<Held>(io_);
    if (ask(held_->socket, path_, kHoldCommand)) {
      read_held();
      return;
    }
    boost::asio::post(io_, [self = weak_from_this(), held = std::weak_ptr<Held>{held_}] {
      const auto connections = self.lock();
      if (connections && held.lock()) connections->end_held();
    });
  }

  void carry_out(const LetGo&) { held_.reset(); }

  void carry_out(const Tell& tell) { on_event_(tell.event); }

  void read_poll() {
    poll_->socket.async_read_some(boost::asio::buffer(poll_->buffer),
                                  [self = weak_from_this(), poll = std::weak_ptr<Poll>{poll_}](
                                      const ErrorCode& error, std::size_t length) {
                                    const auto connections = self.lock();
                                    if (connections && poll.lock())
                                      connections->on_poll_read(error, length);
                                  });
  }

  void on_poll_read(const ErrorCode& error, std::size_t length) {
    if (error == boost::asio::error::eof) {
      auto answer = poll_->parser.finish();
      if (!answer) return end_poll(PollFailed{path_ + ": " + answer.error().reason});
      return end_poll(PollAnswered{std::move(*answer)});
    }
    if (error) return end_poll(PollFailed{path_ + ": " + error.message()});
    if (const auto taken = poll_->parser.feed({poll_->buffer.data(), length}); !taken) {
      return end_poll(PollFailed{path_ + ": " + taken.error().reason});
    }
    read_poll();
  }

  void end_poll(DialogueEvent outcome) {
    poll_.reset();
    feed(std::move(outcome));
  }

  void read_held() {
    held_->socket.async_read_some(boost::asio::buffer(held_->buffer),
                                  [self = weak_from_this(), held = std::weak_ptr<Held>{held_}](
                                      const ErrorCode& error, std::size_t length) {
                                    const auto connections = self.lock();
                                    if (connections && held.lock())
                                      connections->on_held_read(error, length);
                                  });
  }

  void on_held_read(const ErrorCode& error, std::size_t length) {
    held_->discarded_bytes += length;
    if (error || held_->discarded_bytes > kHeldBytesMax) return end_held();
    read_held();
  }

  void end_held() {
    held_.reset();
    feed(HeldEnded{});
  }

  void rearm() {
    timer_.expires_at(dialogue_.deadline());
    timer_.async_wait([self = weak_from_this()](const ErrorCode& error) {
      const auto connections = self.lock();
      if (!error && connections && !connections->stopped_) connections->feed(TimeReached{});
    });
  }

  boost::asio::io_context& io_;
  std::string path_;
  Dialogue dialogue_;
  std::function<void(const Event&)> on_event_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Poll> poll_;
  std::shared_ptr<Held> held_;
  bool stopped_ = false;
};

Client::Client(boost::asio::io_context& io, ProbeConfig config,
               std::function<void(const Event&)> on_event)
    : connections_{std::make_shared<Connections>(io, std::move(config), std::move(on_event))} {
  connections_->start();
}

Client::~Client() { connections_->stop(); }

}  // namespace ha::probe
