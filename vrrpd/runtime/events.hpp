/// What happened, for people: each change of state and priority with its reason and the arithmetic
/// of that moment, alarms, what HAProxy's verdict did, reloads and drains.
///
/// Kept in memory of fixed size that an engine's death does not take along: the last day's in all
/// but the worst cases.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ha/messages.hpp"
#include "ha/types.hpp"
#include "vrrpd/runtime/recorder.hpp"
#include "vrrpd/runtime/ring.hpp"

namespace ha::vrrp {

/// How a virtual router stood when something happened to it.
struct Standing {
  std::string_view instance;
  std::string_view state;
  Priority configured;
  Priority effective;
  std::vector<Demotion> demotions;
};

class Events {
 public:
  /// `recorder` is told too, and must outlive the object.
  Events(Ring ring, Recorder& recorder) : ring_{ring}, recorder_{recorder} {}

  /// `kind` is one word: transition, priority, alarm, haproxy, reload, drain or start. `text` is a
  /// sentence; what is longer than some kilobytes is cut.
  void note(std::string_view kind, std::string_view text);
  void note(std::string_view kind, const Standing& standing, std::string_view text);

  /// Events with a number above `after` as a JSON list, oldest first:
  ///   {"number": 1, "time": "2026-01-07T10:15:00.123Z", "kind": "transition",
  ///    "instance": "VI_MAIN", "state": "master", "priority": 110, "effective-priority": 60,
  ///    "demotions": [{"name": "haproxy", "demotion": 50, "reason": "…"}], "text": "…"}
  /// What concerns no instance has neither it nor the four that follow. Numbers rise, also over a
  /// restart of the daemon.
  [[nodiscard]] RingExtract json(std::uint64_t after) const;
  [[nodiscard]] std::uint64_t last() const { return ring_.last(); }

 private:
  Ring ring_;
  Recorder& recorder_;
};

}  // namespace ha::vrrp
