/// Addresses that accept no traffic.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/kernel/packet_filter.hpp"
#include "vrrpd/runtime/log.hpp"
#include "vrrpd/runtime/virtual_routers.hpp"

namespace ha::vrrp {

/// The addresses, advertised or not, of the instances that do not accept what is sent to them and
/// are not their owners (Accept_Mode, RFC 9568 section 6.1). Pure.
[[nodiscard]] std::vector<FilteredAddress> filtered_addresses(
    std::span<const InstanceConfig> instances);

/// Keeps the kernel's packet filter to that.
class AcceptMode {
 public:
  /// `was_used`: a predecessor may have left something in `filter`. Both must outlive the object.
  AcceptMode(PacketFilter& filter, bool was_used, Log& log)
      : filter_{filter}, is_used_{was_used}, log_{log} {}

  /// To be called before the addresses are there, so that none is open for a moment. Returns what
  /// is in the way; then nothing has changed. With OnRefusal::kGoOn it is logged instead, and
  /// the addresses accept: as with keepalived, having them is more important.
  [[nodiscard]] std::vector<std::string> apply(std::span<const InstanceConfig> instances,
                                               OnRefusal on_refusal);

 private:
  PacketFilter& filter_;
  bool is_used_;
  Log& log_;
};

}  // namespace ha::vrrp
