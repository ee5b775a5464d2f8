#include "sync/manifest.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>

namespace ha::sync {
namespace {

constexpr std::size_t kPathSizeBytesMax = 4096;
constexpr std::size_t kDigestSize = 32;
constexpr std::uint32_t kModeMax = 07777;

template <class T>
[[nodiscard]] std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

[[nodiscard]] char letter_of(Kind kind) {
  switch (kind) {
    case Kind::kFile:
      return 'f';
    case Kind::kDirectory:
      return 'd';
    case Kind::kSymlink:
      return 'l';
  }
  return '?';
}

[[nodiscard]] std::optional<Kind> kind_of(std::string_view text) {
  if (text == "f") return Kind::kFile;
  if (text == "d") return Kind::kDirectory;
  if (text == "l") return Kind::kSymlink;
  return std::nullopt;
}

[[nodiscard]] std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

tl::unexpected<std::string> refuse(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

}  // namespace

bool is_digest(std::string_view text) {
  return text.size() == kDigestSize &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool Entry::same_as(const Entry& other) const {
  const bool digests_agree = digest.empty() || other.digest.empty() || digest == other.digest;
  return kind == other.kind && mode == other.mode && uid == other.uid && gid == other.gid &&
         size_bytes == other.size_bytes && mtime_ns == other.mtime_ns && link == other.link &&
         digests_agree;
}

bool holds_nothing(const Manifest& manifest) {
  return manifest.size() <= (manifest.find(kRoot) != manifest.end() ? 1U : 0U);
}

Totals totals_of(const Manifest& manifest) {
  Totals totals;
  for (const auto& [path, entry] : manifest) {
    if (entry.kind != Kind::kFile) continue;
    ++totals.files;
    totals.size_bytes += entry.size_bytes;
  }
  return totals;
}

namespace {

template <class Number>
void append_number(Number value, int base, std::string& into) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  into.append(digits.data(), end);
}

void append_escaped(std::string_view text, std::string& into) {
  const auto needs_escape = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == '\x7f';
  };
  if (std::none_of(text.begin(), text.end(), needs_escape)) {
    into += text;
    return;
  }
  for (const char c : text) {
    if (needs_escape(c)) {
      fmt::format_to(std::back_inserter(into), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      into += c;
    }
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  append_escaped(text, result);
  return result;
}

tl::expected<std::string, std::string> unescaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result += text[i];
      continue;
    }
    if (i + 3 >= text.size() || text[i + 1] != 'x') return refuse("has a broken escape");
    const auto high = hex_digit(text[i + 2]);
    const auto low = hex_digit(text[i + 3]);
    if (!high || !low) return refuse("has a broken escape");
    result += static_cast<char>(*high * 16 + *low);
    i += 3;
  }
  return result;
}

std::string_view next_field(std::string_view& rest) {
  const std::size_t tab = rest.find('\t');
  const std::string_view field = rest.substr(0, tab);
  rest.remove_prefix(tab == std::string_view::npos ? rest.size() : tab + 1);
  return field;
}

bool is_acceptable_path(std::string_view path) {
  if (path == kRoot) return true;
  if (path.empty() || path.size() > kPathSizeBytesMax || path.front() == '/' ||
      path.find('\0') != std::string_view::npos) {
    return false;
  }
  if (path.substr(0, path.find('/')) == kReserved) return false;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == path.size() - 1) return false;
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return true;
}

void append_line(const std::string& path, const Entry& entry, Stamps stamps, std::string& into) {
  into += letter_of(entry.kind);
  into += '\t';
  append_number(entry.mode, 8, into);
  into += '\t';
  append_number(entry.uid, 10, into);
  into += '\t';
  append_number(entry.gid, 10, into);
  into += '\t';
  append_number(entry.size_bytes, 10, into);
  into += '\t';
  append_number(entry.mtime_ns, 10, into);
  into += '\t';
  if (entry.kind == Kind::kSymlink ? entry.link.empty() : entry.digest.empty()) into += '-';
  append_escaped(entry.kind == Kind::kSymlink ? entry.link : entry.digest, into);
  if (stamps == Stamps::kWith) {
    into += '\t';
    append_number(entry.stamp.inode, 10, into);
    into += '\t';
    append_number(entry.stamp.ctime_ns, 10, into);
    into += '\t';
  } else {
    into += "\t-\t-\t";
  }
  append_escaped(path, into);
  into += '\n';
}

tl::expected<std::pair<std::string, Entry>, std::string> parse_line(std::string_view line) {
  std::string_view rest = line;
  const auto kind = kind_of(next_field(rest));
  const auto mode = number<std::uint32_t>(next_field(rest), 8);
  const auto uid = number<std::uint32_t>(next_field(rest));
  const auto gid = number<std::uint32_t>(next_field(rest));
  const auto size = number<std::uint64_t>(next_field(rest));
  const auto mtime = number<std::int64_t>(next_field(rest));
  const std::string_view content = next_field(rest);
  const std::string_view inode_text = next_field(rest);
  const std::string_view ctime_text = next_field(rest);
  if (!kind || !mode || *mode > kModeMax || !uid || !gid || !size || !mtime) {
    return refuse("is not an entry");
  }
  Entry entry{*kind, *mode, *uid, *gid, *size, *mtime, {}, {}, {}};
  if (*kind == Kind::kSymlink) {
    auto link = unescaped(content);
    if (!link || link->empty()) return refuse("has a broken link");
    entry.link = std::move(*link);
  } else if (content != "-") {
    if (*kind != Kind::kFile || !is_digest(content)) return refuse("has a broken digest");
    entry.digest = content;
  }
  if (inode_text != "-" || ctime_text != "-") {
    const auto inode = number<std::uint64_t>(inode_text);
    const auto ctime = number<std::int64_t>(ctime_text);
    if (!inode || !ctime) return refuse("has a broken stamp");
    entry.stamp = {*inode, *ctime};
  }
  auto path = unescaped(rest);
  if (!path || !is_acceptable_path(*path)) return refuse("has a path that cannot be");
  return std::pair{std::move(*path), std::move(entry)};
}

std::string to_text(const Manifest& manifest, Stamps stamps) {
  std::string text;
  for (const auto& [path, entry] : manifest) {
    append_line(path, entry, stamps, text);
  }
  return text + fmt::format("end\t{}\n", manifest.size());
}

tl::expected<Manifest, std::string> parse_manifest(std::string_view text) {
  Manifest manifest;
  for (std::size_t number_of_line = 1; !text.empty(); ++number_of_line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.substr(0, 4) == "end\t") {
      if (number<std::size_t>(line.substr(4)) == manifest.size() && text.empty()) return manifest;
      return refuse("does not end where it says");
    }
    auto parsed = parse_line(line);
    if (!parsed) return refuse(fmt::format("line {} {}", number_of_line, parsed.error()));
    if (!manifest.empty() && parsed->first <= manifest.rbegin()->first) {
      return refuse(fmt::format("line {} is out of order", number_of_line));
    }
    manifest.emplace_hint(manifest.end(), std::move(parsed->first), std::move(parsed->second));
  }
  return refuse("is cut: it has no end");
}

Digest digest_of(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Digest digest_of(const Manifest& manifest) {
  return digest_of(to_text(manifest, Stamps::kWithout));
}

}  // namespace ha::sync
