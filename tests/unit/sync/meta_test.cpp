#include "sync/meta.hpp"

#include "tests/support/catch.hpp"

using namespace ha::sync;

TEST_CASE("bricks are counted, and a volume has a quorum if all its replica sets do") {
  BrickView view;
  add_translator("gv0-client-0", "[xlator]\nconnected = 1\nping_timeout = 5\n", view);
  add_translator("gv0-client-1", "[xlator]\nconnected = 0\n", view);
  add_translator("gv0-replicate-0", "child_up[0] = 1\nquorum-type = auto\nup = 1\n", view);
  CHECK(view == BrickView{2, 1, true});
  CHECK(why_not_writable(view).empty());

  add_translator("gv0-replicate-1", "up = 0\n", view);
  add_translator("gv0-replicate-2", "up = 1\n", view);
  CHECK(why_not_writable(view) == "has no quorum: 1 of 2 bricks are connected");
}

TEST_CASE("what the files of a volume do not say is unknown") {
  BrickView view;
  add_translator("gv0-replicate-0", "quorum-type = auto\n", view);
  add_translator("a-client-x", "connected = 1\n", view);
  add_translator("-client-0", "connected = 1\n", view);
  add_translator("client-0", "", view);
  add_translator("", "\n\n = \n", view);
  CHECK(view == BrickView{});
  CHECK(why_not_writable(view).empty());
}

TEST_CASE("a value is that of a whole key") {
  CHECK(value_in("child_up[0] = 0\nup = 1", "up") == "1");
  CHECK(value_in("startup = 0\n", "up").empty());
  CHECK(value_in("up=1\n", "up").empty());
}
