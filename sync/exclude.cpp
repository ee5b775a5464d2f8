#include "sync/exclude.hpp"

#include <cstddef>
#include <utility>

namespace ha::sync {
namespace {

/// A set "[a-z]" at the start of `pattern`: whether `c` is in it, and how long it is. Length 0: no
/// set, for want of its end.
struct SetFit {
  bool fits = false;
  std::size_t length = 0;
};

[[nodiscard]] SetFit fit_set(std::string_view pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size(); first = false) {
    if (pattern[at] == ']' && !first) return {found != negated && c != '/', at + 1};
    if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
    const char low = pattern[at];
    char high = low;
    if (at + 2 < pattern.size() && pattern[at + 1] == '-' && pattern[at + 2] != ']') {
      high = pattern[at + 2];
      at += 2;
    }
    const auto value = [](char x) { return static_cast<unsigned char>(x); };
    if (value(c) >= value(low) && value(c) <= value(high)) found = true;
    ++at;
  }
  return {};
}

/// Steps are bounded by the product of both lengths: every star remembers only where it was last
/// tried, and a later one takes over from it.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text) {
  struct Retry {
    std::size_t pattern = 0;
    std::size_t text = 0;
    bool valid = false;
  };
  Retry star;  // '*': never across a '/'
  Retry double_star;
  std::size_t p = 0;
  std::size_t t = 0;
  while (true) {
    if (p < pattern.size() && pattern[p] == '*') {
      const bool is_double = p + 1 < pattern.size() && pattern[p + 1] == '*';
      p += is_double ? 2 : 1;
      (is_double ? double_star : star) = {p, t, true};
      if (is_double) star.valid = false;
      continue;
    }
    if (t == text.size() && p == pattern.size()) return true;
    std::size_t step = 0;
    if (t < text.size() && p < pattern.size()) {
      if (pattern[p] == '?') {
        step = text[t] != '/' ? 1 : 0;
      } else if (const SetFit set =
                     pattern[p] == '[' ? fit_set(pattern.substr(p), text[t]) : SetFit{};
                 set.length > 0) {
        step = set.fits ? set.length : 0;
      } else if (pattern[p] == '\\' && p + 1 < pattern.size()) {
        step = pattern[p + 1] == text[t] ? 2 : 0;
      } else {
        step = pattern[p] == text[t] ? 1 : 0;
      }
    }
    if (step > 0) {
      p += step;
      ++t;
    } else if (star.valid && star.text < text.size() && text[star.text] != '/') {
      t = ++star.text;
      p = star.pattern;
    } else if (double_star.valid && double_star.text < text.size()) {
      t = ++double_star.text;
      p = double_star.pattern;
      star.valid = false;
    } else {
      return false;
    }
  }
}

}  // namespace

Exclusions::Exclusions(const std::vector<std::string>& patterns) {
  for (const std::string& given : patterns) {
    Pattern pattern{given, false, false, false};
    if (pattern.text.size() > 1 && pattern.text.back() == '/') {
      pattern.directories_only = true;
      pattern.text.pop_back();
    }
    if (!pattern.text.empty() && pattern.text.front() == '/') {
      pattern.anchored = true;
      pattern.text.erase(0, 1);
    }
    pattern.whole_path =
        pattern.text.find('/') != std::string::npos || pattern.text.find("**") != std::string::npos;
    patterns_.push_back(std::move(pattern));
  }
}

bool Exclusions::fits(std::string_view path, Leaf leaf) const {
  for (const Pattern& pattern : patterns_) {
    if (pattern.directories_only && leaf != Leaf::kDirectory) continue;
    if (pattern.anchored) {
      if (matches(pattern.text, path)) return true;
      continue;
    }
    if (!pattern.whole_path) {
      if (matches(pattern.text, path.substr(path.rfind('/') + 1))) return true;
      continue;
    }
    for (std::size_t at = 0; at != std::string_view::npos;) {
      if (matches(pattern.text, path.substr(at))) return true;
      const std::size_t slash = path.find('/', at);
      at = slash == std::string_view::npos ? slash : slash + 1;
    }
  }
  return false;
}

}  // namespace ha::sync
