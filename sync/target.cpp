#include "sync/target.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "sync/files.hpp"

namespace ha::sync {
namespace {

constexpr std::size_t kRecordSizeBytesMax = 64 * 1024;
constexpr std::size_t kManifestSizeBytesMax = std::size_t{4} * 1024 * 1024 * 1024;

[[nodiscard]] bool is_missing(const Error& error) { return error.code.value() == ENOENT; }

[[nodiscard]] tl::unexpected<Error> broken(const std::string& path, const std::string& why) {
  return failure(EBADMSG, fmt::format("{} {}", path, why));
}

/// The file's content; nothing if there is no such file.
[[nodiscard]] Result<std::optional<std::string>> read_if_there(const std::string& path,
                                                               std::size_t size_bytes_max) {
  auto text = read_file(path, size_bytes_max);
  if (text) return std::optional{std::move(*text)};
  if (is_missing(text.error())) return std::optional<std::string>{};
  return tl::make_unexpected(text.error());
}

/// The second word of the sentinel's second line.
[[nodiscard]] std::string identity_in(std::string_view sentinel) {
  const std::size_t at = sentinel.find("\nid ");
  if (at == std::string_view::npos) return {};
  const std::string_view rest = sentinel.substr(at + 4);
  return std::string{rest.substr(0, rest.find('\n'))};
}

}  // namespace

Result<TargetView> Target::observe() const {
  TargetView view;
  const auto sentinel = read_if_there(own_ + "/target", kRecordSizeBytesMax);
  if (!sentinel) return tl::make_unexpected(sentinel.error());
  if (!*sentinel) return view;
  view.id = identity_in(**sentinel);
  if (view.id.empty()) return broken(own_ + "/target", "names no identity");
  const auto head = read_head();
  if (!head) return tl::make_unexpected(head.error());
  view.head = *head;
  const auto claim = highest_claim();
  if (!claim) return tl::make_unexpected(claim.error());
  view.claim = *claim;
  auto versions = staged();
  if (!versions) return tl::make_unexpected(versions.error());
  view.staged = std::move(*versions);
  return view;
}

Result<void> Target::initialise(const std::string& mirror, const std::string& id) const {
  for (const char* const name : {"/epochs", "/generations", "/conflicts"}) {
    if (auto done = make_directories(own_ + name); !done) return done;
  }
  const auto there = look_at(own_ + "/target");
  if (!there) return tl::make_unexpected(there.error());
  if (*there != Found::kNothing) return {};
  return write_file(own_ + "/target", fmt::format("{}\nid {}\n", mirror, id));
}

Result<bool> Target::raise_epoch(const Claim& claim) const {
  return create_file(fmt::format("{}/epochs/{}", own_, claim.epoch), to_text(claim));
}

Result<bool> Target::is_highest(std::uint64_t epoch) const {
  const auto next = look_at(fmt::format("{}/epochs/{}", own_, epoch + 1));
  if (!next) return tl::make_unexpected(next.error());
  return *next == Found::kNothing;
}

std::string Target::stage_directory(Version version) const {
  return own_ + "/generations/" + name_of(version);
}

Stage Target::stage(Version version) const {
  const std::string directory = stage_directory(version);
  return {root_, directory + "/new", directory + "/old"};
}

Result<void> Target::open_stage(Version version) const {
  return make_directories(stage(version).incoming);
}

Result<void> Target::write_delta(Version version, const Delta& delta) const {
  return write_file(stage_directory(version) + "/delta", to_text(delta));
}

Result<void> Target::write_snapshot(Version version, const Manifest& manifest) const {
  return write_file(stage_directory(version) + "/snapshot", to_text(manifest, Stamps::kWithout));
}

Result<void> Target::stage_head(const Head& head) const {
  return write_file(stage_directory(head.version) + "/head", to_text(head));
}

Result<void> Target::publish_head(const Head& head) const {
  return rename_file(stage_directory(head.version) + "/head", own_ + "/head");
}

Result<std::vector<Version>> Target::staged() const {
  const auto names = list_directory(own_ + "/generations");
  if (!names) return tl::make_unexpected(names.error());
  std::vector<Version> versions;
  for (const std::string& name : *names) {
    if (const auto version = parse_version(name)) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

Result<std::optional<Head>> Target::read_head() const {
  const auto text = read_if_there(own_ + "/head", kRecordSizeBytesMax);
  if (!text) return tl::make_unexpected(text.error());
  if (!*text) return std::optional<Head>{};
  const auto head = parse_head(**text);
  if (!head) return broken(own_ + "/head", head.error());
  return std::optional{*head};
}

Result<Claim> Target::highest_claim() const {
  const auto names = list_directory(own_ + "/epochs");
  if (!names) return tl::make_unexpected(names.error());
  Claim highest;
  for (const std::string& name : *names) {
    const auto epoch = parse_number(name);
    if (epoch && *epoch > highest.epoch) highest.epoch = *epoch;
  }
  if (highest.epoch == 0) return highest;
  const auto text =
      read_if_there(fmt::format("{}/epochs/{}", own_, highest.epoch), kRecordSizeBytesMax);
  if (!text) return tl::make_unexpected(text.error());
  // A claim that its claimant did not live to write is nobody's, yet it counts.
  if (const auto claim = parse_claim(text->value_or("")); claim && claim->epoch == highest.epoch) {
    return *claim;
  }
  return highest;
}

Result<std::optional<Delta>> Target::read_delta(Version version) const {
  const std::string path = stage_directory(version) + "/delta";
  const auto text = read_if_there(path, kManifestSizeBytesMax);
  if (!text) return tl::make_unexpected(text.error());
  if (!*text) return std::optional<Delta>{};
  auto delta = parse_delta(**text);
  if (!delta) return broken(path, delta.error());
  return std::optional{std::move(*delta)};
}

Result<void> Target::roll_back(Version version) const {
  const std::string directory = stage_directory(version);
  // From here on a writer that still believes in this generation cannot publish it; but it may have
  // done so a moment ago.
  if (auto done = remove_file(directory + "/head"); !done) return done;
  const auto head = read_head();
  if (!head) return tl::make_unexpected(head.error());
  if (*head && (*head)->version == version) return {};

  const auto delta = read_delta(version);
  if (!delta) return tl::make_unexpected(delta.error());
  const std::vector<Move> moves = *delta ? moves_for(**delta) : std::vector<Move>{};
  if (auto done = take_back(moves, stage(version)); !done) return done;
  // The delta says how to take back; once it is gone, everything was.
  if (auto done = remove_file(directory + "/delta"); !done) return done;
  return remove_tree(directory);
}

Result<void> Target::prune(const Head& head) const {
  if (auto done = remove_tree(stage(head.version).incoming); !done) return done;
  if (head.version.generation <= kGenerationsKept) return {};
  const std::uint64_t oldest_kept = head.version.generation - kGenerationsKept;
  const auto versions = staged();
  if (!versions) return tl::make_unexpected(versions.error());
  const std::uint64_t snapshot = snapshot_for(oldest_kept);
  for (const Version version : *versions) {
    if (version.generation < snapshot) {
      if (auto done = remove_tree(stage_directory(version)); !done) return done;
    } else if (version.generation <= oldest_kept && version.generation + 2 > oldest_kept) {
      if (auto done = remove_tree(stage(version).outgoing); !done) return done;
    }
  }
  return {};
}

Result<void> Target::write_pulse(const Pulse& pulse) const {
  return write_file(own_ + "/pulse", to_text(pulse));
}

Result<std::optional<Pulse>> Target::read_pulse() const {
  const auto text = read_if_there(own_ + "/pulse", kRecordSizeBytesMax);
  if (!text) return tl::make_unexpected(text.error());
  if (!*text) return std::optional<Pulse>{};
  const auto pulse = parse_pulse(**text);
  if (!pulse) return broken(own_ + "/pulse", pulse.error());
  return std::optional{*pulse};
}

Result<Manifest> Target::manifest_at(std::uint64_t generation) const {
  const auto versions = staged();
  if (!versions) return tl::make_unexpected(versions.error());
  std::map<std::uint64_t, Version> chain;
  for (const Version version : *versions) {
    if (version.generation <= generation) chain[version.generation] = version;
  }
  Manifest manifest;
  const std::uint64_t from = snapshot_for(generation);
  if (const auto at = chain.find(from); from > 0 && at != chain.end()) {
    const std::string path = stage_directory(at->second) + "/snapshot";
    const auto text = read_file(path, kManifestSizeBytesMax);
    if (!text) return tl::make_unexpected(text.error());
    auto parsed = parse_manifest(*text);
    if (!parsed) return broken(path, parsed.error());
    manifest = std::move(*parsed);
  }
  for (std::uint64_t next = from + 1; next <= generation; ++next) {
    const auto at = chain.find(next);
    if (at == chain.end()) {
      return broken(own_, fmt::format("has no generation {} any more, which generation {} needs",
                                      next, generation));
    }
    const auto delta = read_delta(at->second);
    if (!delta) return tl::make_unexpected(delta.error());
    if (!*delta) return broken(stage_directory(at->second), "has no delta");
    apply(**delta, manifest);
  }
  return manifest;
}

Result<std::vector<Target::Place>> Target::places(const std::vector<std::string>& paths,
                                                  std::uint64_t generation) const {
  const auto versions = staged();
  if (!versions) return tl::make_unexpected(versions.error());
  std::vector<Place> places{{root_, {}}};
  std::vector<std::pair<std::size_t, std::set<std::string, std::less<>>>> asides;
  for (const Version version : *versions) {
    if (version.generation <= generation) continue;
    const auto delta = read_delta(version);
    if (!delta) return tl::make_unexpected(delta.error());
    if (!*delta) continue;
    std::set<std::string, std::less<>> aside;
    for (const Move& move : moves_for(**delta)) {
      if (move.kind == Move::Kind::kAside) aside.insert(move.path);
    }
    asides.emplace_back(places.size(), std::move(aside));
    places.push_back({stage(version).outgoing, {}});
  }
  for (const std::string& path : paths) {
    std::size_t place = 0;
    for (const auto& [number, aside] : asides) {
      bool covered = false;
      for (std::string_view above = path; !above.empty() && !covered; above = parent_of(above)) {
        covered = aside.find(above) != aside.end();
      }
      if (!covered) continue;
      // Of a generation that nobody finished only a part was moved.
      const auto found = look_at(join(places[number].root, path));
      if (!found) return tl::make_unexpected(found.error());
      if (*found == Found::kNothing) continue;
      place = number;
      break;
    }
    places[place].paths.push_back(path);
  }
  return places;
}

}  // namespace ha::sync
