#include "vrrpd/settings/source.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace ha::config;

namespace {

/// The tree as text: scalars in quotes, every value with its place.
[[nodiscard]] std::string outline(const Node& node) {
  std::string text =
      std::to_string(node.position.line) + ":" + std::to_string(node.position.column) + " ";
  switch (node.kind) {
    case Node::Kind::kEmpty:
      return text + "empty";
    case Node::Kind::kRefused:
      return text + "refused";
    case Node::Kind::kScalar:
      return text + "'" + node.text + "'";
    case Node::Kind::kList:
      text += "[";
      for (const Node& item : node.items) text += " " + outline(item);
      return text + " ]";
    case Node::Kind::kMap:
      text += "{";
      for (const Entry& entry : node.entries) text += " " + entry.key + "= " + outline(entry.value);
      return text + " }";
  }
  return text;
}

[[nodiscard]] std::string outline(std::string_view text) {
  Diagnostics diagnostics{"f"};
  const std::optional<Node> root = parse(text, diagnostics);
  return root ? outline(*root) : "nothing";
}

}  // namespace

TEST_CASE("every value knows where it stands", "[config]") {
  CHECK(outline("a: 1\nb:\n  - x\n  - {c: 'y z', d: \"\"}\n") ==
        "1:1 { a= 1:4 '1' b= 3:3 [ 3:5 'x' 4:5 { c= 4:9 'y z' d= 4:19 '' } ] }");
}

TEST_CASE("scalars stay the text they are in the file", "[config]") {
  CHECK(outline("[010, 0x1F, yes, 1e3, 1:20, 2026-01-01, .inf]") ==
        "1:1 [ 1:2 '010' 1:7 '0x1F' 1:13 'yes' 1:18 '1e3' 1:23 '1:20' 1:29 '2026-01-01' 1:41 "
        "'.inf' ]");
}

TEST_CASE("an empty value stands where its key does, or its list", "[config]") {
  CHECK(outline("a:\nb: ~\nc: [null]\nd:\n  -\n  - x\n") ==
        "1:1 { a= 1:1 empty b= 2:1 empty c= 3:4 [ 3:4 empty ] d= 5:3 [ 5:3 empty 6:5 'x' ] }");
}

TEST_CASE("what was refused is marked, and the rest of the file is still there", "[config]") {
  CHECK(outline("a: &x 1\nb: *x\nc: !t [5]\nd: 2\nd: {e: 3}\n? [f]\n: {g: 4}\nh: 5\n") ==
        "1:1 { a= 1:4 '1' b= 2:4 refused c= 3:4 refused d= 4:4 '2' h= 8:4 '5' }");
}

TEST_CASE("values of many bytes in a character are text, broken ones are not", "[config]") {
  CHECK(outline("a: äöü€😀") == "1:1 { a= 1:4 'äöü€😀' }");
  for (const char* bytes :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x7f", "\x1b", "\xc2\x80"}) {
    Diagnostics diagnostics{"f"};
    CHECK_FALSE(parse("a: " + std::string{bytes} + "x", diagnostics).has_value());
    REQUIRE(diagnostics.in_file_order().size() == 1);
    CHECK(diagnostics.in_file_order()[0].column == 4);
  }
}

TEST_CASE("tabs are refused where they would be indentation only", "[config]") {
  CHECK(outline("\t# a comment\na:\t1\t# x\n\t\nb: 2\n") == "2:1 { a= 2:4 '1' b= 4:4 '2' }");
  CHECK(outline("a:\n \tb: 1\n") == "nothing");
}
