/// What happened on a Lan, in lines that a person can follow:
///
///      3.609375000  r1 backup      timer                        -> master: advert 100, acquire,
///      ...
///
/// Packets and timers that change nothing are left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lan.hpp"

namespace ha::sim {

[[nodiscard]] std::string describe(const vrrp::Event& event);
[[nodiscard]] std::string describe(const std::vector<vrrp::Action>& actions);
[[nodiscard]] std::string describe(const vrrp::RouterConfig& config, const IpAddress& address);

/// "r0" for the first machine.
[[nodiscard]] std::string name_of(NodeId node);
/// Seconds with nine digits.
[[nodiscard]] std::string seconds(Duration duration);

class Trace : public Observer {
 public:
  /// Times are shown relative to `start`.
  explicit Trace(TimePoint start) : start_{start} {}

  void stepped(const StepRecord& record) override;
  void crashed(NodeId node, TimePoint now) override;
  void paused(NodeId node, TimePoint now) override;
  void resumed(NodeId node, TimePoint now) override;
  void remarked(std::string_view text, TimePoint now) override;

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  /// The last `count` lines as one text.
  [[nodiscard]] std::string tail(std::size_t count) const;

 private:
  void add(TimePoint now, std::string_view text);

  TimePoint start_;
  std::vector<std::string> lines_;
};

}  // namespace ha::sim
