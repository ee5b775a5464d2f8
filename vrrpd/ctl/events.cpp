#include "vrrpd/ctl/events.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "vrrpd/ctl/answer.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::ctl {
namespace {

/// "110", or "60 = 110 - 50 (haproxy)"; the reasons are said where the priority changes.
std::string priority_text(const Json& event, bool with_reasons) {
  const std::string effective = text_of(event, "effective-priority");
  const Json& demotions = list_of(event, "demotions");
  if (demotions.empty()) return effective;
  std::string text = fmt::format("{} = {}", effective, text_of(event, "priority"));
  std::int64_t left =
      field(event, "priority").is_number() ? field(event, "priority").get<int>() : 0;
  for (const Json& demotion : demotions) {
    const Json& amount = field(demotion, "demotion");
    if (amount.is_number()) left -= amount.get<std::int64_t>();
    text += fmt::format(" - {} ({}{})", text_of(amount), text_of(demotion, "name"),
                        with_reasons ? ": " + text_of(demotion, "reason") : "");
  }
  return left < 1 ? text + ", never below 1" : text;
}

std::string painted(const std::string& state, Form form) {
  if (form != Form::kColouredText) return state;
  const int colour = state == "master" ? 32 : state == "fault" ? 31 : 0;
  return colour == 0 ? state : fmt::format("\x1b[{}m{}\x1b[0m", colour, state);
}

std::string line_of(const Json& event, Form form) {
  const std::string time = text_of(event, "time");
  const std::string kind = text_of(event, "kind");
  const std::string text = text_of(event, "text");
  if (field(event, "instance").is_null()) return fmt::format("{} {}: {}\n", time, kind, text);
  const std::string instance = text_of(event, "instance");
  const std::string state = painted(text_of(event, "state"), form);
  if (kind == "transition") {
    return fmt::format("{} {} {}, priority {}: {}\n", time, instance, state,
                       priority_text(event, false), text);
  }
  if (kind == "priority") {
    return fmt::format("{} {} priority {}, {}\n", time, instance, priority_text(event, true),
                       state);
  }
  return fmt::format("{} {} {}: {}\n", time, instance, kind, text);
}

/// A time that events can be compared with as text.
bool is_a_time(const std::string& text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() < 4 || text.size() > kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
    // The seconds may be whole: "…:00Z".
    const bool ends_early = text[i] == 'Z' && i == 19 && i + 1 == text.size();
    if (!ends_early && (kForm[i] == 'd' ? !is_digit : text[i] != kForm[i])) return false;
  }
  return true;
}

}  // namespace

tl::expected<std::string, std::string> parse_since(const std::string& text,
                                                   std::chrono::system_clock::time_point now) {
  if (text.empty()) return std::string{};
  if (is_a_time(text)) return text.back() == 'Z' ? text.substr(0, text.size() - 1) : text;
  const auto span = config::parse_duration(text);
  if (!span) {
    return tl::unexpected{fmt::format(
        "'{}' is neither a span such as 90s, 10m or 24h nor a time such as 2026-01-07T10:15",
        printable(text))};
  }
  const auto at = now - std::chrono::duration_cast<std::chrono::milliseconds>(*span);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  if (ms.count() < 0) return std::string{};
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms.count() / 1000)), ms.count() % 1000);
}

EventsPart present_events(std::string_view answer, const std::string& since, Form form) {
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || field(json, "ok") != true) {
    return {present(Command::kEvents, answer, form), {}};
  }
  EventsPart part;
  part.last = text_of(json, "last");
  for (const Json& event : list_of(json, "events")) {
    if (text_of(event, "time") < since) continue;
    part.output.out += form == Form::kJson ? to_line(event) + '\n' : line_of(event, form);
  }
  return part;
}

}  // namespace ha::ctl
