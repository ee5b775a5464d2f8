#include "vrrpd/runtime/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>

namespace ha::vrrp {
namespace {

/// JSON as text, written in one go: a tree of it for 1,020 virtual routers would take 30 ms, and
/// advertisements have to leave meanwhile.
class JsonText {
 public:
  void open(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
  }
  void close(char bracket) {
    text_ += bracket;
    first_ = false;
  }
  void key(std::string_view name) {
    value(name);
    text_ += ':';
    first_ = true;
  }
  template <std::integral T>
  void value(T number) {
    separate();
    if constexpr (std::same_as<T, bool>) {
      text_ += number ? "true" : "false";
    } else {
      text_ += fmt::format_int{number}.c_str();
    }
  }
  void value(std::string_view text) {
    separate();
    const auto plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    if (std::all_of(text.begin(), text.end(), plain)) {
      text_.append(1, '"').append(text).append(1, '"');
    } else {
      // The configuration may hold anything; what is not UTF-8 becomes a replacement character.
      text_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
  }
  /// Milliseconds with one decimal: finer than any difference that matters.
  void value(Duration duration) {
    using Tenths = std::chrono::duration<std::int64_t, std::ratio<1, 10'000>>;
    const auto tenths = std::chrono::round<Tenths>(duration).count();
    separate();
    fmt::format_to(std::back_inserter(text_), "{}.{}", tenths / 10, tenths % 10);
  }
  void member(std::string_view name, const auto& content) {
    key(name);
    value(content);
  }
  void text_or_null(std::string_view name, std::string_view text) {
    key(name);
    if (text.empty()) {
      separate();
      text_ += "null";
    } else {
      value(text);
    }
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }

  std::string text_;
  bool first_ = true;  ///< nothing before it to be separated from
};

template <std::size_t N>
void write_errors(JsonText& json, const std::array<PacketError, N>& kinds,
                  const std::array<std::uint64_t, kPacketErrorCount>& counters) {
  for (const PacketError kind : kinds) {
    json.member(counter_name(kind), counters[static_cast<std::size_t>(kind)]);
  }
}

void write(JsonText& json, const Demotion& track) {
  json.open('{');
  json.member("name", track.source);
  json.member("demotion", track.amount);
  if (track.fault) json.member("fault", true);
  json.member("reason", track.reason);
  json.close('}');
}

void write(JsonText& json, const Alarm& alarm) {
  json.open('{');
  json.member("kind", alarm.kind);
  json.text_or_null("peer", alarm.peer);
  json.member("ours", alarm.ours);
  json.member("theirs", alarm.theirs);
  json.member("since", to_utc(alarm.since));
  json.close('}');
}

void write(JsonText& json, const RouterStatistics& statistics) {
  json.open('{');
  json.member("master-transitions", statistics.master_transitions);
  json.member("advertisement-rcvd", statistics.advertisement_rcvd);
  json.member("advertisement-sent", statistics.advertisement_sent);
  json.member("priority-zero-pkts-rcvd", statistics.priority_zero_pkts_rcvd);
  json.member("priority-zero-pkts-sent", statistics.priority_zero_pkts_sent);
  write_errors(json, kRouterErrors, statistics.errors);
  json.member("addresses-restored", statistics.addresses_restored);
  json.close('}');
}

void write(JsonText& json, std::string_view text) { json.value(text); }

template <class T>
void write_list(JsonText& json, std::string_view name, const std::vector<T>& items) {
  json.key(name);
  json.open('[');
  for (const T& item : items) write(json, item);
  json.close(']');
}

void write(JsonText& json, const RouterStatus& router) {
  json.open('{');
  json.member("name", router.name);
  json.member("interface", router.interface);
  if (!router.virtual_mac.empty()) {
    json.member("virtual-interface", router.virtual_interface);
    json.member("virtual-mac", router.virtual_mac);
  }
  json.member("vrid", router.vrid.value());
  json.member("version", static_cast<int>(router.version));
  json.member("state", router.state);
  json.member("priority", router.priority.value());
  json.member("effective-priority", router.effective_priority.value());
  write_list(json, "addresses", router.addresses);
  json.text_or_null("last-adv-source", router.last_adv_source);
  json.member("master-down-interval-ms", router.master_down_interval);
  json.member("skew-time-ms", router.skew_time);
  json.member("last-event", name_of(router.last_event));
  json.member("new-master-reason", name_of(router.new_master_reason));
  json.member("reason", router.why);
  json.member("since", to_utc(router.since));
  if (!router.group.empty()) json.member("group", router.group);
  write_list(json, "tracks", router.tracks);
  write_list(json, "alarms", router.alarms);
  json.key("statistics");
  write(json, router.statistics);
  json.close('}');
}

void write(JsonText& json, const TeamStatus& team) {
  json.open('{');
  json.member("name", team.name);
  json.member("up", team.up);
  json.member("servers", team.servers);
  json.member("healthy", team.healthy);
  json.close('}');
}

void write(JsonText& json, const HaproxyStatus& haproxy) {
  json.open('{');
  json.member("verdict", haproxy.verdict);
  json.member("servers-up", haproxy.servers_up);
  json.member("servers", haproxy.servers);
  json.member("percentage", haproxy.percentage);
  json.member("healthy-teams", haproxy.healthy_teams);
  write_list(json, "teams", haproxy.teams);
  json.member("grace-remaining-ms", haproxy.grace_remaining.count());
  json.member("reason", haproxy.reason);
  if (!haproxy.alarm.empty()) json.member("alarm", haproxy.alarm);
  json.close('}');
}

}  // namespace

std::string to_utc(WallClock time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{seconds - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string to_utc_ms(WallClock time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  std::string text = to_utc(time);
  text.insert(text.size() - 1, fmt::format(".{:03}", ms % 1000));
  return text;
}

std::string to_json(const Status& status) {
  JsonText json;
  json.open('{');
  json.member("node", status.node);
  json.member("version", status.version);
  write_list(json, "instances", status.instances);
  json.key("statistics");
  json.open('{');
  write_errors(json, kGlobalErrors, status.errors);
  json.close('}');
  if (status.haproxy) {
    json.key("haproxy");
    write(json, *status.haproxy);
  }
  if (status.confirm_within) {
    json.key("pending-confirmation");
    json.open('{');
    json.member("remaining-ms", status.confirm_within->count());
    json.close('}');
  }
  if (status.drained) {
    json.key("drained");
    json.open('{');
    json.member("since", to_utc(status.drained->since));
    json.member("saved", status.drained->saved);
    if (!status.drained->trouble.empty()) json.member("trouble", status.drained->trouble);
    json.close('}');
  }
  json.member("last-event-number", status.last_event);
  json.close('}');
  return json.take();
}

}  // namespace ha::vrrp
