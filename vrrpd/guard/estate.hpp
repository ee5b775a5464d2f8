/// What an engine process leaves behind when it dies: the configuration it ran with, whether that
/// was on trial, and what its virtual routers had noted, in memory that its guard holds for the
/// next one.
///
/// The file the configuration came from is not read again after a death: somebody may be editing
/// it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ha/result.hpp"
#include "vrrpd/kernel/descriptor.hpp"
#include "vrrpd/runtime/record.hpp"

namespace ha::vrrp {

class Estate {
 public:
  /// Memory for one guard and all engines that it will start; they inherit it by fork().
  [[nodiscard]] static Result<Estate> create();
  Estate(Estate&& other) noexcept;
  Estate& operator=(Estate&&) = delete;
  ~Estate();

  /// A configuration on trial: the one to go back to, and when, in nanoseconds of the monotonic
  /// clock.
  struct Trial {
    std::string confirmed;
    std::int64_t ends_at;
  };

  /// Writes a configuration (canonical YAML), with empty records for its `routers` instances. Until
  /// commit() a death leaves what was committed before, whose records stay valid so long.
  [[nodiscard]] Result<std::span<RouterRecord>> prepare(std::string_view configuration,
                                                        std::size_t routers,
                                                        const std::optional<Trial>& trial = {});
  void commit();
  /// What was committed is on trial no more.
  void confirm();

  /// What was committed last. `records` is valid until the next commit() of this process.
  struct Contents {
    std::string configuration;
    std::optional<Trial> trial;
    std::span<RouterRecord> records;
  };
  [[nodiscard]] Result<Contents> open();
  /// Its configuration alone.
  [[nodiscard]] Result<std::string> configuration() const;

  /// How HAProxy stood: the evaluator's verdict as its own number, 0 before the first, and since
  /// when it has been bad, in nanoseconds of the monotonic clock, 0 if it is not. A pair that a
  /// death tears is one that the next answers put right.
  struct Standing {
    std::atomic<std::uint8_t> verdict;
    std::atomic<std::int64_t> bad_since;
  };
  [[nodiscard]] Standing& haproxy() const { return header_->haproxy; }
  /// Notes on checks, for them to encode, in the order of the configuration that was prepared last;
  /// 0 before the first. Those of the one before stay until commit(), like its records.
  [[nodiscard]] std::span<std::atomic<std::int32_t>> checks();
  /// Since when, to the second, the operator has wanted no address here; nothing: one is welcome.
  [[nodiscard]] std::optional<std::chrono::system_clock::time_point> drained_since() const;
  void note_drain(std::optional<std::chrono::system_clock::time_point> since);
  /// How many engines have died so far.
  [[nodiscard]] std::atomic<std::uint32_t>& deaths() const { return header_->deaths; }

 private:
  /// Where one generation lies in the file: its records, behind them its configuration, and right
  /// behind that the one to go back to, which is empty unless it is on trial.
  struct Generation {
    std::uint64_t offset;
    std::uint64_t routers;
    std::uint64_t configuration_offset;
    std::uint64_t configuration_size_bytes;
    std::uint64_t confirmed_size_bytes;
    std::int64_t trial_ends_at;
  };
  using Checks = std::array<std::atomic<std::int32_t>, 1000>;
  /// The first pages. `current` - 1 is the generation that counts, if any; a writer that dies while
  /// it writes the other one has changed nothing.
  struct Header {
    std::atomic<std::uint32_t> current;
    std::atomic<std::uint32_t> deaths;
    Standing haproxy;
    std::atomic<std::int64_t> drained_since;  ///< seconds since the epoch; 0: not
    Generation generations[2];
    Checks checks[2];
  };

  Estate(Descriptor file, Header* header);
  [[nodiscard]] const Generation& committed() const;
  [[nodiscard]] Result<std::span<RouterRecord>> map(const Generation& generation) const;
  [[nodiscard]] static std::uint64_t end_of(const Generation& generation);
  [[nodiscard]] Result<void> write(std::string_view text, std::uint64_t offset) const;
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::uint64_t size_bytes) const;

  Descriptor file_;
  Header* header_;
  std::span<RouterRecord> records_;
  std::span<RouterRecord> prepared_;
  std::size_t checks_generation_ = 0;
};

}  // namespace ha::vrrp
