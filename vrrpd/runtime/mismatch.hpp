/// What the packets of a peer tell about its configuration: which alarm they are worth, and both
/// values in words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vrrpd/config/config.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {

/// Of an alarm. Empty: there is nothing to compare.
struct BothValues {
  std::string ours;
  std::string theirs;
  friend bool operator==(const BothValues&, const BothValues&) = default;
};

/// The alarm for a packet dropped because of `error`: "version-mismatch", "interval-mismatch",
/// "password-mismatch", "mode-mismatch" (unicast against multicast), or "invalid-packets" for what
/// no configuration explains.
[[nodiscard]] std::string_view alarm_kind(PacketError error);

/// Both values of that alarm; the kind of error for "invalid-packets".
[[nodiscard]] BothValues values_of(PacketError error, const Datagram& datagram,
                                   const InstanceConfig& config);

/// The alarms for an advertisement that was received with `sent_form` as our own form of checksum:
/// "foreign-router" where no address is ours, else any of "address-list-mismatch",
/// "interval-mismatch", "checksum-form-mismatch" and "duplicate-owner". None for a peer that is
/// configured as we are.
[[nodiscard]] std::vector<std::string_view> alarm_kinds(const Received& received,
                                                        const InstanceConfig& config,
                                                        ChecksumForm sent_form);

/// Both values of one of those.
[[nodiscard]] BothValues values_of(std::string_view kind, const Received& received,
                                   const InstanceConfig& config, ChecksumForm sent_form);

}  // namespace ha::vrrp
