/// What `gluster … --xml` says. Pure: any bytes in, counters out; what the answer does not say is
/// unknown, and never 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace ha::sync {

/// Longer answers are refused.
inline constexpr std::size_t kXmlSizeBytesMax = std::size_t{8} * 1024 * 1024;

struct HealCounts {
  std::optional<std::uint64_t> pending;
  std::optional<std::uint64_t> split_brain;

  friend bool operator==(const HealCounts&, const HealCounts&) = default;
};

struct UpCount {
  std::uint32_t up = 0;
  std::uint32_t all = 0;

  friend bool operator==(const UpCount&, const UpCount&) = default;
};

/// Of one volume; what could not be found out is unknown.
struct ClusterView {
  HealCounts heal;
  std::optional<UpCount> bricks;
  std::optional<UpCount> peers;
  std::string text;  ///< the first reason why something is unknown; empty: nothing is

  friend bool operator==(const ClusterView&, const ClusterView&) = default;
};

/// "1 of 3 bricks are not online, 2 files are in split-brain"; empty: all is well, or unknown.
[[nodiscard]] std::string what_is_wrong(const ClusterView& view);

template <class T>
using ParsedXml = tl::expected<T, std::string>;

/// Of `volume heal VOLUME info summary`. Bricks list the same entries, so the largest number
/// counts; unknown as soon as one brick says none.
[[nodiscard]] ParsedXml<HealCounts> parse_heal_summary(std::string_view xml);

/// The bricks in `volume status VOLUME`.
[[nodiscard]] ParsedXml<UpCount> parse_bricks(std::string_view xml);

/// Of `volume info VOLUME`.
struct Replicas {
  std::uint64_t replicas = 0;
  std::uint64_t arbiters = 0;

  friend bool operator==(const Replicas&, const Replicas&) = default;
};
[[nodiscard]] ParsedXml<Replicas> parse_replicas(std::string_view xml);

/// The other machines in `peer status`.
[[nodiscard]] ParsedXml<UpCount> parse_peers(std::string_view xml);

}  // namespace ha::sync
