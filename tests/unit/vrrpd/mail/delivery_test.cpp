#include "vrrpd/mail/delivery.hpp"

#include "tests/support/catch.hpp"

namespace ha::mail {
namespace {

TEST_CASE("an outcome survives the way through a child's answer", "[mail]") {
  for (const Outcome& outcome :
       {Outcome{0, "Connection refused"}, Outcome{3, ""}, Outcome{7, "a b"}}) {
    CHECK(parse_outcome(to_text(outcome)) == outcome);
  }
}

TEST_CASE("an answer that is none is trouble", "[mail]") {
  for (const std::string text : {"", "x", "3", "-1 a", "99999999999999999999999 a"}) {
    CHECK(parse_outcome(text) == Outcome{0, "ended without a word"});
  }
}

}  // namespace
}  // namespace ha::mail
