#include "sync/progress.hpp"

#include <fmt/format.h>

namespace ha::sync {

std::string describe(const Progress& progress, Duration elapsed) {
  constexpr double kMegabyte = 1e6;
  std::string text = progress.phase;
  if (progress.total.entries == 0) return text;
  text += fmt::format(" {} of {} files", progress.done.entries, progress.total.entries);
  if (progress.total.size_bytes > 0) {
    text += fmt::format(", {:.1f} of {:.1f} MB",
                        static_cast<double>(progress.done.size_bytes) / kMegabyte,
                        static_cast<double>(progress.total.size_bytes) / kMegabyte);
  }
  const double seconds = std::chrono::duration<double>{elapsed}.count();
  if (progress.done.entries == 0 || seconds < 1) return text;
  const double rate = static_cast<double>(progress.done.entries) / seconds;
  const double left =
      static_cast<double>(progress.total.entries) - static_cast<double>(progress.done.entries);
  return text + fmt::format(", {:.0f} files/s, {:.0f} s left", rate, std::max(left, 0.0) / rate);
}

}  // namespace ha::sync
