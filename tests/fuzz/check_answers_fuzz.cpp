/// What outsiders answer to probes: any bytes give a code or a number in its range, or nothing.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vrrpd/checks/answers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ha::checks;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto code = parse_status_code(text); code && (*code < 100 || *code > 999)) std::abort();
  const auto number = parse_number(text);
  if (number && (*number < -kNumberMax || *number > kNumberMax)) std::abort();
  return 0;
}
