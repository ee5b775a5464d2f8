#include "sync/vrrpd_link.hpp"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "sync/json_fields.hpp"

namespace ha::sync {
namespace {

namespace asio = boost::asio;

/// Far beyond any status; whatever says more is not vrrpd.
constexpr std::size_t kAnswerSizeBytesMax = std::size_t{64} * 1024 * 1024;

}  // namespace

std::string lag_request(const std::string& team, std::int64_t lag_ms) {
  return Json{{"command", "sync"}, {"team", team}, {"lag-ms", lag_ms}}.dump();
}

VrrpdLink::VrrpdLink(asio::io_context& io, std::string path, Listener listener)
    : path_{std::move(path)},
      listener_{std::move(listener)},
      socket_{io},
      deadline_{io},
      pause_{io} {
  begin();
}

void VrrpdLink::begin() {
  asked_status_ = false;
  if (socket_.is_open()) return next();
  deadline_.expires_after(kPatience);
  deadline_.async_wait([this](const Code& error) {
    if (!error) give_up("vrrpd does not answer on " + path_);
  });
  socket_.async_connect(Protocol::endpoint{path_}, [this](const Code& error) {
    if (error == asio::error::operation_aborted) return;
    if (error) return give_up(fmt::format("connect to vrrpd's {}: {}", path_, error.message()));
    next();
  });
}

/// The status, then what there is to be told.
void VrrpdLink::next() {
  if (!asked_status_) {
    asked_status_ = true;
    waiting_for_status_ = true;
    return ask(R"({"command": "status"})");
  }
  if (lags_.empty()) return again_later();
  const auto node = lags_.extract(lags_.begin());
  ask(lag_request(node.key(), node.mapped()));
}

void VrrpdLink::ask(std::string request) {
  request_ = std::move(request) + '\n';
  deadline_.expires_after(kPatience);
  deadline_.async_wait([this](const Code& error) {
    if (!error) give_up("vrrpd does not answer on " + path_);
  });
  asio::async_write(socket_, asio::buffer(request_), [this](const Code& error, std::size_t) {
    if (error == asio::error::operation_aborted) return;
    if (error) return give_up(fmt::format("ask vrrpd on {}: {}", path_, error.message()));
    read();
  });
}

void VrrpdLink::read() {
  asio::async_read_until(
      socket_, asio::dynamic_buffer(answer_, kAnswerSizeBytesMax), '\n',
      [this](const Code& error, std::size_t size) {
        if (error == asio::error::operation_aborted) return;
        if (error) return give_up(fmt::format("ask vrrpd on {}: {}", path_, error.message()));
        answered(size);
      });
}

void VrrpdLink::answered(std::size_t size) {
  const std::string line = answer_.substr(0, size - 1);
  answer_.erase(0, size);
  if (std::exchange(waiting_for_status_, false)) listener_.status(line);
  next();
}

void VrrpdLink::give_up(const std::string& why) {
  Code ignored;
  socket_.close(ignored);
  answer_.clear();
  waiting_for_status_ = false;
  listener_.lost(why);
  again_later();
}

void VrrpdLink::again_later() {
  deadline_.cancel();
  pause_.expires_after(kPeriod);
  pause_.async_wait([this](const Code& error) {
    if (!error) begin();
  });
}

}  // namespace ha::sync
