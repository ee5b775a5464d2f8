/// This machine's own records of one mirror, in a directory of their own on a local disk:
///
///   lock   held by the process that works on the mirror
///   claim  the epoch this machine took
///   base   what its copy was last equal to, with the manifest
///   recoveries  how many there were
///   next   what a commit under way is about to make of it
#pragma once

#include <string>

#include "ha/result.hpp"
#include "ha/types.hpp"
#include "sync/authority.hpp"
#include "sync/files.hpp"
#include "sync/manifest.hpp"

namespace ha::sync {

class State {
 public:
  /// Creates the directory, and waits for the lock for so long. EWOULDBLOCK: another process has
  /// it.
  [[nodiscard]] static Result<State> open(const std::string& directory, Duration patience);

  /// How often this machine has recovered; 0 if that cannot be read. Needs no lock.
  [[nodiscard]] static std::uint64_t recoveries(const std::string& directory);
  [[nodiscard]] Result<void> count_recovery();

  [[nodiscard]] const LocalView& view() const { return view_; }
  /// The manifest of view().base, with stamps; empty if there is none.
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }

  [[nodiscard]] Result<void> save_claim(const Claim& claim);
  [[nodiscard]] Result<void> save_base(const Base& base, Manifest manifest);

  /// Before the head is published, and after. What a crash leaves between the two is
  /// view().pending.
  [[nodiscard]] Result<void> save_pending(const Base& base, Manifest manifest);
  [[nodiscard]] Result<void> adopt_pending();

 private:
  State(std::string directory, File lock)
      : directory_{std::move(directory)}, lock_{std::move(lock)} {}
  [[nodiscard]] Result<void> load();

  std::string directory_;
  File lock_;
  LocalView view_;
  Manifest manifest_;
  Manifest pending_manifest_;
};

}  // namespace ha::sync
