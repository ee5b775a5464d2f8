#include "vrrpd/runtime/notify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ha::vrrp {
namespace {

const char* subject_word(const Notice& notice) {
  return notice.subject == Notice::Subject::kGroup ? "GROUP" : "INSTANCE";
}

/// The state as the commands for all, and the pipe, are told.
std::string state_word(const Notice& notice) {
  switch (notice.kind) {
    case Notice::Kind::kState:
      return notice.state;
    case Notice::Kind::kPriority:
      return notice.state + "_PRIORITY";
    case Notice::Kind::kLowerPriority:
      return "MASTER_RX_LOWER_PRI";
  }
  return {};
}

const Rare<Command>& command_of(const Notice& notice, const NotifyConfig& config) {
  static const Rare<Command> kNone;
  if (notice.kind == Notice::Kind::kLowerPriority) return config.lower_priority;
  if (notice.kind == Notice::Kind::kPriority) return kNone;
  if (notice.state == "MASTER") return config.master;
  if (notice.state == "BACKUP") return config.backup;
  if (notice.state == "FAULT") return config.fault;
  if (notice.state == "DELETED") return config.deleted;
  return config.stop;
}

bool tells_all(const Notice& notice, const NotifyConfig& config) {
  return notice.kind == Notice::Kind::kState ||
         (notice.kind == Notice::Kind::kPriority && config.priority_changes);
}

}  // namespace

std::string notify_word(std::string_view state) {
  if (state == "master") return "MASTER";
  if (state == "backup") return "BACKUP";
  if (state == "fault") return "FAULT";
  return "STOP";
}

std::vector<Launch> commands_for(const Notice& notice, const NotifyConfig& config) {
  Launch launch;
  launch.environment = {
      {std::string{"VRRPD_"} + subject_word(notice), notice.name},
      {"VRRPD_STATE", state_word(notice)},
      {"VRRPD_PRIORITY", std::to_string(notice.priority)},
      {"VRRPD_REASON", notice.reason},
  };
  std::vector<Launch> commands;
  if (const auto& command = command_of(notice, config)) {
    launch.command = *command;
    commands.push_back(launch);
  }
  if (config.any && tells_all(notice, config)) {
    launch.command = *config.any;
    launch.appended = {subject_word(notice), notice.name, state_word(notice),
                       std::to_string(notice.priority)};
    commands.push_back(launch);
  }
  return commands;
}

std::string fifo_line(const Notice& notice) {
  return fmt::format("{} \"{}\" {} {}\n", subject_word(notice), notice.name, state_word(notice),
                     notice.priority);
}

void NotifyQueue::push(Notice::Kind kind, std::vector<Launch> commands) {
  if (commands.empty()) return;
  const auto is_over = [kind](const Waiting& waiting) {
    return !waiting.begun && kind != Notice::Kind::kState && waiting.kind == kind;
  };
  // A later priority replaces an earlier one; states are a history.
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), is_over), waiting_.end());
  if (waiting_.size() >= kWaitingMax) {
    const auto oldest = std::find_if(waiting_.begin(), waiting_.end(),
                                     [](const Waiting& waiting) { return !waiting.begun; });
    waiting_.erase(oldest);
    ++left_out_;
  }
  waiting_.push_back(
      {kind,
       {std::make_move_iterator(commands.begin()), std::make_move_iterator(commands.end())},
       false});
}

std::optional<Launch> NotifyQueue::next() {
  if (waiting_.empty()) return std::nullopt;
  Waiting& first = waiting_.front();
  first.begun = true;
  std::optional<Launch> launch = std::move(first.commands.front());
  first.commands.pop_front();
  if (first.commands.empty()) waiting_.pop_front();
  return launch;
}

void NotifyQueue::hurry() {
  while (waiting_.size() > 1) waiting_.pop_front();
}

}  // namespace ha::vrrp
