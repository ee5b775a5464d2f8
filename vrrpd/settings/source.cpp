#include "vrrpd/settings/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "ha/check.hpp"

namespace ha::config {
namespace {

/// Marks count from 0, positions from 1.
[[nodiscard]] Position position_of(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

/// The length of the character that starts `text` if it is valid UTF-8 (Unicode 15, table 3-7) and
/// no control character, otherwise 0.
[[nodiscard]] std::size_t clean_character_size_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  if (first < 0xc2) return 0;
  if (first < 0xe0) {
    // U+0080 to U+009F are control characters, too.
    return continues(1) && (first > 0xc2 || byte(1) >= 0xa0) ? 2 : 0;
  }
  if (first < 0xf0) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  const bool overlong = first == 0xf0 && byte(1) < 0x90;
  const bool too_high = first > 0xf4 || (first == 0xf4 && byte(1) >= 0x90);
  return continues(1) && continues(2) && continues(3) && !overlong && !too_high ? 4 : 0;
}

[[nodiscard]] bool is_clean(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = clean_character_size_bytes(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

/// `text` with a question mark for every byte that a terminal or JSON could not carry: yaml-cpp
/// quotes single bytes.
[[nodiscard]] std::string cleaned(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t size = clean_character_size_bytes(text);
    result += size == 0 ? "?" : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return result;
}

/// Reports lines that yaml-cpp would misread: it takes byte 4 for the end of the file, guesses at
/// UTF-16, and gives puzzling answers about tabs. Returns whether there were none.
[[nodiscard]] bool check_line(std::string_view line, int number, Diagnostics& diagnostics) {
  const std::size_t start = line.find_first_not_of(" \t");
  const std::size_t tab = line.find('\t');
  if (start != std::string_view::npos && tab < start && line[start] != '#') {
    diagnostics.error({number, static_cast<int>(tab) + 1}, "a tab in the indentation; use spaces");
    return false;
  }
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t size = line[i] == '\t' ? 1 : clean_character_size_bytes(line.substr(i));
    if (size == 0) {
      diagnostics.error({number, static_cast<int>(i) + 1},
                        fmt::format("byte 0x{:02x} is no text: the file has to be UTF-8 without "
                                    "control characters",
                                    static_cast<unsigned char>(line[i])));
      return false;
    }
    i += size;
  }
  return true;
}

[[nodiscard]] bool check_text(std::string_view text, Diagnostics& diagnostics) {
  bool clean = true;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    clean = check_line(line, number, diagnostics) && clean;
  }
  return clean;
}

/// Ends the parsing from inside a callback; never leaves parse().
struct NestedTooDeeply : std::runtime_error {
  explicit NestedTooDeeply(Position where)
      : std::runtime_error{"nested too deeply"}, position{where} {}
  Position position;
};

/// Builds the tree from yaml-cpp's events. The events say which texts were quoted or tagged and
/// where everything stands, which yaml-cpp's own tree forgets; it also follows aliases and drops
/// duplicate keys without a word.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Diagnostics& diagnostics) : diagnostics_{diagnostics} {}

  [[nodiscard]] std::optional<Node> take_root() { return std::move(root_); }
  [[nodiscard]] bool has_second_document() const { return documents_ > 1; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 2) {
      diagnostics_.error(position_of(mark),
                         "the file has to be one document, and it ends before this");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    Node node = node_at(Node::Kind::kEmpty, mark);
    // yaml-cpp's mark is that of whatever comes next.
    if (!open_.empty()) {
      const Open& parent = open_.back();
      node.position = parent.key ? parent.key->position : parent.node.position;
    }
    close(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    diagnostics_.error(position_of(mark), "aliases are not accepted");
    close(node_at(Node::Kind::kRefused, mark));
  }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    diagnostics_.error(position_of(mark), "anchors are not accepted");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    Node node = node_at(Node::Kind::kScalar, mark);
    if (!check_tag(mark, tag)) {
      node.kind = Node::Kind::kRefused;
    } else if (!is_clean(value)) {
      diagnostics_.error(position_of(mark),
                         "a value with a line break or another control character");
      node.kind = Node::Kind::kRefused;
    } else {
      node.text = value;
    }
    close(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(Node::Kind::kList, mark, tag);
  }
  void OnSequenceEnd() override { close_innermost(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(Node::Kind::kMap, mark, tag);
  }
  void OnMapEnd() override { close_innermost(); }

 private:
  /// A list or map whose end has not been seen.
  struct Open {
    Node node;
    bool refused = false;
    /// Of a map: the key whose value comes next; and whether to forget that value, since the key
    /// was refused.
    std::optional<Entry> key;
    bool forget_value = false;
    std::map<std::string, Position> keys_seen;
  };

  [[nodiscard]] static Node node_at(Node::Kind kind, const YAML::Mark& mark) {
    Node node;
    node.kind = kind;
    node.position = position_of(mark);
    return node;
  }

  /// "?" is no tag, "!" what yaml-cpp calls a quoted text.
  [[nodiscard]] bool check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return true;
    diagnostics_.error(position_of(mark), "tags are not accepted");
    return false;
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (open_.size() == kNestingMax) throw NestedTooDeeply{position_of(mark)};
    Open started;
    started.node = node_at(kind, mark);
    started.refused = !check_tag(mark, tag);
    open_.push_back(std::move(started));
  }

  void close_innermost() {
    HA_CHECK(!open_.empty());
    Open ended = std::move(open_.back());
    open_.pop_back();
    if (ended.refused) ended.node.kind = Node::Kind::kRefused;
    close(std::move(ended.node));
  }

  /// Gives a complete node to the list or map it belongs to.
  void close(Node node) {
    if (documents_ > 1) return;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kList) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.key) {
      start_entry(parent, std::move(node));
    } else {
      parent.key->value = std::move(node);
      if (!parent.forget_value) parent.node.entries.push_back(std::move(*parent.key));
      parent.key.reset();
    }
  }

  void start_entry(Open& parent, Node key) {
    parent.key = Entry{key.text, key.position, {}};
    parent.forget_value = true;
    if (key.kind == Node::Kind::kRefused) return;
    if (key.kind != Node::Kind::kScalar) {
      diagnostics_.error(key.position, "a key has to be a single word");
      return;
    }
    const auto [seen, is_new] = parent.keys_seen.emplace(key.text, key.position);
    if (!is_new) {
      diagnostics_.error(key.position, fmt::format("key {} is already given at line {}",
                                                   shown(key.text), seen->second.line));
      return;
    }
    parent.forget_value = false;
  }

  Diagnostics& diagnostics_;
  int documents_ = 0;
  std::vector<Open> open_;
  std::optional<Node> root_;
};

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

Result<std::string> read_text(const std::filesystem::path& path, FileKind kind) {
  const int wait_for_nobody = kind == FileKind::kPlain ? O_NONBLOCK : 0;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | wait_for_nobody);
  if (descriptor < 0) return failure(errno, "cannot be read");
  const std::unique_ptr<std::FILE, FileCloser> file{::fdopen(descriptor, "r")};
  if (!file) {
    const int reason = errno;
    ::close(descriptor);
    return failure(reason, "cannot be read");
  }
  struct stat found {};
  if (::fstat(descriptor, &found) != 0) return failure(errno, "cannot be read");
  if (kind == FileKind::kPlain && !S_ISREG(found.st_mode)) {
    return tl::unexpected{Error{{}, "is not a plain file"}};
  }
  // One byte more than is accepted, so that parse() sees what is too large.
  std::string content(kTextSizeBytesMax + 1, '\0');
  content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failure(errno, "cannot be read");
  return content;
}

std::optional<Node> parse(std::string_view text, Diagnostics& diagnostics) {
  if (text.size() > kTextSizeBytesMax) {
    diagnostics.error({}, "is larger than 1 MiB");
    return std::nullopt;
  }
  if (!check_text(text, diagnostics)) return std::nullopt;

  TreeBuilder builder{diagnostics};
  try {
    std::istringstream stream{std::string{text}};
    YAML::Parser parser{stream};
    // Not to the end of the file: at a stray comma yaml-cpp starts one document after the other.
    while (parser.HandleNextDocument(builder) && !builder.has_second_document()) {
    }
  } catch (const NestedTooDeeply& stop) {
    diagnostics.error(stop.position, fmt::format("nested deeper than {} levels", kNestingMax));
    return std::nullopt;
  } catch (const YAML::Exception& refusal) {
    diagnostics.error(position_of(refusal.mark), "not valid YAML: " + cleaned(refusal.msg));
    return std::nullopt;
  } catch (const std::exception& refusal) {
    diagnostics.error({}, "not valid YAML: " + cleaned(refusal.what()));
    return std::nullopt;
  }
  std::optional<Node> root = builder.take_root();
  if (!root || root->kind == Node::Kind::kEmpty) {
    diagnostics.error({}, "is empty");
    return std::nullopt;
  }
  return root;
}

}  // namespace ha::config
