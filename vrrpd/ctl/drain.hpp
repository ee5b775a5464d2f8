/// `vrrpctl drain`: whether the addresses have gone, from the status that follows. Pure.
#pragma once

#include <chrono>
#include <string_view>

#include "vrrpd/ctl/render.hpp"

namespace ha::ctl {

/// How long others may take to take over, by the slowest instance's down interval.
[[nodiscard]] std::chrono::milliseconds hand_over_patience(std::string_view status_answer);

/// Whether nothing is left to wait for: no instance is master any more but owners, which cannot be
/// drained, and the daemon knows whether a restart would undo it.
[[nodiscard]] bool is_drained(std::string_view status_answer);

/// Who has the addresses now. kRefused while one is still here, or if a restart would bring it
/// back.
[[nodiscard]] Output present_drain(std::string_view status_answer, Form form);

}  // namespace ha::ctl
