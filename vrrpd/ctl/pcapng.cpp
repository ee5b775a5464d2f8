#include "vrrpd/ctl/pcapng.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>

#include "vrrpd/ctl/answer.hpp"

namespace ha::ctl {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kJournalEntry = 9;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kLinkTypeSll2 = 276;
constexpr std::uint32_t kSnapLength = 65'535;
constexpr std::uint16_t kArphrdEther = 1;
constexpr std::size_t kTextMax = 8192;

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kInterfaceName = 2;        // if_name
constexpr std::uint16_t kPacketFlags = 2;          // epb_flags
constexpr std::uint16_t kUserApplication = 4;      // shb_userappl
constexpr std::uint16_t kTimestampResolution = 9;  // if_tsresol

/// The reader's byte order is told by the magic, so ours is good enough.
template <class T>
void put(std::string& bytes, T value) {
  char raw[sizeof value];
  std::memcpy(raw, &value, sizeof value);
  bytes.append(raw, sizeof value);
}

void put_big_endian(std::string& bytes, std::uint64_t value, int size_bytes) {
  for (int i = size_bytes - 1; i >= 0; --i) bytes += static_cast<char>(value >> (8 * i));
}

void pad(std::string& bytes) { bytes.append((4 - bytes.size() % 4) % 4, '\0'); }

void put_option(std::string& body, std::uint16_t code, std::string_view value) {
  value = value.substr(0, kTextMax);
  put(body, code);
  put(body, static_cast<std::uint16_t>(value.size()));
  body += value;
  pad(body);
}

std::string block(std::uint32_t type, std::string body) {
  pad(body);
  const auto size = static_cast<std::uint32_t>(body.size() + 12);
  std::string bytes;
  put(bytes, type);
  put(bytes, size);
  bytes += body;
  put(bytes, size);
  return bytes;
}

/// What is no hexadecimal digit ends it.
std::string from_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) break;
    bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  }
  return bytes;
}

std::uint64_t number_of(const Json& object, const char* key) {
  const Json& value = field(object, key);
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

std::string string_of(const Json& object, const char* key) {
  const Json& value = field(object, key);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

std::string journal_entry(const Json& record) {
  std::string message = string_of(record, "decision");
  for (char& c : message) {
    if (c == '\n') c = ' ';
  }
  // journal-export-format: a field a line, an empty line at the end.
  return block(kJournalEntry,
               fmt::format("__REALTIME_TIMESTAMP={}\nPRIORITY=6\nSYSLOG_IDENTIFIER=vrrpd\n"
                           "MESSAGE={}\n\n",
                           number_of(record, "time-ns") / 1000, message.substr(0, kTextMax)));
}

/// LINKTYPE_LINUX_SLL2: what a packet has in front of it where no link layer is known.
std::string cooked(const Json& record) {
  constexpr std::uint64_t kToUs = 0;
  constexpr std::uint64_t kFromUs = 4;
  const std::string mac = from_hex(string_of(record, "source-mac"));
  std::string bytes;
  put_big_endian(bytes, number_of(record, "protocol"), 2);
  put_big_endian(bytes, 0, 2);
  put_big_endian(bytes, number_of(record, "index"), 4);
  put_big_endian(bytes, kArphrdEther, 2);
  put_big_endian(bytes, string_of(record, "direction") == "out" ? kFromUs : kToUs, 1);
  put_big_endian(bytes, mac.size() == 6 ? 6 : 0, 1);
  bytes += mac.size() == 6 ? mac : std::string(6, '\0');
  bytes.append(2, '\0');
  return bytes + from_hex(string_of(record, "data"));
}

std::string packet(const Json& record, std::uint32_t interface) {
  constexpr std::uint32_t kInbound = 1;
  constexpr std::uint32_t kOutbound = 2;
  const std::string bytes = cooked(record).substr(0, kSnapLength);
  const std::uint64_t time = number_of(record, "time-ns");
  std::string body;
  put(body, interface);
  put(body, static_cast<std::uint32_t>(time >> 32));
  put(body, static_cast<std::uint32_t>(time));
  put(body, static_cast<std::uint32_t>(bytes.size()));
  put(body, static_cast<std::uint32_t>(bytes.size()));
  body += bytes;
  pad(body);
  put_option(body, kComment, string_of(record, "comment"));
  std::string flags;
  put(flags, string_of(record, "direction") == "out" ? kOutbound : kInbound);
  put_option(body, kPacketFlags, flags);
  put_option(body, kEndOfOptions, {});
  return block(kEnhancedPacket, std::move(body));
}

}  // namespace

std::string PcapngWriter::begin() const {
  std::string body;
  put(body, kByteOrderMagic);
  put(body, std::uint16_t{1});
  put(body, std::uint16_t{0});
  put(body, std::int64_t{-1});  // the length of the section is not known yet
  put_option(body, kUserApplication, "vrrpctl capture");
  put_option(body, kEndOfOptions, {});
  return block(kSectionHeader, std::move(body));
}

/// The number of an interface that was there before; for a new one also the block that tells it.
std::string PcapngWriter::interface_number(const std::string& name, std::uint32_t& number) {
  const auto [known, is_new] =
      interfaces_.emplace(name, static_cast<std::uint32_t>(interfaces_.size()));
  number = known->second;
  if (!is_new) return {};
  std::string body;
  put(body, kLinkTypeSll2);
  put(body, std::uint16_t{0});
  put(body, kSnapLength);
  put_option(body, kInterfaceName, name);
  put_option(body, kTimestampResolution, "\x09");  // nanoseconds
  put_option(body, kEndOfOptions, {});
  return block(kInterfaceDescription, std::move(body));
}

PcapngWriter::Part PcapngWriter::add(std::string_view answer) {
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || field(json, "ok") != true) {
    return {present(Command::kCapture, answer, Form::kText), {}, false};
  }
  Part part;
  part.last = text_of(json, "last");
  for (const Json& record : list_of(json, "records")) {
    part.more = true;
    if (field(record, "decision").is_string()) {
      part.output.out += journal_entry(record);
      continue;
    }
    std::uint32_t interface = 0;
    part.output.out += interface_number(string_of(record, "interface"), interface);
    part.output.out += packet(record, interface);
  }
  return part;
}

}  // namespace ha::ctl
