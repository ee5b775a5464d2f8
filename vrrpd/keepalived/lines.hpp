/// From the bytes of a keepalived.conf, and of what it includes, to the words of its lines:
/// comments, quoting, includes, `@conditions`, `$definitions` and `~SEQ`/`~LST` are dealt with
/// here, and nothing is known about keywords.
///
/// Total on any bytes, and bounded: in the depth of includes, the size of files and the work that
/// definitions and sequences multiply.
#pragma once

#include <string>
#include <vector>

#include "vrrpd/keepalived/machine.hpp"
#include "vrrpd/keepalived/report.hpp"
#include "vrrpd/keepalived/words.hpp"

namespace ha::keepalived {

inline constexpr std::size_t kFileSizeBytesMax = 1024 * 1024;
inline constexpr std::size_t kFilesMax = 256;
inline constexpr int kIncludeDepthMax = 16;
/// Of everything that is read or produced by expansion, intermediate steps included.
inline constexpr std::size_t kExpansionSizeBytesMax = 16 * 1024 * 1024;
inline constexpr int kExpansionDepthMax = 64;

/// Everything the file and its includes say, in order. `config_id` is what `@` conditions compare
/// with (`-i`).
[[nodiscard]] std::vector<Token> read_lines(const std::string& path, const std::string& content,
                                            const std::string& config_id, const Machine& machine,
                                            Report& report);

}  // namespace ha::keepalived
