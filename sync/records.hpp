/// The small files that say where a target and a machine's own copy stand. Pure: values to text
/// and back, any bytes accepted. Each is lines of "key value" between a first line that names the
/// kind and a last one, "end".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sync/manifest.hpp"

namespace ha::sync {

/// Nanoseconds since 1970 on the clock of the machine that wrote it. Only ever shown, and compared
/// with times of the same machine.
using WallTime = std::int64_t;

/// A state of a tree, by number: generations rise by one under any epoch.
struct Version {
  std::uint64_t generation = 0;  ///< 0: nothing was committed
  std::uint64_t epoch = 0;

  friend auto operator<=>(const Version&, const Version&) = default;
};

/// The last committed generation of a target.
struct Head {
  Version version;
  std::string node;      ///< who committed it
  WallTime scanned = 0;  ///< when the scan began that it holds
  WallTime committed = 0;
  Digest digest;               ///< of its manifest
  std::uint64_t snapshot = 0;  ///< the generation from whose whole manifest the deltas count
  Totals totals;

  friend bool operator==(const Head&, const Head&) = default;
};

/// The right to write a target. The highest epoch has it, and only who knows its token.
struct Claim {
  std::uint64_t epoch = 0;
  std::string token;  ///< random
  std::string node;
  WallTime claimed = 0;
  std::string reason;

  friend bool operator==(const Claim&, const Claim&) = default;
};

/// "Everything was committed when I last looked", from the writer to the others. They see when it
/// changes, on their own clock.
struct Pulse {
  Version version;
  std::uint64_t count = 0;
  WallTime scanned = 0;
  std::int64_t took_ms = 0;  ///< from the start of the scan to this file

  friend bool operator==(const Pulse&, const Pulse&) = default;
};

/// What this machine's copy was made equal to, in front of its manifest.
struct Base {
  Version version;
  Digest digest;
  std::string target_id;  ///< of the target's sentinel

  friend bool operator==(const Base&, const Base&) = default;
};

template <class T>
using ParsedRecord = tl::expected<T, std::string>;

[[nodiscard]] std::string to_text(const Head& head);
[[nodiscard]] ParsedRecord<Head> parse_head(std::string_view text);
[[nodiscard]] std::string to_text(const Claim& claim);
[[nodiscard]] ParsedRecord<Claim> parse_claim(std::string_view text);
[[nodiscard]] std::string to_text(const Pulse& pulse);
[[nodiscard]] ParsedRecord<Pulse> parse_pulse(std::string_view text);
[[nodiscard]] std::string to_text(const Base& base);
/// Takes the record off `text`, so that what follows it is left.
[[nodiscard]] ParsedRecord<Base> parse_base(std::string_view& text);

/// The name of a staging directory, "12.3" (generation, epoch).
[[nodiscard]] std::string name_of(Version version);
/// Nothing if `name` is none.
[[nodiscard]] ParsedRecord<Version> parse_version(std::string_view name);

/// A whole number without sign or leading zero.
[[nodiscard]] ParsedRecord<std::uint64_t> parse_number(std::string_view text);

}  // namespace ha::sync
