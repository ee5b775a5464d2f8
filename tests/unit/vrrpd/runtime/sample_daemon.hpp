/// What the control socket is asked about in the tests of this folder.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "tests/unit/vrrpd/runtime/sample_status.hpp"
#include "vrrpd/runtime/control.hpp"

namespace ha::vrrp::test {

/// Handlers on the status of sample_status(), and a reload that comes to `outcome` and waits for
/// confirmation if asked to.
struct Daemon {
  Status status = test::sample_status();
  ReloadOutcome outcome{true, {}, {}};
  std::optional<Duration> trial;
  bool drained = false;
  std::map<std::string, std::chrono::milliseconds> lags;
  int calls = 0;

  ControlHandlers handlers() {
    return {[this] {
              ++calls;
              return status;
            },
            [this](std::optional<Duration> asked_for) {
              ++calls;
              trial = asked_for;
              return outcome;
            },
            [this] {
              ++calls;
              return std::exchange(trial, std::nullopt).has_value();
            },
            [this](bool wanted) {
              ++calls;
              drained = wanted;
            },
            [this](std::uint64_t after) {
              ++calls;
              return RingExtract{fmt::format("[{{\"asked-after\":{}}}]", after), after + 1};
            },
            [this](std::uint64_t after) {
              ++calls;
              return RingExtract{"[]", after};
            },
            [this](const std::string& team, std::chrono::milliseconds lag) {
              ++calls;
              lags[team] = lag;
              return team == "devops";
            }};
  }
};

}  // namespace ha::vrrp::test
