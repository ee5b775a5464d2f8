#include "vrrpd/keepalived/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "vrrpd/keepalived/expansion.hpp"
#include "vrrpd/keepalived/words.hpp"

namespace ha::keepalived {
namespace {

constexpr std::size_t kTokensMax = 500'000;
// What an expansion costs at least, so that one that replaces a name by itself ends soon.
constexpr std::size_t kExpansionCostMin = 64;

[[nodiscard]] std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// "$NAME=…" or that behind conditions: only these go on in the next line after a backslash.
[[nodiscard]] bool is_definition(std::string_view line) {
  while (!line.empty() && line.front() == '@') {
    const std::size_t blank = line.find_first_of(kBlanks);
    if (blank == std::string_view::npos) return false;
    line = trimmed(line.substr(blank));
  }
  return definition_name(line).has_value();
}

class LineReader {
 public:
  LineReader(const std::string& config_id, const Machine& machine, Report& report)
      : config_id_{config_id}, machine_{machine}, report_{report} {}

  void read_file(const std::string& path, const std::string& content, int depth) {
    const std::size_t file = report_.add_file(path);
    ++files_;
    if (content.size() > kFileSizeBytesMax) {
      report_.error({file, 0}, fmt::format("is larger than {} bytes", kFileSizeBytesMax));
      return;
    }
    const std::string outer = std::exchange(directory_, directory_of(path));
    Place place{file, 0};
    std::size_t at = 0;
    while (at < content.size() && !is_over_) {
      std::string line = next_line(content, at, place.line);
      const Place begin = place;
      while (ends_with_backslash(line) && is_definition(line) && at < content.size()) {
        line.pop_back();
        append_continuation(line, next_line(content, at, place.line));
      }
      if (ends_with_backslash(line) && is_definition(line)) line.pop_back();
      if (!line.empty() && !include(line, begin, path, depth)) process(std::move(line), begin, 0);
    }
    directory_ = outer;
  }

  [[nodiscard]] std::vector<Token> take() { return std::move(tokens_); }

 private:
  /// Without its comment and the blanks around it.
  static std::string next_line(const std::string& content, std::size_t& at, int& number) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    const std::string_view line = std::string_view{content}.substr(at, end - at);
    at = end + 1;
    ++number;
    return std::string{trimmed(without_comment(line))};
  }

  static bool ends_with_backslash(const std::string& line) {
    return !line.empty() && line.back() == '\\';
  }

  /// The lines of a definition are joined by newlines; empty ones within it do not end it.
  static void append_continuation(std::string& line, const std::string& next) {
    while (!line.empty() && kBlanks.find(line.back()) != std::string_view::npos) line.pop_back();
    line += line.back() == '=' ? "" : "\n";
    line += next.empty() ? "\\" : next;
  }

  /// Returns whether `line` is an include, which is then done. Conditions and definitions are not
  /// looked at before.
  bool include(const std::string& line, Place place, const std::string& path, int depth) {
    const std::string_view word = std::string_view{line}.substr(0, line.find_first_of(kBlanks));
    const std::string_view rest = trimmed(std::string_view{line}.substr(word.size()));
    if (word == "include_check") {
      include_is_checked_ = !rest.empty();
      return true;
    }
    constexpr std::string_view kInclude = "include";
    if (word.substr(0, kInclude.size()) != kInclude) return false;
    const std::string_view variant = word.substr(kInclude.size());
    if (variant.size() > 1 || std::string_view{"rmwba"}.find(variant) == std::string_view::npos) {
      return false;
    }
    const bool is_checked = include_is_checked_ || !variant.empty();
    if (rest.empty()) {
      report_.error(place, fmt::format("{} names no file", word));
      return true;
    }
    if (depth == kIncludeDepthMax) {
      report_.error(place, fmt::format("includes are nested deeper than {}", kIncludeDepthMax));
      return true;
    }
    std::string pattern{rest.front() == '"' && rest.size() > 1 ? rest.substr(1, rest.size() - 2)
                                                               : rest};
    if (pattern.empty() || pattern.front() != '/') pattern = directory_of(path) + "/" + pattern;
    const std::vector<std::string> matches = machine_.matching(pattern);
    if (matches.empty()) missing(place, is_checked, "no file matches " + shown(pattern));
    for (const std::string& match : matches) include_file(match, place, is_checked, depth);
    return true;
  }

  void include_file(const std::string& path, Place place, bool is_checked, int depth) {
    if (files_ == kFilesMax) {
      report_.error(place, fmt::format("more than {} files are included", kFilesMax));
      is_over_ = true;
    }
    if (is_over_) return;
    const auto content = machine_.read(path, kFileSizeBytesMax + 1);
    if (!content) {
      missing(place, is_checked, fmt::format("{} {}", shown(path), content.error().message()));
      return;
    }
    read_file(path, *content, depth + 1);
  }

  /// A plain include that finds nothing is fine for keepalived; the checked forms are not.
  void missing(Place place, bool is_checked, std::string text) {
    report_.add(place, is_checked ? vrrp::Severity::kError : vrrp::Severity::kNote,
                std::move(text));
  }

  /// Counts work; false once there was too much of it.
  bool charge(std::size_t size_bytes, Place place) {
    if (is_over_) return false;
    work_ += std::max(size_bytes, kExpansionCostMin);
    if (work_ <= kExpansionSizeBytesMax) return true;
    report_.error(place,
                  "expands to too much: definitions, sequences and includes may produce "
                  "16 MiB at most");
    is_over_ = true;
    return false;
  }

  /// Conditions, sequences and definitions of one line, in this order, until only words are left.
  void process(std::string line, Place place, int depth) {
    if (depth > kExpansionDepthMax) {
      if (!is_over_) report_.error(place, "definitions and sequences are nested too deeply");
      is_over_ = true;
      return;
    }
    while (charge(line.size(), place)) {
      line = trimmed(line);
      if (line.empty()) return;
      if (line.front() == '@') {
        if (!pass_condition(line)) return;
        continue;
      }
      if (is_sequence(line)) {
        repeat(line, place, depth);
        return;
      }
      if (const auto name = definition_name(line)) {
        definitions_[std::string{*name}] = trimmed(std::string_view{line}.substr(name->size() + 2));
        return;
      }
      const auto use = find_use(line, [this](std::string_view name) { return value_of(name); });
      if (!use) {
        emit(line, place);
        return;
      }
      if (use->value.find('\n') == std::string::npos) {
        line.replace(use->begin, use->size, use->value);
        continue;
      }
      line.replace(use->begin, use->size, use->value);
      for_each_line(line, place, depth);
      return;
    }
  }

  void for_each_line(const std::string& text, Place place, int depth) {
    std::size_t at = 0;
    while (at <= text.size() && !is_over_) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string line{trimmed(std::string_view{text}.substr(at, end - at))};
      if (!line.empty() && line.back() == '\\') line.pop_back();
      at = end + 1;
      if (!line.empty()) process(std::move(line), place, depth + 1);
    }
  }

  /// Takes "@name" or "@^name" away; false if the line is not for this configuration's id.
  bool pass_condition(std::string& line) const {
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    const bool is_negated = line.size() > 1 && line[1] == '^';
    const std::size_t begin = is_negated ? 2 : 1;
    const bool is_ours = std::string_view{line}.substr(begin, end - begin) == config_id_;
    line.erase(0, end);
    return is_ours != is_negated;
  }

  void repeat(const std::string& line, Place place, int depth) {
    const auto sequence = parse_sequence(line, definitions_);
    if (!sequence) {
      report_.error(place, sequence.error());
      return;
    }
    // Put back afterwards: the variables belong to this line.
    std::map<std::string, std::string> before;
    for (const std::string& variable : sequence->variables) {
      const auto old = definitions_.find(variable);
      if (old != definitions_.end()) before.insert(*old);
    }
    const auto one_round = [&](const std::vector<std::string>& values) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        definitions_[sequence->variables[i]] = values[i];
      }
      process(sequence->rest, place, depth + 1);
      return !is_over_;
    };
    for_each_round(*sequence, one_round);
    for (const std::string& variable : sequence->variables) definitions_.erase(variable);
    definitions_.merge(before);
  }

  [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const {
    if (name == "_PWD") return directory_;
    if (name == "_INSTANCE") return config_id_;
    if (name == "_HASH") return "#";
    if (name == "_BANG") return "!";
    const auto found = definitions_.find(std::string{name});
    if (found == definitions_.end()) return std::nullopt;
    return found->second;
  }

  void emit(const std::string& line, Place place) {
    if (!split_words(line, place, tokens_)) report_.error(place, "a double quote is not closed");
    tokens_.push_back({Token::Kind::kEnd, "", "", place});
    if (tokens_.size() > kTokensMax && !is_over_) {
      report_.error(place, fmt::format("more than {} words", kTokensMax));
      is_over_ = true;
    }
  }

  std::string config_id_;
  const Machine& machine_;
  Report& report_;
  std::vector<Token> tokens_;
  std::map<std::string, std::string> definitions_;
  std::string directory_;  ///< of the file that is being read
  bool include_is_checked_ = false;
  std::size_t files_ = 0;
  std::size_t work_ = 0;
  bool is_over_ = false;
};

}  // namespace

std::vector<Token> read_lines(const std::string& path, const std::string& content,
                              const std::string& config_id, const Machine& machine,
                              Report& report) {
  LineReader reader{config_id, machine, report};
  reader.read_file(path, content, 0);
  return reader.take();
}

}  // namespace ha::keepalived
