/// The difference of two short texts for a human who is about to replace one by the other.
#pragma once

#include <string>
#include <string_view>

namespace ha::ctl {

/// As `diff -u`, with all lines that are the same: those of `before` alone begin with '-', those of
/// `after` alone with '+', the others with a blank. Empty if there is no difference. Texts of more
/// than 5,000 lines are shown as wholly different.
[[nodiscard]] std::string text_diff(std::string_view before, std::string_view after);

}  // namespace ha::ctl
