#include "sync/copy_check.hpp"

#include <algorithm>
#include <utility>

#include "sync/files.hpp"
#include "sync/scan.hpp"

namespace ha::sync {

CopyCheck::CopyCheck(std::string source, const Delta& delta, Manifest& now)
    : source_{std::move(source)}, now_{now} {
  items_.reserve(delta.size());
  for (const Difference& one : delta) {
    if (one.change != Change::kCreated && one.change != Change::kReplaced) continue;
    items_.push_back({now_.find(one.path), Verdict::kNotSeen});
  }
}

CopyCheck::Item* CopyCheck::find(std::string_view path) {
  if (next_ >= items_.size() || items_[next_].entry->first != path) {
    const auto found = std::lower_bound(
        items_.begin(), items_.end(), path,
        [](const Item& item, std::string_view wanted) { return item.entry->first < wanted; });
    if (found == items_.end() || found->entry->first != path) return nullptr;
    next_ = static_cast<std::size_t>(found - items_.begin());
  }
  return &items_[next_++];
}

void CopyCheck::copied(const CopiedLine& line) {
  Item* const item = find(line.path);
  if (item == nullptr) {
    if (line.path != kRoot && now_.find(line.path) == now_.end()) strays_.push_back(line.path);
    return;
  }
  // What was sent twice was looked at in between, and may have changed after that.
  const bool is_first = item->verdict == Verdict::kNotSeen;
  item->verdict = is_first && is_as_scanned(line, item->entry->second) ? Verdict::kAsScanned
                                                                       : Verdict::kDoubtful;
}

bool CopyCheck::is_as_scanned(const CopiedLine& line, Entry& entry) {
  // What comes and goes in a directory is told of by itself.
  if (entry.kind == Kind::kDirectory) return line.is_directory;
  if (entry.kind == Kind::kFile && !take_digest(line, entry)) return false;
  // Last: the same file now as before rsync was started, and so all the time in between.
  return is_still(entry, join(source_, line.path));
}

bool CopyCheck::take_digest(const CopiedLine& line, Entry& entry) {
  if (sums_are_digests_ && !line.sum.empty()) {
    entry.digest = line.sum;
    return true;
  }
  if (entry.digest.empty()) {
    auto digest = digest_of_file(join(source_, line.path));
    if (!digest) return false;
    entry.digest = std::move(*digest);
  }
  // Sums of another kind agree with it never.
  if (!line.sum.empty()) sums_are_digests_ = line.sum == entry.digest;
  return true;
}

std::vector<std::string> CopyCheck::doubtful() const {
  std::vector<std::string> paths;
  for (const Item& item : items_) {
    if (item.verdict != Verdict::kAsScanned) paths.push_back(item.entry->first);
  }
  return paths;
}

}  // namespace ha::sync
