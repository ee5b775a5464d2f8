#include "vrrpd/settings/diagnostics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace ha::config {
namespace {

constexpr std::size_t kShownMax = 60;

[[nodiscard]] bool consists_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

[[nodiscard]] std::string_view word_of(Severity severity) {
  switch (severity) {
    case Severity::kError:
      return "error";
    case Severity::kWarning:
      return "warning";
    case Severity::kNote:
      return "note";
  }
  return {};
}

[[nodiscard]] bool reads_as_a_measure(std::string_view text) {
  if (text.empty()) return false;
  const bool starts_like_a_number = (text[0] >= '0' && text[0] <= '9') || text[0] == '-';
  const bool has_colon = text.find(':') != std::string_view::npos;
  return (starts_like_a_number && consists_of(text, "0123456789abcdefghijklmnopqrstuvwxyz./%-")) ||
         (has_colon && consists_of(text, "0123456789abcdefABCDEF.:/"));
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  std::string place = diagnostic.file;
  if (diagnostic.line > 0) place += fmt::format(":{}", diagnostic.line);
  if (diagnostic.line > 0 && diagnostic.column > 0) place += fmt::format(":{}", diagnostic.column);
  return fmt::format("{}: {}: {}", place, word_of(diagnostic.severity), diagnostic.text);
}

void Diagnostics::error(Position position, std::string text) {
  has_errors_ = true;
  add(position, Severity::kError, std::move(text));
}

void Diagnostics::warning(Position position, std::string text) {
  add(position, Severity::kWarning, std::move(text));
}

void Diagnostics::add(Position position, Severity severity, std::string text) {
  if (kept_.size() == kDiagnosticsMax) {
    ++dropped_;
    return;
  }
  kept_.push_back({file_, position.line, position.column, severity, std::move(text)});
}

std::vector<Diagnostic> Diagnostics::in_file_order() const {
  std::vector<Diagnostic> sorted = kept_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
  if (dropped_ > 0) {
    // Counted as an error if there was any: an error that was not kept must still refuse the file.
    const auto severity = has_errors_ ? Severity::kError : Severity::kWarning;
    sorted.push_back(
        {file_, 0, 0, severity, fmt::format("{} more problems are not shown", dropped_)});
  }
  return sorted;
}

std::string shown(std::string_view text) {
  if (text.size() > kShownMax) {
    std::size_t end = kShownMax;
    // A character of several bytes is not cut in its middle.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    return fmt::format("'{}…'", text.substr(0, end));
  }
  return reads_as_a_measure(text) ? std::string{text} : fmt::format("'{}'", text);
}

}  // namespace ha::config
