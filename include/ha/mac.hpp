/// Ethernet addresses.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace ha {

/// Six octets in transmission order.
using MacAddress = std::array<std::uint8_t, 6>;

/// "00:00:5e:00:01:33".
[[nodiscard]] inline std::string to_string(const MacAddress& mac) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : mac) {
    if (!text.empty()) text += ':';
    text += kDigits[octet >> 4U];
    text += kDigits[octet & 0xfU];
  }
  return text;
}

}  // namespace ha
