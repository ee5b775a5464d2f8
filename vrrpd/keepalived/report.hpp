/// Collects what there is to say about a keepalived.conf and the files it includes.
///
/// A line that is not honoured gets one of three grades. An error: we do not run with it, as
/// keepalived would not, or would only by taking something that was not written. A warning: it has
/// an effect in keepalived that it does not have here. A note: it changes nothing, there or here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/load.hpp"

namespace ha::keepalived {

/// A line of a file; the line 0 stands for the file as a whole.
struct Place {
  std::size_t file = 0;  ///< by its number in the Report
  int line = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

class Report {
 public:
  /// Gives a file its number; the first is the one that was asked for.
  [[nodiscard]] std::size_t add_file(std::string_view path);

  void error(Place place, std::string text) { add(place, vrrp::Severity::kError, std::move(text)); }
  void warning(Place place, std::string text) {
    add(place, vrrp::Severity::kWarning, std::move(text));
  }
  void note(Place place, std::string text) { add(place, vrrp::Severity::kNote, std::move(text)); }
  void add(Place place, vrrp::Severity severity, std::string text);

  /// Whether anything was an error, even one that was not kept.
  [[nodiscard]] bool has_errors() const { return has_errors_; }

  /// Everything that was kept, file by file and line by line, and a last one that counts the rest.
  [[nodiscard]] std::vector<vrrp::Diagnostic> diagnostics() const;

  /// "keepalived.conf:12", for a message about another line.
  [[nodiscard]] std::string name_of(Place place) const;

 private:
  struct Entry {
    Place place;
    vrrp::Severity severity;
    std::string text;
  };

  std::vector<std::string> files_;
  std::vector<Entry> kept_;
  std::size_t dropped_ = 0;
  bool has_errors_ = false;
};

/// A word of the file as a message shows it: in single quotes unless it is a number or an address,
/// cut when long, harmless on a terminal.
[[nodiscard]] std::string shown(std::string_view word);

}  // namespace ha::keepalived
