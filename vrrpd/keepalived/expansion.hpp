/// The parts of a line that stand for other text: `$NAME`, `${NAME}`, `$NAME=value`, `~SEQ(…)` and
/// `~LST(…)`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ha::keepalived {

/// The NAME of a line "$NAME=…".
[[nodiscard]] std::optional<std::string_view> definition_name(std::string_view line);

/// The first part of a line that stands for something defined, and what it stands for.
struct Use {
  std::size_t begin = 0;
  std::size_t size = 0;
  std::string value;
};
using ValueOf = std::function<std::optional<std::string>(std::string_view name)>;
[[nodiscard]] std::optional<Use> find_use(std::string_view line, const ValueOf& value_of);

/// "~SEQ(NAME, start, step, end) rest" counts, with `x` in hexadecimal; "~LST({A, B}, {1, 2}, …)
/// rest" lists.
struct Sequence {
  std::vector<std::string> variables;
  std::vector<std::vector<std::string>> rounds;  ///< of a list: values for all variables each
  std::int64_t start = 1;
  std::int64_t step = 1;
  std::int64_t end = 0;
  bool is_list = false;
  bool is_hexadecimal = false;
  std::string rest;
};

[[nodiscard]] bool is_sequence(std::string_view line);

/// `line` is_sequence(); an error is a sentence about it.
[[nodiscard]] tl::expected<Sequence, std::string> parse_sequence(
    std::string_view line, const std::map<std::string, std::string>& definitions);

/// Calls `round` with the values of each round until it returns false.
void for_each_round(const Sequence& sequence,
                    const std::function<bool(const std::vector<std::string>&)>& round);

}  // namespace ha::keepalived
