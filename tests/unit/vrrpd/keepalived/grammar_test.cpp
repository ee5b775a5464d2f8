#include <algorithm>

#include "tests/unit/vrrpd/keepalived/fake_machine.hpp"
#include "vrrpd/keepalived/blocks.hpp"

namespace ha::keepalived {
namespace {

/// The statements of a text, one a line, blocks in braces: "a b{c;d}".
std::string outline(const std::vector<Statement>& statements) {
  std::string text;
  for (const Statement& statement : statements) {
    if (!text.empty()) text += ';';
    for (const std::string& word : statement.words) {
      text += (&word == &statement.words.front() ? "" : " ") + word;
    }
    if (statement.has_block) text += "{" + outline(statement.block) + "}";
  }
  return text;
}

struct Read {
  std::string outline;
  std::vector<std::string> problems;
};

Read read(const std::string& text, const FakeMachine& machine = {}) {
  Report report;
  const auto tokens = read_lines("/etc/k.conf", text, "main", machine, report);
  Read result{outline(read_blocks(tokens, report)), {}};
  for (const auto& diagnostic : report.diagnostics())
    result.problems.push_back(to_string(diagnostic));
  return result;
}

std::string outline_of(const std::string& text, const FakeMachine& machine = {}) {
  const Read result = read(text, machine);
  CHECK(result.problems == std::vector<std::string>{});
  return result.outline;
}

std::vector<std::string> problems_of(const std::string& text, const FakeMachine& machine = {}) {
  return read(text, machine).problems;
}

TEST_CASE("a block may open and close wherever it likes", "[keepalived]") {
  CHECK(outline_of("a b {\n c d\n}\n") == "a b{c d}");
  CHECK(outline_of("a b\n{\n c d }\ne") == "a b{c d};e");
  CHECK(outline_of("a { b { c } d }") == "a{b{c};d}");
  CHECK(outline_of("a{ b }") == "a{b}");
  CHECK(outline_of("a {}") == "a{}");
  CHECK(outline_of("a {\n}\r\nb\r\n") == "a{};b");
  CHECK(outline_of("") == "");
}

TEST_CASE("comments start with # or ! wherever they stand, except in quotes", "[keepalived]") {
  CHECK(outline_of("# all\na b # rest\n! all\nc d!rest\ne \"f # g ! h\"") == "a b;c d;e f # g ! h");
}

TEST_CASE("double quotes join words, and single quotes mean nothing outside commands",
          "[keepalived]") {
  CHECK(outline_of(R"(a "b c" d"e f"g 'h i')") == "a b c de fg 'h i'");
  CHECK(outline_of(R"(a "b { c }")") == "a b { c }");
  CHECK(problems_of("a \"b\nc") ==
        std::vector<std::string>{"/etc/k.conf:1: error: a double quote is not closed"});
}

TEST_CASE("a command is split at blanks outside both kinds of quotes, with escapes",
          "[keepalived]") {
  using Words = std::vector<std::string>;
  CHECK(split_command(R"(/bin/echo 'a b' "c d" e\ f)") == Words{"/bin/echo", "a b", "c d", "e f"});
  CHECK(split_command(R"(a\tb\x41\101\cA\\)") == Words{"a\tbAA\x01\\"});
  CHECK(split_command("  ") == Words{});
  CHECK(split_command("a ''") == Words{"a", ""});
  CHECK(split_command("a 'b") == std::nullopt);
  CHECK(split_command("a\\") == Words{"a\\"});
}

TEST_CASE("what does not nest is an error at its line", "[keepalived]") {
  CHECK(problems_of("a {\nb {\n}\n") ==
        std::vector<std::string>{"/etc/k.conf:1: error: the block 'a' has no '}'"});
  CHECK(problems_of("a\n}\n") ==
        std::vector<std::string>{"/etc/k.conf:2: error: '}' without a block that it could end"});
  CHECK(problems_of("{ a }") ==
        std::vector<std::string>{"/etc/k.conf:1: error: '{' without a keyword before it"});
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "a {\n";
  for (int i = 0; i < 17; ++i) deep += "}\n";
  CHECK(problems_of(deep) ==
        std::vector<std::string>{"/etc/k.conf:17: error: blocks are nested deeper than 16"});
}

TEST_CASE("a line of another configuration id is left out", "[keepalived]") {
  CHECK(outline_of("@main a\n@other b\n@^main c\n@^other d\n@main @^other e") == "a;d;e");
}

TEST_CASE("a definition is replaced where it is used, again and again", "[keepalived]") {
  CHECK(outline_of("$A=1\n$B=${A}2\na $A ${A}b $B\n$A=3\nc $B") == "a 1 1b 12;c 32");
  CHECK(outline_of("$IF=@other\n$IF a\n$IF=@main\n$IF b") == "b");
  CHECK(outline_of("@other $A=1\n@main $A=2\na $A") == "a 2");
  CHECK(outline_of("$Q=\"a b\"\nc $Q") == "c a b");
  CHECK(outline_of("$E=\na $E b") == "a b");
}

TEST_CASE("what is not defined stays as it is", "[keepalived]") {
  CHECK(outline_of("a ${STATE} $X $ b") == "a ${STATE} $X $ b");
}

TEST_CASE("a definition of several lines may hold blocks and other definitions", "[keepalived]") {
  CHECK(outline_of("$V= \\\n a ${N} { \\\n b \\\n\n } \\\n c\n$N=1\n$V\n$N=2\n$V") ==
        "a 1{b};c;a 2{b};c");
  CHECK(outline_of("$V=\\\n$N=7 \\\na $N\n$V") == "a 7");
}

TEST_CASE("a sequence repeats its line", "[keepalived]") {
  CHECK(outline_of("~SEQ(N, 1, 3) a $N") == "a 1;a 2;a 3");
  CHECK(outline_of("~SEQ(N, 2) a $N") == "a 1;a 2");
  CHECK(outline_of("~SEQ(N, -2) a $N") == "a -1;a -2");
  CHECK(outline_of("~SEQ(N, 3, 1) a $N") == "a 3;a 2;a 1");
  CHECK(outline_of("~SEQ(N, 0, 5, 10) a $N") == "a 0;a 5;a 10");
  CHECK(outline_of("~SEQx(N, 0x8, 4, 0x10) a $N") == "a 8;a c;a 10");
  CHECK(outline_of("~SEQ(A, 1, 2) ~SEQ(B, 1, 2) a $A$B") == "a 11;a 12;a 21;a 22");
  CHECK(outline_of("~LST(A, x, y) a $A") == "a x;a y");
  CHECK(outline_of("~LST({A, B}, {1, 2}, {3, 4}) a $A.$B") == "a 1.2;a 3.4");
  CHECK(outline_of("$N=old\n~SEQ(N, 1, 1) a $N\nb $N") == "a 1;b old");
  CHECK(outline_of("$MAX=2\n~SEQ(N, 1, $MAX) a $N") == "a 1;a 2");
}

TEST_CASE("a sequence that makes no sense is an error", "[keepalived]") {
  CHECK(
      problems_of("~SEQ(N, 1, 0, 3) a\n~SEQ(N) a\n~SEQ(N, x) a\n~SEQ(N, 1\n~LST(A) a\n"
                  "~LST({A, B}, {1}) a\n~SEQ(a b, 2) c") ==
      std::vector<std::string>{
          "/etc/k.conf:1: error: ~SEQ has a step of 0",
          "/etc/k.conf:2: error: ~SEQ needs (NAME, start, step, end), (NAME, start, end) or (NAME, "
          "end)",
          "/etc/k.conf:3: error: ~SEQ has a bound that is not a number of 1-9 digits",
          "/etc/k.conf:4: error: a sequence has no ')'", "/etc/k.conf:5: error: ~LST has no values",
          "/etc/k.conf:6: error: ~LST has 2 variables, but 1 values in its round 1",
          "/etc/k.conf:7: error: a sequence has a variable that is not letters, digits and '_'"});
}

TEST_CASE("the predefined names are the file's folder, the configuration id and two signs",
          "[keepalived]") {
  CHECK(outline_of("a ${_PWD} ${_INSTANCE} ${_HASH}x ${_BANG}y") == "a /etc main #x !y");
}

TEST_CASE("an included file stands in the place of its line, relative to the one that names it",
          "[keepalived]") {
  FakeMachine machine;
  machine.files = {
      {"/etc/conf.d/1", "b {\ninclude more\n}\n"}, {"/etc/conf.d/more", "c ${_PWD}"}, {"/x", "d"}};
  CHECK(outline_of("a\ninclude conf.d/1\ninclude \"/x\"\ne ${_PWD}", machine) ==
        "a;b{c /etc/conf.d};d;e /etc");
  machine.files = {{"/etc/conf.d/1", "one"}, {"/etc/conf.d/2", "two"}};
  CHECK(outline_of("include conf.d/*", machine) == "one;two");
}

TEST_CASE("an include that finds nothing is a note, and an error where a check is asked for",
          "[keepalived]") {
  CHECK(problems_of("include x\nincluder y\ninclude_check match\ninclude z\ninclude_check\ninclude "
                    "a\ninclude\n") ==
        std::vector<std::string>{"/etc/k.conf:1: note: no file matches '/etc/x'",
                                 "/etc/k.conf:2: error: no file matches '/etc/y'",
                                 "/etc/k.conf:4: error: no file matches '/etc/z'",
                                 "/etc/k.conf:6: note: no file matches '/etc/a'",
                                 "/etc/k.conf:7: error: include names no file"});
}

TEST_CASE("a problem in an included file is named with that file", "[keepalived]") {
  FakeMachine machine;
  machine.files = {{"/etc/one", "\n\n}\n"}};
  CHECK(problems_of("include one", machine) ==
        std::vector<std::string>{"/etc/one:3: error: '}' without a block that it could end"});
}

TEST_CASE("files that include themselves end", "[keepalived]") {
  FakeMachine machine;
  machine.files = {{"/etc/one", "include one"}};
  CHECK(problems_of("include one", machine).size() == 1);
  machine.files = {{"/etc/two", "include two\ninclude two"}};
  CHECK_FALSE(problems_of("include two", machine).empty());
}

TEST_CASE("expansions that multiply without end are cut, with one error", "[keepalived]") {
  const std::vector<std::string> endless{
      "/etc/k.conf:2: error: expands to too much: definitions, sequences and includes may produce "
      "16 MiB at most"};
  CHECK(problems_of("$A=$A\n$A") == endless);
  CHECK(problems_of("$A=$A$A\n$A") == endless);
  CHECK(problems_of("\n~SEQ(A,1,99999) ~SEQ(B,1,99999) ~SEQ(C,1,99999) a") ==
        std::vector<std::string>{"/etc/k.conf:2: error: more than 500000 words"});
  CHECK(problems_of("$A=\\\n$A \\\nb\n$A") ==
        std::vector<std::string>{"/etc/k.conf:4: error: definitions and sequences are nested too "
                                 "deeply"});
}

TEST_CASE("a file that is too large is refused", "[keepalived]") {
  CHECK(problems_of(std::string(kFileSizeBytesMax + 1, '\n')) ==
        std::vector<std::string>{"/etc/k.conf: error: is larger than 1048576 bytes"});
}

}  // namespace
}  // namespace ha::keepalived
