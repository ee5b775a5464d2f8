/// Writing and reading one rtnetlink message. Internal to kernel/.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ha/check.hpp"

namespace ha::vrrp {

/// Room for any request here: headers, a macvlan's name, mark and settings take 230
/// bytes.
inline constexpr std::size_t kRequestSizeBytesMax = 512;

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, MessageDeleter>;

/// A message with its header and family header. No port is named: the kernel answers the sender.
template <class Header>
Message make_message(std::uint16_t type, int flags, std::uint32_t sequence, Header header) {
  Message message{nlmsg_alloc_size(kRequestSizeBytesMax)};
  HA_CHECK(message != nullptr);
  HA_CHECK(nlmsg_put(message.get(), 0, sequence, type, 0, NLM_F_REQUEST | flags) != nullptr);
  HA_CHECK(nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO) == 0);
  return message;
}

template <class Value>
void put(const Message& message, int attribute, const Value& value) {
  HA_CHECK(nla_put(message.get(), attribute, sizeof value, &value) == 0);
}

inline void append(std::vector<std::uint8_t>& batch, const Message& message) {
  const nlmsghdr* const header = nlmsg_hdr(message.get());
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(header);
  batch.insert(batch.end(), bytes, bytes + header->nlmsg_len);
  batch.resize(NLMSG_ALIGN(batch.size()));
}

/// The attributes of a message, looked up by number and copied out only if they have the size asked
/// for.
template <std::size_t kMax>
class Attributes {
 public:
  Attributes(nlmsghdr& message, std::size_t header_size)
      : valid_{nlmsg_parse(&message, static_cast<int>(header_size), attributes_.data(), kMax,
                           nullptr) == 0} {}
  /// Those inside of another one; none where that is null.
  explicit Attributes(nlattr* nest)
      : valid_{nest != nullptr && nla_parse_nested(attributes_.data(), kMax, nest, nullptr) == 0} {}

  [[nodiscard]] bool valid() const { return valid_; }

  [[nodiscard]] nlattr* find(std::size_t number) const { return attributes_[number]; }

  template <class Value>
  [[nodiscard]] std::optional<Value> get(std::size_t number) const {
    const nlattr* const attribute = attributes_[number];
    if (attribute == nullptr || nla_len(attribute) != sizeof(Value)) return std::nullopt;
    Value value;
    std::memcpy(&value, nla_data(attribute), sizeof value);
    return value;
  }

  [[nodiscard]] std::string text(std::size_t number) const {
    const nlattr* const attribute = attributes_[number];
    if (attribute == nullptr) return {};
    const auto* const first = static_cast<const char*>(nla_data(attribute));
    return {first, ::strnlen(first, static_cast<std::size_t>(nla_len(attribute)))};
  }

 private:
  std::array<nlattr*, kMax + 1> attributes_{};
  bool valid_;
};

}  // namespace ha::vrrp
