/// Checks a copy while it is made: each path, when rsync says that it is done with it, against what
/// a scan saw before rsync was started. Blocks for as long as the source's disk does.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sync/delta.hpp"
#include "sync/manifest.hpp"
#include "sync/rsync.hpp"

namespace ha::sync {

class CopyCheck {
 public:
  /// Of the copies that `delta` asks for, from the directory `source`; `now` holds what was
  /// scanned, with stamps, and has to outlive this. No entry may be added or removed meanwhile.
  CopyCheck(std::string source, const Delta& delta, Manifest& now);

  /// rsync has read this file, or is done with this directory or link. A file gets its digest: the
  /// sum that rsync made of what it sent, if such a sum has turned out to be a digest, or else from
  /// a look inside.
  void copied(const CopiedLine& line);

  /// The paths whose copy may be another than `now` says: changed since it was scanned, copied more
  /// than once, or not said to be copied. In the order of the paths.
  [[nodiscard]] std::vector<std::string> doubtful() const;

  /// What rsync has come across though no scan has seen it.
  [[nodiscard]] const std::vector<std::string>& strays() const { return strays_; }

 private:
  enum class Verdict : std::uint8_t { kNotSeen, kAsScanned, kDoubtful };
  struct Item {
    Manifest::iterator entry;
    Verdict verdict = Verdict::kNotSeen;
  };

  [[nodiscard]] Item* find(std::string_view path);
  [[nodiscard]] bool is_as_scanned(const CopiedLine& line, Entry& entry);
  [[nodiscard]] bool take_digest(const CopiedLine& line, Entry& entry);

  std::string source_;
  Manifest& now_;
  std::vector<Item> items_;  ///< in the order of their paths
  std::size_t next_ = 0;     ///< the one that comes next if rsync keeps to that order
  std::vector<std::string> strays_;
  bool sums_are_digests_ = false;
};

}  // namespace ha::sync
