#include "vrrpd/keepalived/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "vrrpd/settings/diagnostics.hpp"

namespace ha::keepalived {
namespace {

[[nodiscard]] std::string printable(std::string_view text) {
  std::string clean{text};
  for (char& c : clean) {
    if (c < ' ' || c > '~') c = '?';  // bytes above 127 are negative
  }
  return clean;
}

/// Whatever a message was made of, it is one line that does nothing to a terminal.
[[nodiscard]] std::string one_line(std::string text) {
  for (char& c : text) {
    if ((c >= '\0' && c < ' ') || c == '\x7f') c = '?';
  }
  return text;
}

}  // namespace

std::size_t Report::add_file(std::string_view path) {
  files_.push_back(printable(path));
  return files_.size() - 1;
}

void Report::add(Place place, vrrp::Severity severity, std::string text) {
  has_errors_ |= severity == vrrp::Severity::kError;
  if (kept_.size() == config::kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  kept_.push_back({place, severity, one_line(std::move(text))});
}

std::vector<vrrp::Diagnostic> Report::diagnostics() const {
  std::vector<Entry> sorted = kept_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Entry& a, const Entry& b) { return a.place < b.place; });
  std::vector<vrrp::Diagnostic> diagnostics;
  for (Entry& entry : sorted) {
    diagnostics.push_back(
        {files_[entry.place.file], entry.place.line, 0, entry.severity, std::move(entry.text)});
  }
  if (dropped_ > 0) {
    // Counted as an error if there was any: an error that was not kept must still refuse the file.
    diagnostics.push_back({files_[0], 0, 0,
                           has_errors_ ? vrrp::Severity::kError : vrrp::Severity::kWarning,
                           fmt::format("{} more problems are not shown", dropped_)});
  }
  return diagnostics;
}

std::string Report::name_of(Place place) const {
  return fmt::format("{}:{}", files_[place.file], place.line);
}

std::string shown(std::string_view word) { return config::shown(printable(word)); }

}  // namespace ha::keepalived
