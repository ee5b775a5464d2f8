/// What a virtual router notes in memory that outlives its process, so that a successor can go on
/// as master, or the guard can let go in its name.
///
/// Plain data without pointers, shared between processes. One process writes; others read when it
/// is dead, at whatever point that happened: whether there is a master is set last and cleared
/// first.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "ha/ip.hpp"
#include "ha/types.hpp"

namespace ha::vrrp {

class RouterRecord {
 public:
  /// The router became master and sends from `source`.
  void master(IfIndex interface, const IpAddress& source, ChecksumForm form) {
    clear();
    interface_ = interface.value();
    is_v6_ = source.is_v6();
    if (is_v6_) {
      source_ = source.to_v6().to_bytes();
    } else {
      std::copy_n(source.to_v4().to_bytes().begin(), 4, source_.begin());
    }
    form_ = form;
    master_.store(true, std::memory_order_release);
  }
  /// An advertisement leaves.
  void advertised(TimePoint now) {
    advertised_at_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void form(ChecksumForm form) { form_ = form; }
  void clear() { master_.store(false, std::memory_order_seq_cst); }
  /// Whether notify commands have yet to hear of the state it is in, or its group.
  void owe_news(bool owed) { owes_news_.store(owed, std::memory_order_relaxed); }
  void owe_group_news(bool owed) { owes_group_news_.store(owed, std::memory_order_relaxed); }

  // ---- for those who come after ----

  [[nodiscard]] bool is_master() const { return master_.load(std::memory_order_acquire); }
  /// When the master that wrote this advertised last; nothing if it was none.
  [[nodiscard]] std::optional<TimePoint> predecessor() const {
    if (!is_master()) return std::nullopt;
    return TimePoint{Duration{advertised_at_.load(std::memory_order_relaxed)}};
  }
  [[nodiscard]] bool owes_news() const { return owes_news_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool owes_group_news() const {
    return owes_group_news_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] IfIndex interface() const { return IfIndex{interface_}; }
  [[nodiscard]] IpAddress source() const {
    if (is_v6_) return boost::asio::ip::address_v6{source_};
    boost::asio::ip::address_v4::bytes_type bytes;
    std::copy_n(source_.begin(), bytes.size(), bytes.begin());
    return boost::asio::ip::address_v4{bytes};
  }
  [[nodiscard]] ChecksumForm form() const { return form_; }

 private:
  std::atomic<bool> master_{false};
  std::atomic<bool> owes_news_{false};
  std::atomic<bool> owes_group_news_{false};
  bool is_v6_ = false;
  ChecksumForm form_ = ChecksumForm::kPseudoHeader;
  std::int32_t interface_ = 0;
  std::atomic<std::int64_t> advertised_at_{0};
  std::array<std::uint8_t, 16> source_{};
};
static_assert(std::atomic<bool>::is_always_lock_free);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

}  // namespace ha::vrrp
