#include "vrrpd/ctl/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "vrrpd/ctl/answer.hpp"

namespace ha::ctl {
namespace {

// ---- a table ----

enum class Colour { kNone, kGreen, kRed };

struct Cell {
  std::string text;
  Colour colour = Colour::kNone;
};

using Row = std::vector<Cell>;

/// In characters, of UTF-8.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

std::string painted(const Cell& cell, Form form) {
  if (form != Form::kColouredText || cell.colour == Colour::kNone) return cell.text;
  return fmt::format("\x1b[{}m{}\x1b[0m", cell.colour == Colour::kGreen ? 32 : 31, cell.text);
}

/// Columns as wide as their widest cell; all rows have the same number.
std::string table(const std::vector<Row>& rows, Form form) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i].text));
    }
  }
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += painted(row[i], form);
      const bool last = i + 1 == row.size();
      text += last ? "\n" : std::string(widths[i] - width_of(row[i].text) + 2, ' ');
    }
  }
  return text;
}

// ---- status ----

Cell state_cell(const Json& instance) {
  const std::string state = text_of(instance, "state");
  return {state, state == "master"  ? Colour::kGreen
                 : state == "fault" ? Colour::kRed
                                    : Colour::kNone};
}

std::string priority_text(const Json& instance) {
  const std::string effective = text_of(instance, "effective-priority");
  const std::string configured = text_of(instance, "priority");
  return effective == configured ? effective : fmt::format("{} of {}", effective, configured);
}

std::string addresses_text(const Json& instance) {
  const Json& addresses = list_of(instance, "addresses");
  if (addresses.empty()) return "-";
  const std::string first = text_of(addresses.front());
  return addresses.size() == 1 ? first : fmt::format("{} and {} more", first, addresses.size() - 1);
}

std::string instances_text(const Json& status, Form form) {
  const Json& instances = list_of(status, "instances");
  if (instances.empty()) return "No instance is configured.\n";
  std::vector<Row> rows{{{"INSTANCE"},
                         {"STATE"},
                         {"PRIORITY"},
                         {"INTERFACE"},
                         {"VRID"},
                         {"LAST HEARD"},
                         {"SINCE"},
                         {"ADDRESSES"}}};
  for (const Json& instance : instances) {
    rows.push_back({{text_of(instance, "name")},
                    state_cell(instance),
                    {priority_text(instance)},
                    {text_of(instance, "interface")},
                    {text_of(instance, "vrid")},
                    {text_of(instance, "last-adv-source")},
                    {text_of(instance, "since")},
                    {addresses_text(instance)}});
  }
  return table(rows, form);
}

std::string faults_text(const Json& status) {
  std::string text;
  for (const Json& instance : list_of(status, "instances")) {
    if (text_of(instance, "state") != "fault") continue;
    text += fmt::format("  {}: {}\n", text_of(instance, "name"), text_of(instance, "reason"));
  }
  return text.empty() ? text : "\nFaults:\n" + text;
}

std::string demotions_text(const Json& status) {
  std::string text;
  for (const Json& instance : list_of(status, "instances")) {
    for (const Json& track : list_of(instance, "tracks")) {
      const Json& amount = field(track, "demotion");
      if (!amount.is_number() || amount == 0) continue;
      text += fmt::format("  {}: less {} for {} ({})\n", text_of(instance, "name"), text_of(amount),
                          text_of(track, "name"), text_of(track, "reason"));
    }
  }
  return text.empty() ? text : "\nDemotions:\n" + text;
}

/// In the words of the log. One without a peer has in `theirs` what became of ours.
std::string alarm_text(const Json& alarm) {
  const std::string kind = text_of(alarm, "kind");
  const std::string ours = text_of(alarm, "ours");
  const std::string theirs = text_of(alarm, "theirs");
  if (field(alarm, "peer").is_null()) return fmt::format("{}: {} {}", kind, ours, theirs);
  const std::string peer = text_of(alarm, "peer");
  if (field(alarm, "ours") == "") return fmt::format("{} from {}: {}", kind, peer, theirs);
  return fmt::format("{} with {}: ours {}, theirs {}", kind, peer, ours, theirs);
}

std::string alarms_text(const Json& status) {
  std::string text;
  for (const Json& instance : list_of(status, "instances")) {
    for (const Json& alarm : list_of(instance, "alarms")) {
      text += fmt::format("  {}: {}, since {}\n", text_of(instance, "name"), alarm_text(alarm),
                          text_of(alarm, "since"));
    }
  }
  const Json& haproxy = field(status, "haproxy");
  if (haproxy.contains("alarm")) text += fmt::format("  HAProxy: {}\n", text_of(haproxy, "alarm"));
  return text.empty() ? text : "\nAlarms:\n" + text;
}

bool demotes(const std::string& verdict) { return verdict == "unhealthy" || verdict == "down"; }

std::string haproxy_text(const Json& status, Form form) {
  const Json& haproxy = field(status, "haproxy");
  if (haproxy.is_null()) return {};
  const std::string verdict = text_of(haproxy, "verdict");
  const Colour colour = demotes(verdict)       ? Colour::kRed
                        : verdict == "healthy" ? Colour::kGreen
                                               : Colour::kNone;
  std::string text =
      fmt::format("\nHAProxy: {}, {} of {} servers up ({}%), {} healthy teams\n  {}\n",
                  painted({verdict, colour}, form), text_of(haproxy, "servers-up"),
                  text_of(haproxy, "servers"), text_of(haproxy, "percentage"),
                  text_of(haproxy, "healthy-teams"), text_of(haproxy, "reason"));
  const Json& grace = field(haproxy, "grace-remaining-ms");
  if (grace.is_number() && grace > 0) {
    text += fmt::format("  the grace period ends in {:.1f} s\n", grace.get<double>() / 1000);
  }
  std::vector<Row> rows;
  for (const Json& team : list_of(haproxy, "teams")) {
    const Json& healthy = field(team, "healthy");
    rows.push_back({{"  " + text_of(team, "name")},
                    {fmt::format("{}/{}", text_of(team, "up"), text_of(team, "servers"))},
                    field(team, "servers") == 0 ? Cell{"not counted"}
                    : healthy == true           ? Cell{"up", Colour::kGreen}
                                                : Cell{"down", Colour::kRed}});
  }
  return rows.empty() ? text : text + table(rows, form);
}

std::string confirmation_text(const Json& status) {
  const Json& left = field(field(status, "pending-confirmation"), "remaining-ms");
  if (!left.is_number()) return {};
  return fmt::format(
      "\nA reload waits for `vrrpctl confirm`: in {:.0f} s the configuration before it comes "
      "back.\n",
      left.get<double>() / 1000);
}

std::string drained_text(const Json& status) {
  const Json& drained = field(status, "drained");
  if (drained.is_null()) return {};
  const Json& trouble = field(drained, "trouble");
  return fmt::format("\nDrained since {}, until `vrrpctl undrain`{}\n", text_of(drained, "since"),
                     trouble.is_null() ? "." : ", but not over a restart: " + text_of(trouble));
}

std::string status_text(const Json& status, Form form) {
  return fmt::format("{}, vrrpd {}\n\n{}{}{}{}{}{}{}", text_of(status, "node"),
                     text_of(status, "version"), instances_text(status, form), faults_text(status),
                     demotions_text(status), haproxy_text(status, form), alarms_text(status),
                     drained_text(status), confirmation_text(status));
}

std::vector<std::string> complaints(const Json& status) {
  std::vector<std::string> texts;
  for (const Json& instance : list_of(status, "instances")) {
    const std::string name = text_of(instance, "name");
    if (text_of(instance, "state") == "fault") {
      texts.push_back(fmt::format("{} is in fault: {}", name, text_of(instance, "reason")));
    }
    for (const Json& alarm : list_of(instance, "alarms")) {
      texts.push_back(fmt::format("{} has the alarm {}", name, text_of(alarm, "kind")));
    }
  }
  const Json& haproxy = field(status, "haproxy");
  const std::string verdict = text_of(haproxy, "verdict");
  if (demotes(verdict)) texts.push_back("HAProxy is " + verdict);
  if (haproxy.contains("alarm")) texts.push_back("HAProxy: " + text_of(haproxy, "alarm"));
  return texts;
}

/// One line, however many there are.
std::string complaint_line(const std::vector<std::string>& texts) {
  constexpr std::size_t kShown = 3;
  std::string line = "vrrpctl: unhealthy: ";
  for (std::size_t i = 0; i < std::min(kShown, texts.size()); ++i) {
    line += (i == 0 ? "" : "; ") + texts[i];
  }
  if (texts.size() > kShown) line += fmt::format("; and {} more", texts.size() - kShown);
  return line + '\n';
}

Output present_status(const Json& status, Form form) {
  Output output;
  output.out = form == Form::kJson ? to_line(status, 2) + '\n' : status_text(status, form);
  const std::vector<std::string> texts = complaints(status);
  if (!texts.empty()) {
    output.exit_code = kRefused;
    output.err = complaint_line(texts);
  }
  return output;
}

// ---- the other answers ----

std::string lines_of(const Json& list) {
  std::string text;
  for (const Json& line : list) text += text_of(line) + '\n';
  return text;
}

Output present_refusal(const Json& answer, Form form) {
  const std::string error = text_of(answer, "error");
  const std::string reason =
      error.starts_with("unknown command")
          ? "vrrpctl: the vrrpd that is running is older than this command, and does not know it: "
            "restart it\n"
          : "vrrpctl: refused: " + error + '\n';
  if (form == Form::kJson) return {kRefused, to_line(answer, 2) + '\n', reason};
  return {kRefused, "", lines_of(list_of(answer, "diagnostics")) + reason};
}

std::string reloaded_text(const Json& answer) {
  const Json& within = field(answer, "confirm-within-ms");
  if (!within.is_number()) return "reloaded\n";
  return fmt::format(
      "reloaded; without `vrrpctl confirm` within {:g} s the configuration before it comes back\n",
      within.get<double>() / 1000);
}

std::string_view name_of(Command command) {
  switch (command) {
    case Command::kStatus:
      return "status";
    case Command::kExplain:
      return "explain";
    case Command::kReload:
      return "reload";
    case Command::kConfirm:
      return "confirm";
    case Command::kDrain:
      return "drain";
    case Command::kUndrain:
      return "undrain";
    case Command::kEvents:
      return "events";
    case Command::kCapture:
      return "capture";
  }
  return "";
}

/// What the argument of a request is called.
const char* key_of(Command command) {
  switch (command) {
    case Command::kReload:
      return "confirm";
    case Command::kEvents:
    case Command::kCapture:
      return "after";
    default:
      return "instance";
  }
}

}  // namespace

std::string request_line(Command command, const std::string& argument) {
  Json request{{"command", name_of(command)}};
  if (!argument.empty()) request[key_of(command)] = argument;
  return to_line(request);
}

Output present(Command command, std::string_view answer, Form form) {
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || !json.contains("ok")) {
    return {kNoDaemon, "", "vrrpctl: the answer is not one of vrrpd's\n"};
  }
  if (json["ok"] != true) return present_refusal(json, form);
  switch (command) {
    case Command::kStatus:
      return present_status(field(json, "status"), form);
    case Command::kExplain: {
      const Json& sentences = list_of(json, "explain");
      return {kDone, form == Form::kJson ? to_line(sentences, 2) + '\n' : lines_of(sentences), ""};
    }
    case Command::kReload:
      if (form == Form::kJson) return {kDone, to_line(json, 2) + '\n', ""};
      return {kDone, reloaded_text(json), lines_of(list_of(json, "diagnostics"))};
    case Command::kConfirm:
      if (form == Form::kJson) return {kDone, to_line(json, 2) + '\n', ""};
      return {kDone, "confirmed\n", ""};
    case Command::kUndrain:
      if (form == Form::kJson) return {kDone, to_line(json, 2) + '\n', ""};
      return {kDone, "not drained any more\n", ""};
    case Command::kDrain:
    case Command::kEvents:
    case Command::kCapture:
      break;  // dialogues of their own
  }
  return {};
}

}  // namespace ha::ctl
