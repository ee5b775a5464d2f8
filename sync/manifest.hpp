/// What a tree holds: every file, directory and symbolic link below a root, with what can be told
/// about it without reading it twice. Pure; scan.hpp makes one from a directory.
///
/// The text form is one line an entry, fields separated by tabs, paths last and escaped, in the
/// order of the paths' bytes. Its digest names a whole state of a tree.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace ha::sync {

enum class Kind : std::uint8_t { kFile, kDirectory, kSymlink };

/// A state of a file's content, in 32 hexadecimal digits (XXH3, 128 bits); empty: not known.
using Digest = std::string;

/// Whether it has the form of one.
[[nodiscard]] bool is_digest(std::string_view text);

/// By what a later scan sees that a local file was not touched. 0: not known; a negative time: not
/// to be relied on, since the file was looked at in the tick of the clock in which it was changed.
struct Stamp {
  std::uint64_t inode = 0;
  std::int64_t ctime_ns = 0;

  /// Whether a file with this stamp shows no change since it had `other`.
  [[nodiscard]] bool shows_same(const Stamp& other) const {
    const auto shown = [](std::int64_t time) { return time < 0 ? -time : time; };
    return inode == other.inode && shown(ctime_ns) == shown(other.ctime_ns);
  }

  friend bool operator==(const Stamp&, const Stamp&) = default;
};

struct Entry {
  Kind kind = Kind::kFile;
  std::uint32_t mode = 0;  ///< permission bits, 07777; 0777 of a symbolic link
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t size_bytes = 0;  ///< of a file; 0 otherwise
  std::int64_t mtime_ns = 0;     ///< of a file, since 1970; 0 otherwise
  Digest digest;                 ///< of a file
  std::string link;              ///< what a symbolic link points to
  Stamp stamp;                   ///< this machine's own; no part of the comparison

  /// Whether a reader of the tree would see any difference. Digests count where both are known.
  [[nodiscard]] bool same_as(const Entry& other) const;
};

/// By path: relative, '/' between the parts, no "." or "..", any bytes but NUL. The root itself is
/// kRoot; of it only mode and owner count.
using Manifest = std::map<std::string, Entry, std::less<>>;

inline constexpr std::string_view kRoot = ".";

/// Whether there is nothing but the root.
[[nodiscard]] bool holds_nothing(const Manifest& manifest);

/// How many files a manifest has, and their size.
struct Totals {
  std::uint64_t files = 0;
  std::uint64_t size_bytes = 0;

  friend bool operator==(const Totals&, const Totals&) = default;
};
[[nodiscard]] Totals totals_of(const Manifest& manifest);

enum class Stamps : std::uint8_t { kWithout, kWith };

/// One line with its end, behind what `into` has.
void append_line(const std::string& path, const Entry& entry, Stamps stamps, std::string& into);

/// Any bytes; a refusal says what is wrong with the line.
[[nodiscard]] tl::expected<std::pair<std::string, Entry>, std::string> parse_line(
    std::string_view line);

/// All lines and a last one that counts them, so that a cut file is recognised.
[[nodiscard]] std::string to_text(const Manifest& manifest, Stamps stamps);
[[nodiscard]] tl::expected<Manifest, std::string> parse_manifest(std::string_view text);

/// The digest of to_text() without stamps.
[[nodiscard]] Digest digest_of(const Manifest& manifest);
/// The digest of these bytes.
[[nodiscard]] Digest digest_of(std::string_view bytes);

/// Whether `path` may be a key of a manifest: bounded, relative, clean, and not the reserved name.
[[nodiscard]] bool is_acceptable_path(std::string_view path);

/// The name, in the root of a source or a target, that is ours.
inline constexpr std::string_view kReserved = ".gluster-sync";

/// Path bytes that a line can carry: control characters and backslashes as \xHH.
[[nodiscard]] std::string escaped(std::string_view text);
[[nodiscard]] tl::expected<std::string, std::string> unescaped(std::string_view text);

/// The text up to the next tab, which is taken off `rest`.
[[nodiscard]] std::string_view next_field(std::string_view& rest);

}  // namespace ha::sync
