#include "vrrpd/config/schema_notify.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>

namespace ha::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kCommandKnown[] = {"command", "user", "group", "timeout"};
constexpr std::string_view kReaderKnown[] = {"command", "user", "group"};
constexpr std::string_view kInstanceKnown[] = {
    "master",  "backup",           "fault", "stop", "any", "lower_priority",
    "deleted", "priority_changes", "mail"};
constexpr std::string_view kGroupKnown[] = {"master", "backup", "fault", "stop", "any", "mail"};
constexpr std::string_view kFifoKnown[] = {"path", "reader", "states_on_reload"};

constexpr std::size_t kArgumentsMax = 64;
constexpr std::size_t kArgumentSizeBytesMax = 4095;
constexpr std::size_t kIdentitySizeBytesMax = 32;  // LOGIN_NAME_MAX of useradd and groupadd
constexpr DurationRange kTimeoutRange{100ms, 1h};

[[nodiscard]] Parsed<std::string> parse_argument(std::string_view text) {
  if (text.size() > kArgumentSizeBytesMax) return tl::make_unexpected("is longer than 4095 bytes");
  return std::string{text};
}

/// Alone it may not have blanks: that is what a whole command line would look like.
[[nodiscard]] Parsed<std::string> parse_program(std::string_view text) {
  const Parsed<std::string> path = parse_path(text);
  if (path && text.find(' ') != std::string_view::npos) {
    return tl::make_unexpected("has blanks; arguments are given as a list: [PATH, ARGUMENT]");
  }
  return path;
}

/// A path, a list, or a map with more; nothing after a diagnostic.
[[nodiscard]] std::optional<Command> read_command(const Node& value, std::string_view name,
                                                  std::span<const std::string_view> known,
                                                  Diagnostics& diagnostics) {
  Command command;
  if (value.kind != Node::Kind::kMap) {
    auto arguments = read_arguments(value, name, diagnostics);
    if (!arguments) return std::nullopt;
    command.arguments = std::move(*arguments);
    return command;
  }
  const auto section = Section::open(value, name, known, diagnostics);
  if (!section) return std::nullopt;
  const Node* arguments = section->require("command");
  if (arguments == nullptr) return std::nullopt;
  auto read = read_arguments(*arguments, "command", diagnostics);
  const Read identity = read_identity(*section, command);
  const Read timeout = section->duration("timeout", command.timeout, kTimeoutRange);
  if (!read || identity == Read::kRefused || timeout == Read::kRefused) return std::nullopt;
  command.arguments = std::move(*read);
  return command;
}

}  // namespace

std::optional<std::vector<std::string>> read_arguments(const Node& value, std::string_view name,
                                                       Diagnostics& diagnostics) {
  std::vector<std::string> arguments;
  if (value.kind != Node::Kind::kList) {
    auto program = read_scalar(value, name, diagnostics, parse_program);
    if (!program) return std::nullopt;
    arguments.push_back(std::move(*program));
    return arguments;
  }
  if (!is_list(value, name, kArgumentsMax, diagnostics)) return std::nullopt;
  for (const Node& item : value.items) {
    const bool is_program = &item == &value.items.front();
    auto argument = is_program ? read_scalar(item, name, diagnostics, parse_path)
                               : read_scalar(item, "argument", diagnostics, parse_argument);
    if (!argument) return std::nullopt;
    arguments.push_back(std::move(*argument));
  }
  return arguments;
}

Read read_identity(const Section& section, Command& command) {
  const auto parse = [](std::string_view text) { return parse_word(text, kIdentitySizeBytesMax); };
  const Read user = section.read("user", command.user, parse);
  const Read group = section.read("group", command.group, parse);
  return user == Read::kRefused || group == Read::kRefused ? Read::kRefused : Read::kValid;
}

vrrp::NotifyConfig read_notify(const Node& value, Notified notified, std::vector<Position>& mails,
                               Diagnostics& diagnostics) {
  vrrp::NotifyConfig notify;
  const bool is_group = notified == Notified::kGroup;
  const std::span<const std::string_view> known =
      is_group ? std::span<const std::string_view>{kGroupKnown} : kInstanceKnown;
  const auto section = Section::open(value, "notify", known, diagnostics);
  if (!section) return notify;
  const auto read = [&](std::string_view key, Rare<Command>& into) {
    if (const Node* node = section->find(key)) {
      into = read_command(*node, key, kCommandKnown, diagnostics);
    }
  };
  read("master", notify.master);
  read("backup", notify.backup);
  read("fault", notify.fault);
  read("stop", notify.stop);
  read("any", notify.any);
  section->boolean("mail", notify.mail);
  if (notify.mail) mails.push_back(section->position_of("mail"));
  if (is_group) return notify;
  read("lower_priority", notify.lower_priority);
  read("deleted", notify.deleted);
  section->boolean("priority_changes", notify.priority_changes);
  return notify;
}

vrrp::NotifyFifo read_notify_fifo(const Node& value, Diagnostics& diagnostics) {
  vrrp::NotifyFifo fifo;
  const auto section = Section::open(value, "notify_fifo", kFifoKnown, diagnostics);
  if (!section) return fifo;
  if (section->require("path") != nullptr) section->read("path", fifo.path, parse_path);
  if (const Node* reader = section->find("reader")) {
    fifo.reader = read_command(*reader, "reader", kReaderKnown, diagnostics);
    if (fifo.reader) fifo.reader->timeout = Duration::zero();
  }
  section->boolean("states_on_reload", fifo.states_on_reload);
  return fifo;
}

}  // namespace ha::config
