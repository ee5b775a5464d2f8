#include "vrrpd/keepalived/blocks.hpp"

#include <fmt/format.h>

#include <utility>

namespace ha::keepalived {
namespace {

class BlockReader {
 public:
  explicit BlockReader(Report& report) : report_{report} {}

  void read(const Token& token) {
    switch (token.kind) {
      case Token::Kind::kWord:
        add_word(token);
        return;
      case Token::Kind::kEnd:
        finish_line();
        return;
      case Token::Kind::kOpen:
        finish_line();
        open(token.place);
        return;
      case Token::Kind::kClose:
        finish_line();
        close(token.place);
        return;
    }
  }

  [[nodiscard]] std::vector<Statement> finish() {
    finish_line();
    while (open_.size() > 1) {
      const Statement& block = open_.back();
      report_.error(block.place, fmt::format("the block {} has no '}}'", shown(block.keyword())));
      pop();
    }
    return std::move(open_.front().block);
  }

 private:
  void add_word(const Token& token) {
    if (line_.words.empty()) {
      line_.place = token.place;
    } else {
      line_.arguments += token.raw;
    }
    line_.words.push_back(token.text);
  }

  void finish_line() {
    if (line_.words.empty()) return;
    open_.back().block.push_back(std::exchange(line_, {}));
  }

  /// The block belongs to the statement before it, unless that has one already.
  void open(Place place) {
    std::vector<Statement>& before = open_.back().block;
    if (before.empty() || before.back().has_block || open_.size() > kNestingMax) {
      report_.error(place, open_.size() > kNestingMax
                               ? fmt::format("blocks are nested deeper than {}", kNestingMax)
                               : "'{' without a keyword before it");
      // Kept apart, so that its '}' finds it.
      Statement nameless;
      nameless.place = place;
      nameless.words = {"{"};
      open_.push_back(std::move(nameless));
      is_dropped_.push_back(true);
      return;
    }
    Statement statement = std::move(before.back());
    before.pop_back();
    statement.has_block = true;
    open_.push_back(std::move(statement));
    is_dropped_.push_back(false);
  }

  void close(Place place) {
    if (open_.size() == 1) {
      report_.error(place, "'}' without a block that it could end");
      return;
    }
    pop();
  }

  void pop() {
    Statement statement = std::move(open_.back());
    open_.pop_back();
    const bool is_dropped = is_dropped_.back();
    is_dropped_.pop_back();
    if (!is_dropped) open_.back().block.push_back(std::move(statement));
  }

  Report& report_;
  Statement line_;
  /// The file, and the blocks that are open in it.
  std::vector<Statement> open_{1};
  std::vector<bool> is_dropped_;
};

}  // namespace

std::vector<Statement> read_blocks(const std::vector<Token>& tokens, Report& report) {
  BlockReader reader{report};
  for (const Token& token : tokens) reader.read(token);
  return reader.finish();
}

}  // namespace ha::keepalived
