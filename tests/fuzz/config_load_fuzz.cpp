/// Any text is a configuration without errors or errors without a configuration, and a
/// configuration survives being printed.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "vrrpd/config/load.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ha::vrrp;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Loaded loaded = load(text, "f", "host");
  const bool has_errors = std::any_of(
      loaded.diagnostics.begin(), loaded.diagnostics.end(),
      [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
  if (loaded.config.has_value() == has_errors) std::abort();
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    // A diagnostic is one line on a terminal.
    const bool is_clean = std::none_of(diagnostic.text.begin(), diagnostic.text.end(), [](char c) {
      return (c >= '\0' && c < ' ') || c == '\x7f';
    });
    if (!is_clean || diagnostic.text.empty()) std::abort();
  }
  if (loaded.config && load(print(*loaded.config), "f", "").config != loaded.config) std::abort();
  return 0;
}
