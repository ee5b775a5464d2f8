/// Records of bytes in a piece of memory of fixed size; the oldest make room for new ones.
///
/// The memory may be shared with a guard and outlive the process that writes, which can die at any
/// point: then a reader finds all records but the one that was being written.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ha::vrrp {

class Ring {
 public:
  /// Goes on with what a ring has left in `memory`, or starts where there is none, which is where
  /// all bytes are 0; the first record is then number `first`, at least 1. `memory` is aligned to 8
  /// bytes, has at least 1 KiB and outlives the ring.
  Ring(std::span<std::byte> memory, std::uint64_t first);

  /// The longest record that is accepted: a quarter of the memory.
  [[nodiscard]] std::size_t record_size_bytes_max() const { return capacity_ / 4; }

  /// Adds `record` and returns its number; 0, and nothing is added, if it is too long.
  std::uint64_t append(std::string_view record);

  /// The number of the newest record, whether or not it is still there.
  [[nodiscard]] std::uint64_t last() const { return head_->next_number.load() - 1; }

  /// Calls `visit` with each record whose number is above `after`, oldest first, until it returns
  /// false; with all of them if none has ever had that number, since whoever asks then knows
  /// another ring. The text is valid during the call.
  void for_each(
      std::uint64_t after,
      const std::function<bool(std::uint64_t number, std::string_view record)>& visit) const;

 private:
  /// Offsets count the bytes since the beginning; modulo the capacity they are places.
  struct Head {
    std::atomic<std::uint64_t> magic;
    std::atomic<std::uint64_t> begin;
    std::atomic<std::uint64_t> end;
    std::atomic<std::uint64_t> next_number;
  };
  /// In front of each record.
  struct Label {
    std::uint64_t number;
    std::uint64_t size_bytes;
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

  void put(std::uint64_t offset, const void* bytes, std::size_t size_bytes);
  void get(std::uint64_t offset, void* bytes, std::size_t size_bytes) const;
  [[nodiscard]] Label label_at(std::uint64_t offset) const;

  Head* head_;
  std::byte* bytes_;
  std::size_t capacity_;
};

/// Some of a ring's records for somebody who asks again and again.
struct RingExtract {
  std::string json;        ///< a list
  std::uint64_t last = 0;  ///< the number to ask from the next time
};

}  // namespace ha::vrrp
