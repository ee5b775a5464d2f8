#include "sync/gluster_xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>
#include <utility>

#include "sync/records.hpp"

namespace ha::sync {
namespace {

/// The document's root element, after a look at whether the command itself was refused.
[[nodiscard]] ParsedXml<pugi::xml_node> open(pugi::xml_document& document, std::string_view xml) {
  if (xml.size() > kXmlSizeBytesMax) {
    return tl::make_unexpected(fmt::format("is longer than {} bytes", kXmlSizeBytesMax));
  }
  const auto parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    return tl::make_unexpected(
        fmt::format("is no XML: {} at byte {}", parsed.description(), parsed.offset));
  }
  const pugi::xml_node root = document.child("cliOutput");
  if (!root) return tl::make_unexpected(std::string{"has no <cliOutput>"});
  const std::string_view refused = root.child_value("opRet");
  if (refused != "0") {
    const std::string_view why = root.child_value("opErrstr");
    return tl::make_unexpected(
        fmt::format("says that it failed: {}", why.empty() ? "no reason given" : why));
  }
  return root;
}

void keep_largest(std::optional<std::uint64_t>& into, std::string_view text) {
  const auto number = parse_number(text);
  if (!number) {
    into.reset();
  } else if (into) {
    into = std::max(*into, *number);
  }
}

void add(std::string& text, std::string part) {
  text += (text.empty() ? "" : ", ") + std::move(part);
}

}  // namespace

std::string what_is_wrong(const ClusterView& view) {
  std::string text;
  if (view.bricks && view.bricks->up < view.bricks->all) {
    add(text, fmt::format("{} of {} bricks are not online", view.bricks->all - view.bricks->up,
                          view.bricks->all));
  }
  if (view.peers && view.peers->up < view.peers->all) {
    add(text, fmt::format("{} of {} peers are not connected", view.peers->all - view.peers->up,
                          view.peers->all));
  }
  if (view.heal.split_brain.value_or(0) > 0) {
    add(text, fmt::format("{} entries are in split-brain", *view.heal.split_brain));
  }
  return text;
}

ParsedXml<HealCounts> parse_heal_summary(std::string_view xml) {
  pugi::xml_document document;
  const auto root = open(document, xml);
  if (!root) return tl::make_unexpected(root.error());
  const auto bricks = root->child("healInfo").child("bricks").children("brick");
  HealCounts counts;
  if (bricks.begin() == bricks.end()) return counts;
  counts = {0, 0};
  for (const auto& brick : bricks) {
    keep_largest(counts.pending, brick.child_value("numberOfEntriesInHealPending"));
    keep_largest(counts.split_brain, brick.child_value("numberOfEntriesInSplitBrain"));
  }
  return counts;
}

ParsedXml<UpCount> parse_bricks(std::string_view xml) {
  pugi::xml_document document;
  const auto root = open(document, xml);
  if (!root) return tl::make_unexpected(root.error());
  UpCount count;
  for (const auto& volume : root->child("volStatus").child("volumes").children("volume")) {
    for (const auto& node : volume.children("node")) {
      // Daemons of the volume are nodes as well; only a brick has a path.
      if (std::string_view{node.child_value("path")}.substr(0, 1) != "/") continue;
      ++count.all;
      count.up += std::string_view{node.child_value("status")} == "1" ? 1U : 0U;
    }
  }
  return count;
}

ParsedXml<Replicas> parse_replicas(std::string_view xml) {
  pugi::xml_document document;
  const auto root = open(document, xml);
  if (!root) return tl::make_unexpected(root.error());
  const auto volume = root->child("volInfo").child("volumes").child("volume");
  const auto replicas = parse_number(volume.child_value("replicaCount"));
  const auto arbiters = parse_number(volume.child_value("arbiterCount"));
  if (!replicas || !arbiters) return tl::make_unexpected(std::string{"does not count replicas"});
  return Replicas{*replicas, *arbiters};
}

ParsedXml<UpCount> parse_peers(std::string_view xml) {
  pugi::xml_document document;
  const auto root = open(document, xml);
  if (!root) return tl::make_unexpected(root.error());
  UpCount count;
  for (const auto& peer : root->child("peerStatus").children("peer")) {
    ++count.all;
    count.up += std::string_view{peer.child_value("connected")} == "1" ? 1U : 0U;
  }
  return count;
}

}  // namespace ha::sync
