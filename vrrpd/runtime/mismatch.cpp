#include "vrrpd/runtime/mismatch.hpp"

#include <fmt/format.h>

#include "vrrpd/runtime/advertisement.hpp"

namespace ha::vrrp {
namespace {

constexpr std::string_view kVersion = "version-mismatch";
constexpr std::string_view kInterval = "interval-mismatch";
constexpr std::string_view kPassword = "password-mismatch";
constexpr std::string_view kMode = "mode-mismatch";
constexpr std::string_view kInvalid = "invalid-packets";
constexpr std::string_view kAddressList = "address-list-mismatch";
constexpr std::string_view kChecksumForm = "checksum-form-mismatch";
constexpr std::string_view kDuplicateOwner = "duplicate-owner";
constexpr std::string_view kForeignRouter = "foreign-router";

std::string join(const std::vector<IpAddress>& addresses) {
  std::string text;
  for (const IpAddress& address : addresses) {
    if (!text.empty()) text += ", ";
    text += address.to_string();
  }
  return text;
}

/// "1s", "1500ms".
std::string spell(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

std::string spell(ChecksumForm form) {
  return form == ChecksumForm::kMessageOnly ? "message-only" : "pseudo-header";
}

std::string spell(Priority priority) { return fmt::format("priority {}", priority.value()); }

}  // namespace

std::string_view alarm_kind(PacketError error) {
  switch (error) {
    case PacketError::kVersion:
      return kVersion;
    case PacketError::kInterval:
      return kInterval;
    case PacketError::kAuthType:
    case PacketError::kAuthentication:
      return kPassword;
    case PacketError::kMode:
      return kMode;
    case PacketError::kSource:
    case PacketError::kTtl:
    case PacketError::kLength:
    case PacketError::kType:
    case PacketError::kChecksum:
    case PacketError::kVrid:
    case PacketError::kAddressList:
      break;
  }
  return kInvalid;
}

BothValues values_of(PacketError error, const Datagram& datagram, const InstanceConfig& config) {
  const auto byte = [&](std::size_t i) {
    return i < datagram.message.size() ? datagram.message[i] : std::uint8_t{0};
  };
  constexpr const char* kWithPassword = "a password";
  switch (error) {
    case PacketError::kVersion:
      return {fmt::format("{}", static_cast<int>(config.router.version)),
              fmt::format("{}", byte(0) >> 4)};
    case PacketError::kInterval: {
      // Version 3 drops only an interval of zero.
      const int seconds = config.router.version == Version::k2 ? byte(5) : 0;
      return {spell(config.router.advertisement_interval), fmt::format("{}s", seconds)};
    }
    case PacketError::kAuthType:
      return {config.password ? kWithPassword : "no password",
              byte(4) == 0   ? "no password"
              : byte(4) == 1 ? kWithPassword
                             : fmt::format("authentication type {}", byte(4))};
    case PacketError::kAuthentication:
      return {kWithPassword, "another one"};
    case PacketError::kMode:
      return {config.unicast_peers.empty() ? config.multicast_group.to_string() : "unicast",
              datagram.destination.to_string()};
    case PacketError::kSource:
    case PacketError::kTtl:
    case PacketError::kLength:
    case PacketError::kType:
    case PacketError::kChecksum:
    case PacketError::kVrid:
    case PacketError::kAddressList:
      break;
  }
  return {"", std::string{counter_name(error)}};
}

std::vector<std::string_view> alarm_kinds(const Received& received, const InstanceConfig& config,
                                          ChecksumForm sent_form) {
  const Advert& advert = received.advert;
  if (received.foreign) return {kForeignRouter};
  std::vector<std::string_view> kinds;
  if (received.addresses_differ) kinds.push_back(kAddressList);
  if (received.interval_differs) kinds.push_back(kInterval);
  // Over IPv6 and in version 2 there is one form only.
  const bool has_choice = advert.version == Version::k3 && config.family() == Family::kIpv4;
  if (has_choice && config.checksum != ChecksumPolicy::kAuto && received.form != sent_form) {
    kinds.push_back(kChecksumForm);
  }
  if (advert.priority == kPriorityOwner && config.router.priority == kPriorityOwner) {
    kinds.push_back(kDuplicateOwner);
  }
  return kinds;
}

BothValues values_of(std::string_view kind, const Received& received, const InstanceConfig& config,
                     ChecksumForm sent_form) {
  const Advert& advert = received.advert;
  if (kind == kInterval) {
    return {spell(config.router.advertisement_interval), spell(advert.interval)};
  }
  if (kind == kChecksumForm) return {spell(sent_form), spell(received.form)};
  if (kind == kDuplicateOwner) return {spell(config.router.priority), spell(advert.priority)};
  return {join(advertised_addresses(config)), join(advert.addresses)};
}

}  // namespace ha::vrrp
