#include "haproxy_probe/link.hpp"

#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "haproxy_probe/http.hpp"

namespace ha::probe {
namespace {

using ErrorCode = boost::system::error_code;

template <class Address>
void put(const Address& address, Target& target) {
  static_assert(sizeof address <= sizeof target.address);
  std::memcpy(&target.address, &address, sizeof address);
  target.size = sizeof address;
}

Target target_of(const HttpUrl& url, const std::string& name) {
  Target target;
  target.name = name;
  if (url.address.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(url.port);
    address.sin_addr.s_addr = htonl(url.address.to_v4().to_uint());
    put(address, target);
  } else {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(url.port);
    const auto bytes = url.address.to_v6().to_bytes();
    std::memcpy(&address.sin6_addr, bytes.data(), bytes.size());
    put(address, target);
  }
  return target;
}

Error error_of(const ErrorCode& error, std::string context) {
  return {std::error_code{error.value(), std::system_category()}, std::move(context)};
}

bool nobody_listens(const Error& error) {
  return error.code == std::errc::connection_refused ||
         error.code == std::errc::no_such_file_or_directory;
}

}  // namespace

Result<Target> target_of(const std::string& stats) {
  if (is_url(stats)) {
    const auto url = parse_url(stats);
    if (!url) return tl::unexpected<Error>{{{}, stats + " " + url.error()}};
    return target_of(*url, stats);
  }
  sockaddr_un address{};
  if (stats.size() >= sizeof address.sun_path) return failure(ENAMETOOLONG, "connect " + stats);
  address.sun_family = AF_UNIX;
  stats.copy(static_cast<char*>(address.sun_path), stats.size());
  Target target;
  target.name = stats;
  put(address, target);
  return target;
}

std::shared_ptr<Link> Link::open(boost::asio::io_context& io, const Result<Target>& target,
                                 std::string text, OnText on_text, OnEnd on_end) {
  // Not make_shared: the constructor is private.
  std::shared_ptr<Link> link{new Link{io, std::move(text), std::move(on_text), std::move(on_end)}};
  if (!target) {
    link->end_later(target.error());
  } else if (const auto connected = link->connect(*target); !connected) {
    link->end_later(connected.error());
  }
  return link;
}

/// Asio's own connect would take the EAGAIN of a Unix socket that cannot take a connection at once
/// for "in progress".
Result<void> Link::connect(const Target& target) {
  name_ = target.name;
  const int family = target.address.ss_family;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure(errno, "open a socket");
  ErrorCode error;
  socket_.assign(boost::asio::generic::stream_protocol{family, 0}, fd, error);
  if (error) {
    ::close(fd);
    return failure(error.value(), "watch a socket");
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how the kernel takes addresses
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&target.address), target.size) == 0) {
    if (auto spoken = speak(); !spoken) return spoken;
    read();
    return {};
  }
  if (errno != EINPROGRESS) return failure(errno, "connect " + name_);
  wait_until_connected();
  return {};
}

void Link::wait_until_connected() {
  socket_.async_wait(Socket::wait_write, [weak = weak_from_this()](const ErrorCode& error) {
    const auto self = weak.lock();
    if (!self) return;
    if (error) return self->end(error_of(error, "connect " + self->name_));
    int refusal = 0;
    socklen_t size = sizeof refusal;
    ::getsockopt(self->socket_.native_handle(), SOL_SOCKET, SO_ERROR, &refusal, &size);
    if (refusal != 0) return self->end(failure(refusal, "connect " + self->name_).value());
    if (const auto spoken = self->speak(); !spoken) return self->end(spoken.error());
    self->read();
  });
}

/// An empty send buffer takes so little at once.
Result<void> Link::speak() {
  if (::send(socket_.native_handle(), text_.data(), text_.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(text_.size())) {
    return failure(errno, "send to " + name_);
  }
  return {};
}

void Link::read() {
  socket_.async_read_some(boost::asio::buffer(buffer_),
                          [weak = weak_from_this()](const ErrorCode& error, std::size_t length) {
                            const auto self = weak.lock();
                            if (!self) return;
                            if (error == boost::asio::error::eof)
                              return self->on_end_(End::kClosed, {});
                            if (error) return self->end(error_of(error, "read " + self->name_));
                            self->on_text_({self->buffer_.data(), length});
                            if (weak.use_count() > 1)
                              self->read();  // or the callback has dropped it
                          });
}

void Link::end_later(const Error& error) {
  boost::asio::post(socket_.get_executor(), [weak = weak_from_this(), error] {
    if (const auto self = weak.lock()) self->end(error);
  });
}

void Link::end(const Error& error) {
  on_end_(nobody_listens(error) ? End::kNobodyListens : End::kFailed, error.message());
}

}  // namespace ha::probe
