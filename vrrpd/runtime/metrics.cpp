#include "vrrpd/runtime/metrics.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace ha::vrrp {
namespace {

constexpr std::array<std::string_view, 4> kStates{"initialize", "backup", "master", "fault"};

/// A label's value as it stands between quotes. What is no printable ASCII becomes '?': the format
/// wants UTF-8, and names come from elsewhere.
[[nodiscard]] std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') result += '\\';
    result += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return result;
}

using Label = std::pair<std::string_view, std::string_view>;

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  /// `suffix` follows the family's name, for histograms.
  template <class T>
  void sample(std::initializer_list<Label> labels, T value, std::string_view suffix = "") {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto& [label, content] : labels) {
      fmt::format_to(std::back_inserter(text_), "{}{}=\"{}\"", before, label, escaped(content));
      before = ',';
    }
    fmt::format_to(std::back_inserter(text_), "{} {}\n", labels.size() == 0 ? "" : "}", value);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string_view name_;
};

void write_states(Text& text, const Status& status) {
  text.family("vrrpd_instance_state", "gauge", "1 for the state that the virtual router is in.");
  for (const RouterStatus& router : status.instances) {
    for (const std::string_view state : kStates) {
      text.sample({{"instance", router.name}, {"state", state}}, router.state == state ? 1 : 0);
    }
  }
  text.family("vrrpd_effective_priority", "gauge", "Priority less all demotions.");
  for (const RouterStatus& router : status.instances) {
    text.sample({{"instance", router.name}}, router.effective_priority.value());
  }
  text.family("vrrpd_demotion", "gauge", "What a source takes off the priority; 0: nothing.");
  for (const RouterStatus& router : status.instances) {
    for (const Demotion& track : router.tracks) {
      text.sample({{"instance", router.name}, {"source", track.source}}, track.amount);
    }
  }
}

void write_counter(Text& text, const Status& status, std::string_view name, std::string_view help,
                   std::uint64_t RouterStatistics::*counter) {
  text.family(name, "counter", help);
  for (const RouterStatus& router : status.instances) {
    text.sample({{"instance", router.name}}, router.statistics.*counter);
  }
}

void write_counters(Text& text, const Status& status) {
  write_counter(text, status, "vrrpd_master_transitions_total", "Times it became master.",
                &RouterStatistics::master_transitions);
  write_counter(text, status, "vrrpd_advertisements_sent_total", "Advertisements sent.",
                &RouterStatistics::advertisement_sent);
  write_counter(text, status, "vrrpd_advertisements_received_total",
                "Advertisements received and accepted.", &RouterStatistics::advertisement_rcvd);
  write_counter(text, status, "vrrpd_address_restored_total",
                "Addresses put back after somebody else had removed them.",
                &RouterStatistics::addresses_restored);
}

void write_errors(Text& text, const Status& status) {
  text.family("vrrpd_packet_errors_total", "counter",
              "Packets dropped; instance is empty where none can be charged with them.");
  const auto write = [&](std::string_view instance, const auto& kinds, const auto& counters) {
    for (const PacketError kind : kinds) {
      text.sample({{"instance", instance}, {"kind", counter_name(kind)}},
                  counters[static_cast<std::size_t>(kind)]);
    }
  };
  for (const RouterStatus& router : status.instances) {
    write(router.name, kRouterErrors, router.statistics.errors);
  }
  write("", kGlobalErrors, status.errors);
}

void write_alarms(Text& text, const Status& status) {
  text.family("vrrpd_alarms", "gauge",
              "Conditions that need a human, for as long as they last; instance is empty for "
              "HAProxy's.");
  for (const RouterStatus& router : status.instances) {
    std::map<std::string_view, int> kinds;
    for (const Alarm& alarm : router.alarms) ++kinds[alarm.kind];
    for (const auto& [kind, count] : kinds) {
      text.sample({{"instance", router.name}, {"kind", kind}}, count);
    }
  }
  if (status.haproxy) {
    text.sample({{"instance", ""}, {"kind", "haproxy"}}, status.haproxy->alarm.empty() ? 0 : 1);
  }
}

[[nodiscard]] double seconds(Duration duration) {
  return std::chrono::duration<double>{duration}.count();
}

void write_lag(Text& text, const LoopLag& lag) {
  text.family("vrrpd_loop_lag_seconds", "histogram", "How late the event loop's timer fired.");
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < lag.counts.size(); ++i) {
    count += lag.counts[i];
    const std::string bound = i < LoopLag::kBounds.size()
                                  ? fmt::format("{}", seconds(LoopLag::kBounds[i]))
                                  : std::string{"+Inf"};
    text.sample({{"le", bound}}, count, "_bucket");
  }
  text.sample({}, seconds(lag.sum), "_sum");
  text.sample({}, count, "_count");
}

/// Where HAProxy is not tracked, there is nothing to say, and 0 would be a lie.
void write_haproxy(Text& text, const Status& status) {
  const HaproxyStatus* haproxy = status.haproxy ? &*status.haproxy : nullptr;
  const auto single = [&](std::string_view name, std::string_view type, std::string_view help,
                          auto value) {
    text.family(name, type, help);
    if (haproxy != nullptr) text.sample({}, value(*haproxy));
  };
  single("vrrpd_backend_health_percentage", "gauge", "Counted servers of HAProxy that are up.",
         [](const HaproxyStatus& h) { return h.percentage; });
  // A gauge must not be called a count, say Prometheus' rules; this name is what people asked for.
  single("vrrpd_healthy_teams_count", "untyped", "Teams with a server that is up.",
         [](const HaproxyStatus& h) { return h.healthy_teams; });
  text.family("vrrpd_team_servers_up", "gauge", "Counted servers of the team that are up.");
  if (haproxy != nullptr) {
    for (const TeamStatus& team : haproxy->teams) text.sample({{"team", team.name}}, team.up);
  }
  single("vrrpd_grace_period_active", "gauge",
         "1 while HAProxy is bad and its grace period has not ended.",
         [](const HaproxyStatus& h) { return h.grace_remaining.count() > 0 ? 1 : 0; });
  single("vrrpd_failover_triggered_total", "counter",
         "Times that HAProxy's verdict began to take something off the priority.",
         [](const HaproxyStatus& h) { return h.failovers_triggered; });
}

}  // namespace

std::string to_metrics(const Status& status) {
  Text text;
  write_states(text, status);
  write_counters(text, status);
  write_errors(text, status);
  write_alarms(text, status);
  write_lag(text, status.loop_lag);
  write_haproxy(text, status);
  return text.take();
}

}  // namespace ha::vrrp
