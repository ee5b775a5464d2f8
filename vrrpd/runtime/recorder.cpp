#include "vrrpd/runtime/recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "vrrpd/wire/ip_header.hpp"

namespace ha::vrrp {
namespace {

constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
constexpr std::size_t kEthernetHeader = 14;
constexpr std::size_t kInterfaceNameMax = 16;
constexpr std::size_t kAnswerSizeBytes = std::size_t{256} * 1024;
/// Longer than any advertisement; what is longer is cut.
constexpr std::size_t kPacketMax = 4096;
constexpr std::size_t kTextMax = 1024;

enum class Kind : std::uint8_t { kAccepted, kDropped, kUnreadable, kSent, kFailed, kDecision };

std::uint16_t ether_type(const IpAddress& address) {
  return address.is_v6() ? kEtherTypeIpv6 : kEtherTypeIpv4;
}

std::string in_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 0x0f];
  }
  return text;
}

std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

/// In front of each record; then the text and the packet.
struct Recorder::Head {
  Kind kind = Kind::kDecision;
  std::uint8_t error = 0;  ///< PacketError
  std::uint16_t protocol = 0;
  std::int32_t index = 0;
  std::int64_t time_ns = 0;
  std::uint16_t text_size = 0;  ///< router, reason or decision
  std::uint8_t has_mac = 0;
  std::array<char, 6> mac{};
  std::array<char, kInterfaceNameMax> interface {};

  Head() = default;
  Head(Kind what, const RecordedInterface& where, std::uint16_t type)
      : kind{what}, protocol{type}, index{where.index.value()} {
    std::copy_n(where.name.begin(), std::min(where.name.size(), interface.size()),
                interface.begin());
  }
};

void Recorder::add(const Head& head, std::string_view text, std::span<const std::uint8_t> first,
                   std::span<const std::uint8_t> second) {
  Head labelled = head;
  text = text.substr(0, kTextMax);
  labelled.text_size = static_cast<std::uint16_t>(text.size());
  labelled.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  record_.assign(sizeof labelled, '\0');
  std::memcpy(record_.data(), &labelled, sizeof labelled);
  record_ += text;
  record_.append(first.begin(), first.end());
  record_.append(second.begin(),
                 second.begin() + static_cast<std::ptrdiff_t>(std::min(second.size(), kPacketMax)));
  ring_.append(record_);
}

void Recorder::received(const RecordedInterface& interface, std::span<const std::uint8_t> packet,
                        std::string_view router, std::optional<PacketError> error) {
  Head head{error ? Kind::kDropped : Kind::kAccepted, interface, kEtherTypeIpv4};
  if (error) head.error = static_cast<std::uint8_t>(*error);
  add(head, router, {}, packet);
}

void Recorder::received(const RecordedInterface& interface, const Datagram& datagram,
                        std::string_view router, std::optional<PacketError> error) {
  Head head{error ? Kind::kDropped : Kind::kAccepted, interface, ether_type(datagram.source)};
  if (error) head.error = static_cast<std::uint8_t>(*error);
  add(head, router, ip_header(datagram), datagram.message);
}

void Recorder::unreadable(const RecordedInterface& interface, std::span<const std::uint8_t> bytes) {
  add({Kind::kUnreadable, interface, kEtherTypeIpv4}, {}, {}, bytes);
}

void Recorder::sent(const RecordedInterface& interface, const IpAddress& source,
                    const IpAddress& destination, std::span<const std::uint8_t> message) {
  const Datagram datagram{source, destination, 255, message};
  add({Kind::kSent, interface, ether_type(source)}, {}, ip_header(datagram), message);
}

void Recorder::sent_frame(const RecordedInterface& interface, std::span<const std::uint8_t> frame) {
  if (frame.size() < kEthernetHeader) return;
  Head head{Kind::kSent, interface, static_cast<std::uint16_t>(frame[12] << 8 | frame[13])};
  head.has_mac = 1;
  std::copy_n(frame.begin() + 6, head.mac.size(), head.mac.begin());
  add(head, {}, {}, frame.subspan(kEthernetHeader));
}

void Recorder::failed(std::string_view reason) {
  Head head;
  head.kind = Kind::kFailed;
  add(head, reason, {});
}

void Recorder::decided(std::string_view sentence) { add(Head{}, sentence, {}); }

std::string Recorder::comment_of(const Head& head, std::string_view words) {
  const std::string router = words.empty() ? std::string{} : fmt::format("{}: ", words);
  switch (head.kind) {
    case Kind::kAccepted:
      return router + "accepted";
    case Kind::kDropped:
      return fmt::format("{}dropped, {}", router,
                         counter_name(static_cast<PacketError>(head.error)));
    case Kind::kUnreadable:
      return "dropped, no VRRP packet";
    case Kind::kSent:
      return "sent";
    case Kind::kFailed:
      return fmt::format("what was sent last may not have left: {}", words);
    case Kind::kDecision:
      return std::string{words};
  }
  return {};
}

/// One record as JSON, behind its number.
void Recorder::write(std::string& text, std::string_view record) {
  Head head;
  std::memcpy(&head, record.data(), sizeof head);
  const std::string comment =
      json_text(comment_of(head, record.substr(sizeof head, head.text_size)));
  const auto out = std::back_inserter(text);
  fmt::format_to(out, R"("time-ns":{},)", head.time_ns);
  if (head.kind == Kind::kDecision || head.kind == Kind::kFailed) {
    fmt::format_to(out, R"("decision":{}}})", comment);
    return;
  }
  const std::string_view interface {
    head.interface.data(), strnlen(head.interface.data(), head.interface.size())
  };
  fmt::format_to(out, R"("interface":{},"index":{},"direction":"{}","protocol":{},)",
                 json_text(interface), head.index, head.kind == Kind::kSent ? "out" : "in",
                 head.protocol);
  if (head.has_mac != 0) {
    fmt::format_to(out, R"("source-mac":"{}",)", in_hex({head.mac.data(), head.mac.size()}));
  }
  fmt::format_to(out, R"("comment":{},"data":"{}"}})", comment,
                 in_hex(record.substr(sizeof head + head.text_size)));
}

RingExtract Recorder::json(std::uint64_t after) const {
  RingExtract extract{"[", after};
  std::string& text = extract.json;
  ring_.for_each(after, [&](std::uint64_t number, std::string_view record) {
    if (text.size() > 1) text += ',';
    extract.last = number;
    fmt::format_to(std::back_inserter(text), R"({{"number":{},)", number);
    write(text, record);
    return text.size() < kAnswerSizeBytes;
  });
  text += ']';
  return extract;
}

}  // namespace ha::vrrp
