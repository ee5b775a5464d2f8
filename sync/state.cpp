#include "sync/state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace ha::sync {
namespace {

constexpr std::size_t kClaimSizeBytesMax = 64 * 1024;
constexpr std::size_t kBaseSizeBytesMax = std::size_t{4} * 1024 * 1024 * 1024;

struct BaseFile {
  std::optional<Base> base;
  Manifest manifest;
};

/// Nothing in it if there is no such file.
[[nodiscard]] Result<BaseFile> read_base(const std::string& path) {
  const auto content = read_file(path, kBaseSizeBytesMax);
  if (!content) {
    if (content.error().code.value() == ENOENT) return BaseFile{};
    return tl::make_unexpected(content.error());
  }
  std::string_view text = *content;
  auto base = parse_base(text);
  if (!base) return failure(EBADMSG, fmt::format("{} {}", path, base.error()));
  auto manifest = parse_manifest(text);
  if (!manifest) return failure(EBADMSG, fmt::format("{} {}", path, manifest.error()));
  return BaseFile{std::move(*base), std::move(*manifest)};
}

[[nodiscard]] Result<void> take(const File& lock, const std::string& path, Duration patience) {
  using namespace std::chrono_literals;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return failure(errno, "lock " + path);
    if (std::chrono::steady_clock::now() >= deadline) return failure(EWOULDBLOCK, "lock " + path);
    std::this_thread::sleep_for(50ms);
  }
  return {};
}

}  // namespace

Result<State> State::open(const std::string& directory, Duration patience) {
  if (auto done = make_directories(directory); !done) return tl::make_unexpected(done.error());
  const std::string path = directory + "/lock";
  File lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (lock.get() < 0) return failure(errno, "open " + path);
  if (auto taken = take(lock, path, patience); !taken) return tl::make_unexpected(taken.error());
  State state{directory, std::move(lock)};
  if (auto done = state.load(); !done) return tl::make_unexpected(done.error());
  return state;
}

Result<void> State::load() {
  const auto text = read_file(directory_ + "/claim", kClaimSizeBytesMax);
  if (text) {
    const auto claim = parse_claim(*text);
    if (!claim) return failure(EBADMSG, fmt::format("{}/claim {}", directory_, claim.error()));
    view_.claim = *claim;
  } else if (text.error().code.value() != ENOENT) {
    return tl::make_unexpected(text.error());
  }
  auto base = read_base(directory_ + "/base");
  if (!base) return tl::make_unexpected(base.error());
  view_.base = std::move(base->base);
  manifest_ = std::move(base->manifest);
  auto pending = read_base(directory_ + "/next");
  if (!pending) return tl::make_unexpected(pending.error());
  view_.pending = std::move(pending->base);
  pending_manifest_ = std::move(pending->manifest);
  return {};
}

std::uint64_t State::recoveries(const std::string& directory) {
  const auto text = read_file(directory + "/recoveries", 64);
  if (!text) return 0;
  return parse_number(std::string_view{*text}.substr(0, text->find('\n'))).value_or(0);
}

Result<void> State::count_recovery() {
  return write_file(directory_ + "/recoveries", fmt::format("{}\n", recoveries(directory_) + 1));
}

Result<void> State::save_claim(const Claim& claim) {
  if (auto done = write_file(directory_ + "/claim", to_text(claim)); !done) return done;
  view_.claim = claim;
  return {};
}

Result<void> State::save_base(const Base& base, Manifest manifest) {
  const std::string text = to_text(base) + to_text(manifest, Stamps::kWith);
  if (auto done = write_file(directory_ + "/base", text); !done) return done;
  view_.base = base;
  manifest_ = std::move(manifest);
  return {};
}

Result<void> State::save_pending(const Base& base, Manifest manifest) {
  const std::string text = to_text(base) + to_text(manifest, Stamps::kWith);
  if (auto done = write_file(directory_ + "/next", text); !done) return done;
  view_.pending = base;
  pending_manifest_ = std::move(manifest);
  return {};
}

Result<void> State::adopt_pending() {
  if (auto done = rename_file(directory_ + "/next", directory_ + "/base"); !done) return done;
  view_.base = std::exchange(view_.pending, std::nullopt);
  manifest_ = std::exchange(pending_manifest_, {});
  return {};
}

}  // namespace ha::sync
