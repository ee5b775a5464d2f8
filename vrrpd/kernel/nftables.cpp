#include "vrrpd/kernel/nftables.hpp"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "ha/check.hpp"

namespace ha::vrrp {
namespace {

/// Elements in one message: each takes 44 bytes at most, and the length of their list has to fit
/// in 16 bits.
constexpr std::size_t kElementsPerMessage = 512;
constexpr std::size_t kMessageSizeBytesMax = kElementsPerMessage * 44 + 512;

/// Before other filters, as keepalived's.
constexpr std::int32_t kHookPriority = -1;

/// How nft(8) shows the keys of a set; numbers of its own. The kernel only keeps them.
constexpr std::uint32_t kShownIpv4 = 7;
constexpr std::uint32_t kShownIpv6 = 8;
constexpr std::uint32_t kShownInterface = 41;
constexpr std::uint32_t kShownPerPart = 6;  // bits

/// The sets, each known by its number within the batch that makes it.
enum class Kind : std::uint8_t { kIpv4 = 1, kIpv6, kLinkLocal };

constexpr const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kIpv4:
      return "ipv4";
    case Kind::kIpv6:
      return "ipv6";
    case Kind::kLinkLocal:
      return "link_local";
  }
  return "";
}

using Key = std::vector<std::uint8_t>;

Key key_of(const FilteredAddress& filtered) {
  Key key;
  const auto append = [&](const auto& bytes) { key.insert(key.end(), bytes.begin(), bytes.end()); };
  if (filtered.address.is_v4()) {
    append(filtered.address.to_v4().to_bytes());
    return key;
  }
  append(filtered.address.to_v6().to_bytes());
  if (filtered.interface.empty()) return key;
  std::array<std::uint8_t, IFNAMSIZ> name{};
  std::copy_n(filtered.interface.begin(),
              std::min<std::size_t>(filtered.interface.size(), IFNAMSIZ - 1), name.begin());
  append(name);
  return key;
}

Kind kind_of(const FilteredAddress& filtered) {
  if (filtered.address.is_v4()) return Kind::kIpv4;
  return filtered.interface.empty() ? Kind::kIpv6 : Kind::kLinkLocal;
}

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};

/// One message while it is written. Every number in it is in network order.
class Message {
 public:
  Message(int type, int flags, std::uint32_t sequence, std::uint8_t family, std::uint16_t resource)
      : message_{nlmsg_alloc_size(kMessageSizeBytesMax)} {
    HA_CHECK(message_ != nullptr);
    HA_CHECK(nlmsg_put(get(), 0, sequence, type, 0, NLM_F_REQUEST | flags) != nullptr);
    nfgenmsg header{family, NFNETLINK_V0, htons(resource)};
    HA_CHECK(nlmsg_append(get(), &header, sizeof header, NLMSG_ALIGNTO) == 0);
  }

  void text(int attribute, const std::string& value) {
    HA_CHECK(nla_put_string(get(), attribute, value.c_str()) == 0);
  }
  void number(int attribute, std::uint32_t value) {
    HA_CHECK(nla_put_u32(get(), attribute, htonl(value)) == 0);
  }
  void bytes(int attribute, std::span<const std::uint8_t> value) {
    HA_CHECK(nla_put(get(), attribute, static_cast<int>(value.size()), value.data()) == 0);
  }
  /// An attribute that consists of what `content` writes.
  template <class Content>
  void nest(int attribute, Content content) {
    nlattr* const start = nla_nest_start(get(), attribute);
    HA_CHECK(start != nullptr);
    content();
    HA_CHECK(nla_nest_end(get(), start) == 0);
  }
  void acknowledge() { nlmsg_hdr(get())->nlmsg_flags |= NLM_F_ACK; }

  void append_to(std::vector<std::uint8_t>& batch) const {
    const nlmsghdr* const header = nlmsg_hdr(get());
    const auto* const first = reinterpret_cast<const std::uint8_t*>(header);
    batch.insert(batch.end(), first, first + header->nlmsg_len);
    batch.resize(NLMSG_ALIGN(batch.size()));
  }

 private:
  [[nodiscard]] nl_msg* get() const { return message_.get(); }
  std::unique_ptr<nl_msg, MessageDeleter> message_;
};

/// The expressions of a rule, in the order in which they are evaluated. Each takes its operand from
/// a register, or leaves its result in one.
class Expressions {
 public:
  explicit Expressions(Message& message) : message_{message} {}

  void load_meta(nft_meta_keys key, nft_registers into) {
    add("meta", [&] {
      message_.number(NFTA_META_KEY, static_cast<std::uint32_t>(key));
      message_.number(NFTA_META_DREG, into);
    });
  }
  void load_payload(nft_payload_bases base, std::uint32_t offset, std::uint32_t size_bytes) {
    add("payload", [&] {
      message_.number(NFTA_PAYLOAD_DREG, NFT_REG_1);
      message_.number(NFTA_PAYLOAD_BASE, static_cast<std::uint32_t>(base));
      message_.number(NFTA_PAYLOAD_OFFSET, offset);
      message_.number(NFTA_PAYLOAD_LEN, size_bytes);
    });
  }
  /// Ends the rule unless the byte in the register compares with `value`.
  void compare(nft_cmp_ops operation, std::uint8_t value) {
    add("cmp", [&] {
      message_.number(NFTA_CMP_SREG, NFT_REG_1);
      message_.number(NFTA_CMP_OP, static_cast<std::uint32_t>(operation));
      message_.nest(NFTA_CMP_DATA, [&] { message_.bytes(NFTA_DATA_VALUE, {&value, 1}); });
    });
  }
  /// Ends the rule unless what begins in the register is in the set.
  void look_up(Kind set) {
    add("lookup", [&] {
      message_.text(NFTA_LOOKUP_SET, name_of(set));
      message_.number(NFTA_LOOKUP_SREG, NFT_REG_1);
      message_.number(NFTA_LOOKUP_SET_ID, static_cast<std::uint32_t>(set));
    });
  }
  void verdict(std::uint32_t code) {
    add("immediate", [&] {
      message_.number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      message_.nest(NFTA_IMMEDIATE_DATA, [&] {
        message_.nest(NFTA_DATA_VERDICT, [&] { message_.number(NFTA_VERDICT_CODE, code); });
      });
    });
  }

 private:
  template <class Content>
  void add(const char* name, Content content) {
    message_.nest(NFTA_LIST_ELEM, [&] {
      message_.text(NFTA_EXPR_NAME, name);
      message_.nest(NFTA_EXPR_DATA, content);
    });
  }
  Message& message_;
};

/// One of the two chains.
struct Direction {
  const char* name;
  std::uint32_t hook;
  bool is_incoming;
};
constexpr Direction kDirections[] = {{"in", NF_INET_LOCAL_IN, true},
                                     {"out", NF_INET_LOCAL_OUT, false}};

class Writer {
 public:
  Writer(const std::string& table, std::uint32_t first) : table_{table}, next_{first} {
    control(NFNL_MSG_BATCH_BEGIN);
  }

  void make_table() {
    auto message = begin(NFT_MSG_NEWTABLE, NLM_F_CREATE);
    message.text(NFTA_TABLE_NAME, table_);
    message.number(NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
    add(std::move(message));
  }
  void remove_table() {
    auto message = begin(NFT_MSG_DELTABLE, 0);
    message.text(NFTA_TABLE_NAME, table_);
    add(std::move(message));
  }
  void make_set(Kind kind, std::uint32_t shown, std::uint32_t key_size_bytes) {
    auto message = begin(NFT_MSG_NEWSET, NLM_F_CREATE);
    message.text(NFTA_SET_TABLE, table_);
    message.text(NFTA_SET_NAME, name_of(kind));
    message.number(NFTA_SET_FLAGS, 0);
    message.number(NFTA_SET_KEY_TYPE, shown);
    message.number(NFTA_SET_KEY_LEN, key_size_bytes);
    message.number(NFTA_SET_ID, static_cast<std::uint32_t>(kind));
    add(std::move(message));
  }
  void fill_set(Kind kind, std::span<const Key> keys) {
    for (std::size_t done = 0; done < keys.size(); done += kElementsPerMessage) {
      add_elements(kind, keys.subspan(done, std::min(kElementsPerMessage, keys.size() - done)));
    }
  }
  void make_chain(const Direction& direction) {
    auto message = begin(NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    message.text(NFTA_CHAIN_TABLE, table_);
    message.text(NFTA_CHAIN_NAME, direction.name);
    message.nest(NFTA_CHAIN_HOOK, [&] {
      message.number(NFTA_HOOK_HOOKNUM, direction.hook);
      message.number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(kHookPriority));
    });
    message.text(NFTA_CHAIN_TYPE, "filter");
    message.number(NFTA_CHAIN_POLICY, NF_ACCEPT);
    add(std::move(message));
  }
  /// `write` writes the expressions.
  template <class Write>
  void make_rule(const Direction& direction, Write write) {
    auto message = begin(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    message.text(NFTA_RULE_TABLE, table_);
    message.text(NFTA_RULE_CHAIN, direction.name);
    message.nest(NFTA_RULE_EXPRESSIONS, [&] {
      Expressions expressions{message};
      write(expressions);
    });
    add(std::move(message));
  }

  [[nodiscard]] NftablesBatch finish() {
    HA_CHECK(waiting_.has_value());
    waiting_->acknowledge();
    waiting_->append_to(bytes_);
    waiting_.reset();
    const std::uint32_t last = next_ - 1;
    control(NFNL_MSG_BATCH_END);
    return {std::move(bytes_), last};
  }

 private:
  void control(int type) {
    Message{type, 0, next_++, AF_UNSPEC, NFNL_SUBSYS_NFTABLES}.append_to(bytes_);
  }
  [[nodiscard]] Message begin(int type, int flags) {
    return {(NFNL_SUBSYS_NFTABLES << 8) | type, flags, next_++, NFPROTO_INET, 0};
  }
  /// The last one is kept back until it is known to be that.
  void add(Message message) {
    if (waiting_) waiting_->append_to(bytes_);
    waiting_ = std::move(message);
  }
  void add_elements(Kind kind, std::span<const Key> keys) {
    auto message = begin(NFT_MSG_NEWSETELEM, NLM_F_CREATE);
    message.text(NFTA_SET_ELEM_LIST_TABLE, table_);
    message.text(NFTA_SET_ELEM_LIST_SET, name_of(kind));
    message.number(NFTA_SET_ELEM_LIST_SET_ID, static_cast<std::uint32_t>(kind));
    message.nest(NFTA_SET_ELEM_LIST_ELEMENTS, [&] {
      for (const Key& key : keys) {
        message.nest(NFTA_LIST_ELEM, [&] {
          message.nest(NFTA_SET_ELEM_KEY, [&] { message.bytes(NFTA_DATA_VALUE, key); });
        });
      }
    });
    add(std::move(message));
  }

  const std::string& table_;
  std::uint32_t next_;
  std::vector<std::uint8_t> bytes_;
  std::optional<Message> waiting_;
};

/// Neighbour solicitations and advertisements pass, or nobody on the link would find the address.
void let_discovery_pass(Expressions& rule) {
  rule.load_meta(NFT_META_NFPROTO, NFT_REG_1);
  rule.compare(NFT_CMP_EQ, NFPROTO_IPV6);
  rule.load_meta(NFT_META_L4PROTO, NFT_REG_1);
  rule.compare(NFT_CMP_EQ, IPPROTO_ICMPV6);
  rule.load_payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
  rule.compare(NFT_CMP_GTE, ND_NEIGHBOR_SOLICIT);
  rule.compare(NFT_CMP_LTE, ND_NEIGHBOR_ADVERT);
  rule.verdict(NF_ACCEPT);
}

/// Offsets and sizes of the addresses in RFC 791 section 3.1 and RFC 8200 section 3.
void drop_if_in(Kind set, const Direction& direction, Expressions& rule) {
  const bool is_v4 = set == Kind::kIpv4;
  rule.load_meta(NFT_META_NFPROTO, NFT_REG_1);
  rule.compare(NFT_CMP_EQ, is_v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
  if (is_v4) {
    rule.load_payload(NFT_PAYLOAD_NETWORK_HEADER, direction.is_incoming ? 16 : 12, 4);
  } else {
    rule.load_payload(NFT_PAYLOAD_NETWORK_HEADER, direction.is_incoming ? 24 : 8, 16);
  }
  if (set == Kind::kLinkLocal) {
    // Right behind the 16 bytes of the address.
    rule.load_meta(direction.is_incoming ? NFT_META_IIFNAME : NFT_META_OIFNAME, NFT_REG_2);
  }
  rule.look_up(set);
  rule.verdict(NF_DROP);
}

}  // namespace

NftablesBatch replace_table(const std::string& name, std::span<const FilteredAddress> addresses,
                            std::uint32_t first) {
  Writer writer{name, first};
  writer.make_table();  // so that there is one to remove
  writer.remove_table();
  writer.make_table();
  writer.make_set(Kind::kIpv4, kShownIpv4, 4);
  writer.make_set(Kind::kIpv6, kShownIpv6, 16);
  writer.make_set(Kind::kLinkLocal, kShownIpv6 << kShownPerPart | kShownInterface, 16 + IFNAMSIZ);
  for (const Kind kind : {Kind::kIpv4, Kind::kIpv6, Kind::kLinkLocal}) {
    std::vector<Key> keys;
    for (const FilteredAddress& filtered : addresses) {
      if (kind_of(filtered) == kind) keys.push_back(key_of(filtered));
    }
    writer.fill_set(kind, keys);
  }
  for (const Direction& direction : kDirections) {
    writer.make_chain(direction);
    writer.make_rule(direction, let_discovery_pass);
    for (const Kind kind : {Kind::kIpv4, Kind::kIpv6, Kind::kLinkLocal}) {
      writer.make_rule(direction, [&](Expressions& rule) { drop_if_in(kind, direction, rule); });
    }
  }
  return writer.finish();
}

NftablesBatch remove_table(const std::string& name, std::uint32_t first) {
  Writer writer{name, first};
  writer.make_table();  // removing what is not there would be an error
  writer.remove_table();
  return writer.finish();
}

}  // namespace ha::vrrp
