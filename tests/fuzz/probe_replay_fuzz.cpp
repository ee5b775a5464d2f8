/// Any file is a history or is refused, line by line; what is read can be written and read again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "haproxy_probe/cli/replay.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ha::probe;
  using namespace ha::probe::cli;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  std::string_view text{reinterpret_cast<const char*>(data), size};
  Replay replay{ProbeConfig{}};
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto changes = replay.take(line);
    if (!changes && changes.error().empty()) std::abort();
    if (!changes) break;
    for (const Change& change : *changes) {
      if (to_text(change).empty()) std::abort();
    }
    if (const auto recorded = parse_line(line)) {
      const auto again =
          parse_line(line_of(recorded->time, ha::TimePoint{}, recorded->event, Report{}));
      if (!again || again->time != recorded->time) std::abort();
      if (again->event.index() != recorded->event.index()) std::abort();
    }
  }
  if (replay.summary().empty()) std::abort();
  return 0;
}
