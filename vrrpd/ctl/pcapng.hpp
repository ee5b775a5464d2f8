/// What the flight recorder holds, as pcapng (draft-ietf-opsawg-pcapng): packets with their
/// interface, direction and a comment that says what became of them, decisions between them as
/// journal entries. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "vrrpd/ctl/render.hpp"

namespace ha::ctl {

/// Packets are in the form of `tcpdump -i any` (LINKTYPE_LINUX_SLL2), which has room for a
/// direction and needs no Ethernet header that nobody knows: a file for all interfaces that
/// tcpdump, too, can read.
class PcapngWriter {
 public:
  /// What a file begins with.
  [[nodiscard]] std::string begin() const;

  /// Blocks for the records of `answer`, the daemon's to a `capture` request.
  struct Part {
    Output output;      ///< `out` is binary
    std::string last;   ///< for the next request; empty if the answer was none
    bool more = false;  ///< there were records: ask again at once
  };
  [[nodiscard]] Part add(std::string_view answer);

 private:
  [[nodiscard]] std::string interface_number(const std::string& name, std::uint32_t& number);

  std::map<std::string, std::uint32_t> interfaces_;
};

}  // namespace ha::ctl
