// Everything gluster-sync reads back from a volume or its own disk: what another machine, or a
// disk, has made of it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ha/check.hpp"
#include "sync/delta.hpp"
#include "sync/manifest.hpp"
#include "sync/mounts.hpp"
#include "sync/records.hpp"
#include "sync/role.hpp"

using namespace ha::sync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what a file holds
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (const auto manifest = parse_manifest(text)) {
    const auto again = parse_manifest(to_text(*manifest, Stamps::kWith));
    HA_CHECK(again && digest_of(*again) == digest_of(*manifest));
  }
  if (const auto delta = parse_delta(text)) {
    const auto again = parse_delta(to_text(*delta));
    HA_CHECK(again && *again == *delta);
    static_cast<void>(moves_for(*delta));
  }
  if (const auto head = parse_head(text)) HA_CHECK(parse_head(to_text(*head)) == *head);
  if (const auto claim = parse_claim(text)) HA_CHECK(parse_claim(to_text(*claim)) == *claim);
  if (const auto pulse = parse_pulse(text)) HA_CHECK(parse_pulse(to_text(*pulse)) == *pulse);
  std::string_view rest = text;
  static_cast<void>(parse_base(rest));
  static_cast<void>(mount_of("/var/jenkins", parse_mountinfo(text)));
  std::string why;
  static_cast<void>(role_in(text, "VI_MAIN", why));
  return 0;
}
