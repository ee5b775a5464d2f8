/// Ethernet addresses.
#pragma once

#include <array>
#include <cstdint>

namespace ha {

/// Six octets in transmission order.
using MacAddress = std::array<std::uint8_t, 6>;

}  // namespace ha
