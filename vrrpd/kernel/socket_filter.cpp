#include "vrrpd/kernel/socket_filter.hpp"

#include <sys/socket.h>

namespace ha::vrrp {
namespace {

constexpr std::uint32_t kWordBits = 32;
constexpr std::uint32_t kWords = 256 / kWordBits;
constexpr std::uint32_t kVridOffset = 1;
constexpr std::uint32_t kAcceptWhole = 0xffffffff;
constexpr std::uint32_t kDrop = 0;

sock_filter statement(int code, std::uint32_t value) {
  return {static_cast<std::uint16_t>(code), 0, 0, value};
}

/// Skips so many steps, depending on the comparison of A with `value`.
sock_filter branch(int code, std::uint32_t value, std::uint8_t if_true, std::uint8_t if_false) {
  return {static_cast<std::uint16_t>(BPF_JMP | code), if_true, if_false, value};
}

std::uint32_t word_of(const VridSet& vrids, std::uint32_t index) {
  std::uint32_t word = 0;
  for (std::uint32_t bit = 0; bit < kWordBits; ++bit) {
    if (vrids[index * kWordBits + bit]) word |= std::uint32_t{1} << bit;
  }
  return word;
}

/// Loads the VRID into A; a message too short to have one is accepted right away.
std::vector<sock_filter> load_vrid(Family family) {
  if (family == Family::kIpv6) {
    return {statement(BPF_LD | BPF_W | BPF_LEN, 0), branch(BPF_JGT | BPF_K, kVridOffset, 1, 0),
            statement(BPF_RET | BPF_K, kAcceptWhole),
            statement(BPF_LD | BPF_B | BPF_ABS, kVridOffset)};
  }
  return {statement(BPF_LDX | BPF_B | BPF_MSH, 0),  // X: the length of the IP header
          statement(BPF_LD | BPF_W | BPF_LEN, 0),          statement(BPF_ALU | BPF_SUB | BPF_X, 0),
          branch(BPF_JGT | BPF_K, kVridOffset, 1, 0),      statement(BPF_RET | BPF_K, kAcceptWhole),
          statement(BPF_LD | BPF_B | BPF_IND, kVridOffset)};
}

}  // namespace

// The set is a bitmap of eight words. Classic BPF cannot index a table, so the word is chosen by
// comparing its number; the bit in it is shifted to the end.
std::vector<sock_filter> vrid_filter(Family family, const VridSet& vrids) {
  std::vector<sock_filter> program = load_vrid(family);
  program.push_back(statement(BPF_ST, 0));
  program.push_back(statement(BPF_ALU | BPF_AND | BPF_K, kWordBits - 1));
  program.push_back(statement(BPF_MISC | BPF_TAX, 0));
  program.push_back(statement(BPF_LD | BPF_MEM, 0));
  program.push_back(statement(BPF_ALU | BPF_RSH | BPF_K, 5));
  constexpr std::uint32_t kStepsPerWord = 3;
  for (std::uint32_t index = 0; index < kWords; ++index) {
    program.push_back(branch(BPF_JEQ | BPF_K, index, 0, kStepsPerWord - 1));
    program.push_back(statement(BPF_LD | BPF_IMM, word_of(vrids, index)));
    program.push_back(statement(BPF_JMP | BPF_JA, (kWords - 1 - index) * kStepsPerWord));
  }
  program.push_back(statement(BPF_ALU | BPF_RSH | BPF_X, 0));
  program.push_back(branch(BPF_JSET | BPF_K, 1, 0, 1));
  program.push_back(statement(BPF_RET | BPF_K, kAcceptWhole));
  program.push_back(statement(BPF_RET | BPF_K, kDrop));
  return program;
}

std::vector<sock_filter> deaf_filter() { return {statement(BPF_RET | BPF_K, kDrop)}; }

bool attach(int descriptor, const std::vector<sock_filter>& program) {
  // The kernel copies the program and does not write to it.
  const sock_fprog wrapped{static_cast<unsigned short>(program.size()),
                           const_cast<sock_filter*>(program.data())};
  return ::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &wrapped, sizeof wrapped) == 0;
}

void remove_filter(int descriptor) {
  // Fails only where there is none.
  const int unused = 0;
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused));
}

}  // namespace ha::vrrp
