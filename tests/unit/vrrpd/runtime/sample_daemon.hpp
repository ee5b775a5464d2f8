/// What the control socket is asked about in the tests of this folder.
#pragma once

#include "tests/unit/vrrpd/runtime/sample_status.hpp"
#include "vrrpd/runtime/control.hpp"

namespace ha::vrrp::test {

/// Handlers on the status of sample_status(), and a reload that comes to `outcome`.
struct Daemon {
  Status status = test::sample_status();
  ReloadOutcome outcome{true, {}};
  int calls = 0;

  ControlHandlers handlers() {
    return {[this] {
              ++calls;
              return status;
            },
            [this] {
              ++calls;
              return outcome;
            }};
  }
};

}  // namespace ha::vrrp::test
