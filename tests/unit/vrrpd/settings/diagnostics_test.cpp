#include "vrrpd/settings/diagnostics.hpp"

#include <string>

#include "tests/support/catch.hpp"

using namespace ha::config;

TEST_CASE(
    "diagnostics come in the order of the file, those of one place in the order of their discovery",
    "[config]") {
  Diagnostics diagnostics{"f"};
  diagnostics.error({3, 1}, "fourth");
  diagnostics.warning({2, 9}, "second");
  diagnostics.error({2, 9}, "third");
  diagnostics.error({}, "first");
  std::string order;
  for (const auto& diagnostic : diagnostics.in_file_order()) order += diagnostic.text + " ";
  CHECK(order == "first second third fourth ");
}

TEST_CASE("an error counts even if there was no room for it", "[config]") {
  Diagnostics diagnostics{"f"};
  for (std::size_t i = 0; i < kDiagnosticsMax; ++i) diagnostics.warning({1, 1}, "w");
  CHECK_FALSE(diagnostics.has_errors());
  CHECK(diagnostics.in_file_order().size() == kDiagnosticsMax);
  diagnostics.error({2, 1}, "e");
  CHECK(diagnostics.has_errors());
  REQUIRE(diagnostics.in_file_order().size() == kDiagnosticsMax + 1);
  CHECK(diagnostics.in_file_order().back().severity == Severity::kError);
}

TEST_CASE("values are shown bare if they are measures, else in quotes, and never at full length",
          "[config]") {
  CHECK(shown("300") == "300");
  CHECK(shown("-5") == "-5");
  CHECK(shown("1.5s") == "1.5s");
  CHECK(shown("10.0.0.1/24") == "10.0.0.1/24");
  CHECK(shown("fe80::1/64") == "fe80::1/64");
  CHECK(shown("eth0:1") == "'eth0:1'");
  CHECK(shown("high") == "'high'");
  CHECK(shown("") == "''");
  CHECK(shown(std::string(60, 'x')) == "'" + std::string(60, 'x') + "'");
  CHECK(shown(std::string(61, 'x')) == "'" + std::string(60, 'x') + "…'");
  CHECK(shown(std::string(59, 'x') + "äöü") == "'" + std::string(59, 'x') + "…'");
}

TEST_CASE("a diagnostic names its place as far as it is known, and its grade", "[config]") {
  CHECK(to_string({"f", 3, 7, Severity::kError, "t"}) == "f:3:7: error: t");
  CHECK(to_string({"f", 3, 0, Severity::kNote, "t"}) == "f:3: note: t");
  CHECK(to_string({"f", 0, 0, Severity::kWarning, "t"}) == "f: warning: t");
}
