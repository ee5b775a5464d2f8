#include "vrrpd/runtime/scheduler.hpp"

namespace ha::vrrp {

Scheduler::Scheduler(boost::asio::io_context& io, std::function<void()> due)
    : timer_{io}, due_{std::move(due)} {}

void Scheduler::set(RouterDriver* router, std::optional<TimePoint>& current,
                    std::optional<TimePoint> next) {
  if (current == next) return;
  if (current && next) {
    // Moves the node instead of freeing and allocating one for every advertisement.
    auto node = deadlines_.extract({*current, router});
    node.value().first = *next;
    deadlines_.insert(std::move(node));
  } else if (next) {
    deadlines_.emplace(*next, router);
  } else {
    deadlines_.erase({*current, router});
  }
  current = next;
}

RouterDriver* Scheduler::first_due(TimePoint now) const {
  if (deadlines_.empty() || deadlines_.begin()->first > now) return nullptr;
  return deadlines_.begin()->second;
}

void Scheduler::arm() {
  if (deadlines_.empty()) {
    timer_.cancel();
    armed_.reset();
    return;
  }
  const TimePoint earliest = deadlines_.begin()->first;
  if (armed_ == earliest) return;
  armed_ = earliest;
  timer_.expires_at(earliest);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // set anew meanwhile
    // Set anew when it had fired already, it comes early.
    const TimePoint now = std::chrono::steady_clock::now();
    if (armed_ && now >= *armed_) lag_.add(now - *armed_);
    armed_.reset();
    due_();
  });
}

}  // namespace ha::vrrp
