#include "trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ha::sim {
namespace {

struct DescribeEvent {
  std::string operator()(const vrrp::Started& event) const {
    return fmt::format("started as {} with {}{}", event.address.to_string(), event.priority.value(),
                       event.predecessor_advertised_at ? ", succeeding" : "");
  }
  std::string operator()(const vrrp::Faulted& event) const {
    static constexpr std::string_view kCauses[] = {"interface down", "no primary address",
                                                   "no virtual addresses"};
    return fmt::format("fault: {}", kCauses[static_cast<std::size_t>(event.cause)]);
  }
  std::string operator()(const vrrp::ShutDown&) const { return "shut down"; }
  std::string operator()(const vrrp::AdvertReceived& event) const {
    return fmt::format("hears {} {} every {}", event.source.to_string(), event.priority.value(),
                       seconds(event.interval));
  }
  std::string operator()(const vrrp::PriorityChanged& event) const {
    return fmt::format("priority is {}", event.priority.value());
  }
  std::string operator()(const vrrp::AddressChanged& event) const {
    return fmt::format("address is {}", event.address.to_string());
  }
  std::string operator()(const vrrp::AnnouncementDue&) const { return "announcement due"; }
  std::string operator()(const vrrp::AddressesLost&) const { return "addresses lost"; }
  std::string operator()(const vrrp::TakeOverDeferred&) const { return "take-over deferred"; }
  std::string operator()(const vrrp::TakeOver&) const { return "take over"; }
  std::string operator()(const vrrp::StepAside&) const { return "step aside"; }
  std::string operator()(const vrrp::Reconfigured&) const { return "reconfigured"; }
  std::string operator()(const vrrp::DeadlineReached&) const { return "timer"; }
};

struct DescribeAction {
  std::string operator()(const vrrp::SendAdvert& action) const {
    return fmt::format("advert {}", action.priority.value());
  }
  std::string operator()(const vrrp::AcquireAddresses&) const { return "acquire"; }
  std::string operator()(const vrrp::ReleaseAddresses&) const { return "release"; }
  std::string operator()(const vrrp::RestoreAddresses&) const { return "restore"; }
  std::string operator()(const vrrp::Announce&) const { return "announce"; }
  std::string operator()(const vrrp::Transitioned& action) const {
    return fmt::format("({}{}{})", vrrp::name_of(action.event), action.stalled ? ", stalled" : "",
                       action.succeeded ? ", succeeded" : "");
  }
  std::string operator()(const vrrp::LosingAdvertHeard&) const { return "(losing)"; }
  std::string operator()(const vrrp::MasterChanged& action) const {
    return fmt::format("(follows {})", action.master.source.to_string());
  }
};

}  // namespace

std::string name_of(NodeId node) { return fmt::format("r{}", node); }

std::string seconds(Duration duration) {
  const auto count = duration.count();
  return fmt::format("{}.{:09}s", count / 1'000'000'000, count % 1'000'000'000);
}

std::string describe(const vrrp::Event& event) { return std::visit(DescribeEvent{}, event); }

std::string describe(const std::vector<vrrp::Action>& actions) {
  std::string text;
  for (const vrrp::Action& action : actions) {
    if (!text.empty()) text += ", ";
    text += std::visit(DescribeAction{}, action);
  }
  return text;
}

std::string describe(const vrrp::RouterConfig& config, const IpAddress& address) {
  static constexpr std::string_view kPreempt[] = {"no", "yes", "degraded"};
  return fmt::format(
      "{} version {} priority {} interval {} preempt {} delay {} announce {} again after {} "
      "refresh {}",
      address.to_string(), static_cast<int>(config.version), config.priority.value(),
      seconds(config.advertisement_interval), kPreempt[static_cast<std::size_t>(config.preempt)],
      seconds(config.preempt_delay), config.announcements.repeat,
      seconds(config.announcements.second_burst_delay), seconds(config.announcements.refresh));
}

void Trace::stepped(const StepRecord& record) {
  const bool routine = std::holds_alternative<vrrp::AdvertReceived>(record.event) ||
                       std::holds_alternative<vrrp::DeadlineReached>(record.event);
  const bool same = record.before == record.step.next && record.step.actions.empty();
  if (routine && same) return;
  std::string text = fmt::format("{} {:<10} {}", name_of(record.node), vrrp::name_of(record.before),
                                 describe(record.event));
  if (record.before.index() != record.step.next.index()) {
    text += fmt::format(" -> {}", vrrp::name_of(record.step.next));
  }
  if (!record.step.actions.empty()) text += ": " + describe(record.step.actions);
  if (const auto due = vrrp::deadline(record.step.next)) {
    text += fmt::format("  [timer {}]", seconds(*due - (record.now - record.lan_now) - start_));
  }
  add(record.lan_now, text);
}

void Trace::crashed(NodeId node, TimePoint now) { add(now, name_of(node) + " DIES"); }

void Trace::paused(NodeId node, TimePoint now) { add(now, name_of(node) + " STOPS"); }

void Trace::resumed(NodeId node, TimePoint now) { add(now, name_of(node) + " CONTINUES"); }

void Trace::remarked(std::string_view text, TimePoint now) { add(now, fmt::format("-- {}", text)); }

std::string Trace::tail(std::size_t count) const {
  std::string text;
  const std::size_t from = lines_.size() - std::min(count, lines_.size());
  for (std::size_t line = from; line < lines_.size(); ++line) text += lines_[line] + "\n";
  return text;
}

void Trace::add(TimePoint now, std::string_view text) {
  lines_.push_back(fmt::format("{:>20}  {}", seconds(now - start_), text));
}

}  // namespace ha::sim
