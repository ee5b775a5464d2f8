/// The flight recorder: the packets of the last minutes to hours, and the decisions between them,
/// in memory of fixed size that an engine's death does not take along.
///
/// Recording is a copy of some hundred bytes; nothing is formatted before somebody asks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ha/ip.hpp"
#include "ha/types.hpp"
#include "vrrpd/runtime/ring.hpp"
#include "vrrpd/wire/receive.hpp"

namespace ha::vrrp {

/// An interface, as a packet knows it.
struct RecordedInterface {
  IfIndex index;
  std::string_view name;
};

class Recorder {
 public:
  explicit Recorder(Ring ring) : ring_{ring} {}

  /// An IP packet came in and was taken by `router`, or was dropped for `error`. Where no router is
  /// concerned, the name is empty.
  void received(const RecordedInterface& interface, std::span<const std::uint8_t> ip_packet,
                std::string_view router, std::optional<PacketError> error);
  /// The same where the kernel has taken the IP header off.
  void received(const RecordedInterface& interface, const Datagram& datagram,
                std::string_view router, std::optional<PacketError> error);
  /// Bytes came in that are no VRRP packet at all.
  void unreadable(const RecordedInterface& interface, std::span<const std::uint8_t> bytes);

  /// A VRRP message leaves. Its IP header is rebuilt as the kernel makes it.
  void sent(const RecordedInterface& interface, const IpAddress& source,
            const IpAddress& destination, std::span<const std::uint8_t> message);
  /// An Ethernet frame leaves: an announcement.
  void sent_frame(const RecordedInterface& interface, std::span<const std::uint8_t> frame);
  /// What was recorded last as sent may not have left.
  void failed(std::string_view reason);

  /// Why something happens: "(VI_MAIN) Entering MASTER STATE".
  void decided(std::string_view sentence);

  /// Records with a number above `after` as a JSON list, oldest first, at most so many that the
  /// text has about 256 KiB:
  ///   {"number": 1, "time-ns": 1767780900123456789, "interface": "eth0", "index": 2,
  ///    "direction": "in", "protocol": 2048, "source-mac": "020000000001", "data": "45c0…",
  ///    "comment": "VI_MAIN: accepted"}
  ///   {"number": 2, "time-ns": …, "decision": "(VI_MAIN) …"}
  /// The data begins behind the Ethernet header, whose type is `protocol`; `source-mac` is there
  /// where it is known.
  [[nodiscard]] RingExtract json(std::uint64_t after) const;
  [[nodiscard]] std::uint64_t last() const { return ring_.last(); }

 private:
  struct Head;
  void add(const Head& head, std::string_view text, std::span<const std::uint8_t> first,
           std::span<const std::uint8_t> second = {});
  [[nodiscard]] static std::string comment_of(const Head& head, std::string_view words);
  static void write(std::string& text, std::string_view record);

  Ring ring_;
  std::string record_;  ///< kept for its memory
};

}  // namespace ha::vrrp
