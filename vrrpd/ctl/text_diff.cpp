#include "vrrpd/ctl/text_diff.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ha::ctl {
namespace {

constexpr std::size_t kLinesMax = 5'000;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// How many lines the rests of both texts have in common, for each pair of rests.
class Common {
 public:
  Common(const std::vector<std::string_view>& before, const std::vector<std::string_view>& after)
      : columns_{after.size() + 1}, counts_((before.size() + 1) * columns_) {
    for (std::size_t i = before.size(); i-- > 0;) {
      for (std::size_t j = after.size(); j-- > 0;) {
        counts_[i * columns_ + j] = before[i] == after[j]
                                        ? static_cast<std::uint16_t>(at(i + 1, j + 1) + 1)
                                        : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  [[nodiscard]] std::uint16_t at(std::size_t i, std::size_t j) const {
    return counts_[i * columns_ + j];
  }

 private:
  std::size_t columns_;
  std::vector<std::uint16_t> counts_;
};

}  // namespace

std::string text_diff(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const std::vector<std::string_view> left = lines_of(before);
  const std::vector<std::string_view> right = lines_of(after);
  std::string text;
  const auto say = [&text](char sign, std::string_view line) {
    text += sign;
    text.append(line).append(1, '\n');
  };
  if (left.size() > kLinesMax || right.size() > kLinesMax) {
    for (const std::string_view line : left) say('-', line);
    for (const std::string_view line : right) say('+', line);
    return text;
  }
  const Common common{left, right};
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    if (i < left.size() && j < right.size() && left[i] == right[j]) {
      say(' ', left[i++]);
      ++j;
    } else if (j == right.size() ||
               (i < left.size() && common.at(i + 1, j) >= common.at(i, j + 1))) {
      say('-', left[i++]);
    } else {
      say('+', right[j++]);
    }
  }
  return text;
}

}  // namespace ha::ctl
