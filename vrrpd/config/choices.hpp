/// The words of the configuration that stand for enumerators, in one place for reading and
/// printing.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "haproxy_probe/config.hpp"
#include "vrrpd/config/config.hpp"
#include "vrrpd/config/scalars.hpp"

namespace ha::config {

template <class E>
struct Choice {
  std::string_view word;
  E value;
};

inline constexpr std::array<Choice<vrrp::Preempt>, 3> kPreemptChoices{
    {{"true", vrrp::Preempt::kYes},
     {"false", vrrp::Preempt::kNo},
     {"degraded", vrrp::Preempt::kDegraded}}};
inline constexpr std::array<Choice<vrrp::ChecksumPolicy>, 3> kChecksumChoices{
    {{"auto", vrrp::ChecksumPolicy::kAuto},
     {"pseudo-header", vrrp::ChecksumPolicy::kPseudoHeader},
     {"message-only", vrrp::ChecksumPolicy::kMessageOnly}}};
inline constexpr std::array<Choice<vrrp::ArpForm>, 3> kArpFormChoices{
    {{"request", vrrp::ArpForm::kRequest},
     {"reply", vrrp::ArpForm::kReply},
     {"both", vrrp::ArpForm::kBoth}}};
inline constexpr std::array<Choice<probe::Combine>, 2> kCombineChoices{
    {{"and", probe::Combine::kAnd}, {"or", probe::Combine::kOr}}};
/// Without kMatch, which is written as a map.
inline constexpr std::array<Choice<probe::ServerScope>, 2> kScopeChoices{
    {{"local", probe::ServerScope::kLocal}, {"all", probe::ServerScope::kAll}}};
inline constexpr std::array<Choice<vrrp::LogLevel>, 4> kLogLevelChoices{
    {{"debug", vrrp::LogLevel::kDebug},
     {"info", vrrp::LogLevel::kInfo},
     {"warning", vrrp::LogLevel::kWarning},
     {"error", vrrp::LogLevel::kError}}};
inline constexpr std::array<Choice<vrrp::LogFormat>, 2> kLogFormatChoices{
    {{"text", vrrp::LogFormat::kText}, {"json", vrrp::LogFormat::kJson}}};

/// The value whose word is `text`; a refusal names all words.
template <class E, std::size_t N>
[[nodiscard]] Parsed<E> parse_choice(std::string_view text,
                                     const std::array<Choice<E>, N>& choices) {
  std::string words;
  for (std::size_t i = 0; i < N; ++i) {
    if (choices[i].word == text) return choices[i].value;
    if (i > 0) words += i + 1 == N ? " or " : ", ";
    words += choices[i].word;
  }
  return tl::make_unexpected("is not " + words);
}

/// The word of `value`; empty for one that has none.
template <class E, std::size_t N>
[[nodiscard]] std::string_view word_of(E value, const std::array<Choice<E>, N>& choices) {
  for (const Choice<E>& choice : choices) {
    if (choice.value == value) return choice.word;
  }
  return {};
}

}  // namespace ha::config
