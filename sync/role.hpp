/// What vrrpd says about an instance, for the writer rule.
#pragma once

#include <string>
#include <string_view>

#include "ha/result.hpp"

namespace ha::sync {

enum class Role : std::uint8_t {
  kUnknown,  ///< vrrpd does not answer, or does not know the instance: as good as not the writer
  kMaster,
  kNotMaster,
};

/// From vrrpd's answer to "status". Any bytes; `why` says what is wrong if it is unknown.
[[nodiscard]] Role role_in(std::string_view answer, std::string_view instance, std::string& why);

}  // namespace ha::sync
