// Everything gluster-sync is told while it runs: by the gluster command, by its own children, and
// by whoever asks for a page.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ha/check.hpp"
#include "sync/glance.hpp"
#include "sync/gluster_xml.hpp"
#include "sync/job.hpp"
#include "sync/meta.hpp"
#include "sync/rsync.hpp"
#include "sync/server.hpp"

using namespace ha::sync;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are what an answer holds
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  static_cast<void>(parse_heal_summary(text));
  static_cast<void>(parse_bricks(text));
  static_cast<void>(parse_peers(text));
  static_cast<void>(parse_replicas(text));
  BrickView view;
  add_translator("gv0-client-0", text, view);
  add_translator("gv0-replicate-0", text, view);
  HA_CHECK(view.connected <= view.bricks);
  if (const auto glance = parse_glance(text)) {
    const auto again = parse_glance(to_json(*glance));
    HA_CHECK(again && again->targets.size() == glance->targets.size());
  }
  if (const auto order = parse_order(text)) {
    const auto again = parse_order(to_json(*order));
    HA_CHECK(again && again->changed == order->changed);
  }
  static_cast<void>(parse_job_word(text));
  if (const auto copied = parse_copied(text)) HA_CHECK(!copied->path.empty());
  const Pages pages{[] { return std::string{}; }, [] { return std::string{}; }};
  HA_CHECK(http_answer(text, pages).substr(0, 9) == "HTTP/1.1 ");
  return 0;
}
