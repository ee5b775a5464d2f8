/// The dialogue with HAProxy's stats socket or statistics page: polls it, holds a connection whose
/// end tells of a death at once, and turns both into the evaluator's events. Its decisions are
/// dialogue.hpp's, its connections link.hpp's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "haproxy_probe/config.hpp"
#include "haproxy_probe/evaluator.hpp"

namespace ha::probe {

class Client {
 public:
  /// Starts polling at once and calls `on_event` from `io`'s loop until destroyed. `io` must
  /// outlive the client; `on_event` may destroy it. Holds at most two connections and one answer's
  /// rows.
  Client(boost::asio::io_context& io, ProbeConfig config,
         std::function<void(const Event&)> on_event);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

 private:
  class Connections;
  std::shared_ptr<Connections> connections_;
};

}  // namespace ha::probe
