#include "vrrpd/kernel/macvlan.hpp"

#include "tests/support/catch.hpp"

namespace ha::vrrp {
namespace {

TEST_CASE("what is noted on a macvlan is read back", "[kernel]") {
  const ArpBehaviour before{1, 0, 255};
  CHECK(note_of(before) ==
        "vrrpd, of an interface with arp_ignore=1 arp_filter=0 arp_announce=255");
  CHECK(read_note(note_of(before)) == before);
}

TEST_CASE("no other alias is taken for a note", "[kernel]") {
  const std::string note = note_of({1, 2, 3});
  for (std::size_t size = 0; size < note.size(); ++size) {
    CHECK_FALSE(read_note(note.substr(0, size)));
  }
  for (const std::string& alias :
       {note + " ", "x" + note, std::string{"vrrpd"}, std::string{"uplink of vrrpd"},
        std::string{"vrrpd, of an interface with arp_ignore=256 arp_filter=0 arp_announce=0"},
        std::string{"vrrpd, of an interface with arp_ignore=-1 arp_filter=0 arp_announce=0"},
        std::string{"vrrpd, of an interface with arp_ignore= arp_filter=0 arp_announce=0"}}) {
    INFO(alias);
    CHECK_FALSE(read_note(alias));
  }
}

}  // namespace
}  // namespace ha::vrrp
