// gluster-sync.yaml: any bytes give a configuration or say why not.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ha/check.hpp"
#include "sync/load.hpp"

using namespace ha::sync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what a file holds
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const Loaded loaded = load(text, "f", Locality::kAllowLocal);
  HA_CHECK(loaded.config || !loaded.diagnostics.empty());
  if (!loaded.config) return 0;
  for (const Mirror& one : loaded.config->mirrors) {
    HA_CHECK(!overlap(one.source, one.target));
  }
  return 0;
}
