#include "haproxy_probe/cli/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace ha::probe::cli {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::size_t kFractionDigitsMax = 9;
/// A TimePoint counts nanoseconds in 64 bits, which end in 2262.
constexpr int kYearMin = 1970;
constexpr int kYearMax = 2199;

/// Takes `digits` digits off the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& number) {
  if (text.size() < digits) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  const bool good = error == std::errc{} && end == text.data() + digits && text[0] != '-';
  text.remove_prefix(digits);
  return good;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

/// ".25": whole milliseconds of it.
bool take_fraction(std::string_view& text, int& thousandths) {
  if (!take(text, '.')) return true;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kFractionDigitsMax) return false;
  int weight = 100;
  for (const char c : text.substr(0, std::min<std::size_t>(digits, 3))) {
    thousandths += weight * (c - '0');
    weight /= 10;
  }
  text.remove_prefix(digits);
  return true;
}

struct Kind {
  std::string_view name;
  std::string_view cause;
};

Kind kind_of(const Event& event) {
  if (std::holds_alternative<StatsReceived>(event)) return {"answer", {}};
  if (const auto* gone = std::get_if<HaproxyGone>(&event)) return {"gone", gone->reason};
  if (const auto* unusable = std::get_if<AnswerUnusable>(&event)) {
    return {"unusable", unusable->reason};
  }
  return {"time", {}};
}

/// A number from 0 to `max`, or -1.
int number_in(const ordered_json& object, const char* key, int max) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return -1;
  if (found->is_number_unsigned()) {
    const auto value = found->get<std::uint64_t>();
    return value <= static_cast<std::uint64_t>(max) ? static_cast<int>(value) : -1;
  }
  const auto value = found->get<std::int64_t>();
  return value >= 0 && value <= max ? static_cast<int>(value) : -1;
}

/// A team's name; nothing if it has none that HAProxy could have given it.
std::optional<std::string> name_in(const ordered_json& team) {
  if (!team.is_object()) return std::nullopt;
  const auto found = team.find("name");
  if (found == team.end() || !found->is_string()) return std::nullopt;
  const auto& name = found->get_ref<const std::string&>();
  const bool control = std::any_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < ' '; });
  if (name.empty() || name.size() > kNameBytesMax || control) return std::nullopt;
  return name;
}

tl::expected<StatsReceived, std::string> answer_of(const ordered_json& line) {
  const auto teams = line.find("teams");
  if (teams == line.end() || !teams->is_array()) return tl::make_unexpected("no list `teams`");
  StatsReceived answer;
  for (const ordered_json& team : *teams) {
    const auto name = name_in(team);
    if (!name) return tl::make_unexpected("a team without a `name`");
    const int left = static_cast<int>(kServersMax - answer.servers.size());
    const int servers = number_in(team, "servers", left);
    const int up = number_in(team, "up", std::max(servers, 0));
    if (servers < 0 || up < 0) {
      return tl::make_unexpected(
          fmt::format("team {} without whole numbers `servers` and, not above it, `up`; at most {} "
                      "servers in all",
                      *name, kServersMax));
    }
    const auto add = [&](ServerClass status) {
      answer.servers.push_back({*name, "s", status, std::nullopt, true});
    };
    for (int i = 0; i < servers; ++i) add(i < up ? ServerClass::kUp : ServerClass::kDown);
    // A team that does not count is one whose server does not.
    if (servers == 0 && left > 0) add(ServerClass::kExcluded);
  }
  return answer;
}

tl::expected<Event, std::string> event_of(const ordered_json& line) {
  const std::string kind = line.value("event", ordered_json{}).is_string()
                               ? line.at("event").get<std::string>()
                               : std::string{};
  const auto cause = line.find("cause");
  const std::string why = cause != line.end() && cause->is_string() ? cause->get<std::string>()
                                                                    : "no cause was recorded";
  if (kind == "answer") {
    auto answer = answer_of(line);
    if (!answer) return tl::make_unexpected(std::move(answer.error()));
    return std::move(*answer);
  }
  if (kind == "gone") return HaproxyGone{why};
  if (kind == "unusable") return AnswerUnusable{why};
  if (kind == "time") return DeadlineReached{};
  return tl::make_unexpected("no `event` that is answer, unusable, gone or time");
}

}  // namespace

std::string to_text(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

tl::expected<WallTime, std::string> parse_time(std::string_view text) {
  using namespace std::chrono;
  int y = 0;
  int m = 0;
  int d = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int thousandths = 0;
  const bool good = take_number(text, 4, y) && take(text, '-') && take_number(text, 2, m) &&
                    take(text, '-') && take_number(text, 2, d) && take(text, 'T') &&
                    take_number(text, 2, hour) && take(text, ':') && take_number(text, 2, minute) &&
                    take(text, ':') && take_number(text, 2, second) &&
                    take_fraction(text, thousandths) && take(text, 'Z') && text.empty();
  const year_month_day date{year{y}, month{static_cast<unsigned>(m)},
                            day{static_cast<unsigned>(d)}};
  const bool in_range = y >= kYearMin && y <= kYearMax && date.ok() && hour <= 23 && minute <= 59;
  if (!good || !in_range || second > 60) {
    return tl::make_unexpected(
        fmt::format("no `time` like 2026-01-07T10:15:00.250Z, of {} to {}", kYearMin, kYearMax));
  }
  return sys_days{date} + hours{hour} + minutes{minute} + seconds{second} +
         milliseconds{thousandths};
}

std::string line_of(WallTime time, TimePoint now, const Event& event, const Report& report) {
  const Kind kind = kind_of(event);
  ordered_json line{{"time", to_text(time)}, {"event", kind.name}};
  if (!kind.cause.empty()) line["cause"] = kind.cause;
  line["teams"] = ordered_json::array();
  for (const TeamHealth& team : report.teams) {
    line["teams"].push_back({{"name", team.name},
                             {"up", team.up},
                             {"servers", team.servers},
                             {"healthy", team.healthy()}});
  }
  line["verdict"] = name_of(report.verdict);
  line["servers-up"] = report.servers_up;
  line["servers"] = report.servers;
  line["percentage"] = report.percentage;
  line["healthy-teams"] = report.healthy_teams;
  const Duration left = report.grace_ends_at ? *report.grace_ends_at - now : Duration::zero();
  line["grace-remaining-ms"] =
      std::max(std::chrono::duration_cast<milliseconds>(left), milliseconds{0}).count();
  line["reason"] = report.reason;
  if (report.alarm) line["alarm"] = *report.alarm;
  // HAProxy's words may be no UTF-8.
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

tl::expected<Recorded, std::string> parse_line(std::string_view line) {
  if (line.size() > kLineBytesMax) {
    return tl::make_unexpected(fmt::format("more than {} bytes", kLineBytesMax));
  }
  const ordered_json json = ordered_json::parse(line, nullptr, false);
  if (!json.is_object()) return tl::make_unexpected("not a JSON object");
  const auto stamp = json.find("time");
  const auto time =
      parse_time(stamp != json.end() && stamp->is_string() ? stamp->get_ref<const std::string&>()
                                                           : std::string{});
  if (!time) return tl::make_unexpected(time.error());
  auto event = event_of(json);
  if (!event) return tl::make_unexpected(std::move(event.error()));
  return Recorded{*time, std::move(*event)};
}

}  // namespace ha::probe::cli
