/// The words of the configuration that stand for enumerators, in one place for reading and
/// printing.
#pragma once

#include <array>

#include "haproxy_probe/config.hpp"
#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/choice.hpp"

namespace ha::config {

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
/// Whether advertisements leave by the macvlan.
inline constexpr std::array<Choice<bool>, 2> kTransmitChoices{
    {{"virtual", true}, {"parent", false}}};
/// Others are written as numbers.
inline constexpr std::array<Choice<int>, 5> kScopeNames{
    {{"global", 0}, {"site", 200}, {"link", 253}, {"host", 254}, {"nowhere", 255}}};
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

inline constexpr std::array<Choice<bool>, 2> kWhenChoices{
    {{"healthy", true}, {"unhealthy", false}}};
inline constexpr std::array<Choice<checks::FileProbe::Present>, 3> kPresentChoices{
    {{"healthy", checks::FileProbe::Present::kHealthy},
     {"unhealthy", checks::FileProbe::Present::kUnhealthy},
     {"number", checks::FileProbe::Present::kNumber}}};
inline constexpr std::array<Choice<checks::ProcessProbe::Match>, 4> kMatchChoices{
    {{"any", checks::ProcessProbe::Match::kAny},
     {"exact", checks::ProcessProbe::Match::kExact},
     {"beginning", checks::ProcessProbe::Match::kBeginning},
     {"initial", checks::ProcessProbe::Match::kInitial}}};
inline constexpr std::array<Choice<checks::Initial>, 2> kInitialChoices{
    {{"unknown", checks::Initial::kUnknown}, {"unhealthy", checks::Initial::kUnhealthy}}};

}  // namespace ha::config
