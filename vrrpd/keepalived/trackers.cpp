#include <fmt/format.h>

#include <chrono>
#include <limits>

#include "vrrpd/checks/answers.hpp"
#include "vrrpd/keepalived/sections.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;

constexpr int kScriptWeightMax = 253;
constexpr int kWeightMax = 254;
constexpr int kCountKept = 10'000;
constexpr Duration kIntervalMin = 10ms;
constexpr Duration kIntervalMax = 4294s;
constexpr std::size_t kProcessesMax = 65'535;

/// At least what a check can do here.
[[nodiscard]] std::optional<Duration> check_time(const Statement& line, Reading& reading) {
  const auto time = timer_at(line, 1, 1ms, kIntervalMax, reading);
  if (!time || *time >= kIntervalMin) return time;
  reading.report.warning(line.place,
                         fmt::format("{} {} is shorter than the shortest here; 10ms is taken",
                                     line.keyword(), shown(line.words[1])));
  return kIntervalMin;
}

void read_count(int& count, const Statement& line, Reading& reading) {
  const auto value = integer_at(line, 1, 1, 999'999'999, reading);
  if (!value) return;
  count = std::min(*value, kCountKept);
  if (count != *value) {
    reading.report.warning(line.place, fmt::format("{} {} is more than vrrpd counts; {} is taken",
                                                   line.keyword(), *value, kCountKept));
  }
}

void read_tracker_weight(Tracker& tracker, int max, const Statement& line, Reading& reading) {
  Tracked options;
  if (const auto weight = integer_at(line, 1, -max, max, reading)) tracker.weight = *weight;
  read_weight(line, 2, max, options, reading);
  tracker.is_reversed = options.is_reversed;
}

void read_script(Tracker& tracker, const Statement& line, Reading& reading) {
  if (split_command(line.arguments).value_or(std::vector<std::string>{}).size() > 1) {
    reading.report.note(
        line.place,
        "script takes one word, in quotes if it has arguments; the rest of the line "
        "is left out, as by keepalived");
  }
  const auto command = command_of(line, reading);
  if (!command) return;
  auto& probe = std::get<checks::ScriptProbe>(tracker.check.probe);
  probe.command.arguments = command->arguments;
  tracker.is_complete = true;
}

void read_user(Tracker& tracker, const Statement& line, Reading& reading) {
  const auto user = word_at(line, 1, reading);
  if (!user) return;
  auto& probe = std::get<checks::ScriptProbe>(tracker.check.probe);
  probe.command.user = *user;
  probe.command.group = line.words.size() > 2 ? line.words[2] : "";
  tracker.has_user = true;
}

constexpr Reader<Tracker> kScriptReaders[] = {
    {"script", kAnyWords, read_script},
    {"interval", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       t.check.interval = check_time(line, r).value_or(t.check.interval);
     }},
    {"timeout", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       t.check.timeout = check_time(line, r).value_or(t.check.timeout);
       t.has_timeout = true;
     }},
    {"weight", 3,
     [](Tracker& t, const Statement& line, Reading& r) {
       read_tracker_weight(t, kScriptWeightMax, line, r);
     }},
    {"fall", 2,
     [](Tracker& t, const Statement& line, Reading& r) { read_count(t.check.fall, line, r); }},
    {"rise", 2,
     [](Tracker& t, const Statement& line, Reading& r) { read_count(t.check.rise, line, r); }},
    {"user", 3, read_user},
    // Every script counts as failed before its first result, which then decides alone.
    {"init_fail", 1, [](Tracker&, const Statement&, Reading&) {}},
};

/// init_file [VALUE] [overwrite]
void read_init_file(Tracker& tracker, const Statement& line, Reading& reading) {
  auto& probe = std::get<checks::FileProbe>(tracker.check.probe);
  probe.create = 0;
  for (std::size_t i = 1; i < line.words.size(); ++i) {
    if (line.words[i] == "overwrite") {
      reading.report.warning(line.place, "init_file overwrite: a file that is there is kept");
    } else {
      const auto value = integer_at(line, i, -checks::kNumberMax, checks::kNumberMax, reading);
      probe.create = value.value_or(0);
    }
  }
}

constexpr Reader<Tracker> kFileReaders[] = {
    {"file", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       const auto path = word_at(line, 1, r);
       if (!path) return;
       std::get<checks::FileProbe>(t.check.probe).path = *path;
       t.is_complete = true;
     }},
    {"weight", 3,
     [](Tracker& t, const Statement& line, Reading& r) {
       read_tracker_weight(t, kWeightMax, line, r);
     }},
    {"init_file", 3, read_init_file},
};

void read_process(Tracker& tracker, const Statement& line, Reading& reading) {
  const auto word = word_at(line, 1, reading);
  if (!word) return;
  auto& probe = std::get<checks::ProcessProbe>(tracker.check.probe);
  probe.name = *word;
  tracker.process_place = line.place;
  probe.arguments.assign(line.words.begin() + 2, line.words.end());
  tracker.is_complete = true;
}

void read_match(Tracker& tracker, const Statement& line, Reading& reading) {
  using Match = checks::ProcessProbe::Match;
  const auto word = word_at(line, 1, reading);
  if (!word) return;
  if (*word == "exact") {
    tracker.match = Match::kExact;
  } else if (*word == "partial") {
    tracker.match = Match::kBeginning;
  } else if (*word == "initial") {
    tracker.match = Match::kInitial;
  } else {
    reading.report.error(
        line.place, fmt::format("param_match {} is not exact, partial or initial", shown(*word)));
  }
}

/// Once all lines are known: arguments, param_match and full_command each make the command line
/// what is compared, instead of the name.
void settle_process(Tracker& tracker, Reading& reading) {
  using Match = checks::ProcessProbe::Match;
  auto& probe = std::get<checks::ProcessProbe>(tracker.check.probe);
  const Match otherwise = !probe.arguments.empty()   ? Match::kExact
                          : tracker.has_full_command ? Match::kBeginning
                                                     : Match::kAny;
  probe.match = tracker.match.value_or(otherwise);
  if (probe.match != Match::kAny) return;
  const std::string name = probe.name.substr(probe.name.rfind('/') + 1);
  if (name == probe.name) return;
  reading.report.note(tracker.process_place, fmt::format("process {} is looked for by its name, {}",
                                                         shown(probe.name), shown(name)));
  probe.name = name;
}

void read_quorum(int& quorum, int min, const Statement& line, Reading& reading) {
  quorum = integer_at(line, 1, min, static_cast<int>(kProcessesMax), reading).value_or(quorum);
}

constexpr Reader<Tracker> kProcessReaders[] = {
    {"process", kAnyWords, read_process},
    {"weight", 3,
     [](Tracker& t, const Statement& line, Reading& r) {
       read_tracker_weight(t, kWeightMax, line, r);
     }},
    {"quorum", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       read_quorum(std::get<checks::ProcessProbe>(t.check.probe).at_least, 1, line, r);
     }},
    {"quorum_max", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       read_quorum(std::get<checks::ProcessProbe>(t.check.probe).at_most, 0, line, r);
     }},
    {"fork_delay", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       t.check.recover = timer_at(line, 1, 0s, 3600s, r).value_or(Duration{});
     }},
    {"terminate_delay", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       t.check.grace = timer_at(line, 1, 0s, 3600s, r).value_or(Duration{});
     }},
    {"delay", 2,
     [](Tracker& t, const Statement& line, Reading& r) {
       t.check.recover = t.check.grace = timer_at(line, 1, 0s, 3600s, r).value_or(Duration{});
     }},
    {"param_match", 2, read_match},
    {"full_command", 1, [](Tracker& t, const Statement&, Reading&) { t.has_full_command = true; }},
};

/// keepalived's defaults; a probe of the right kind.
[[nodiscard]] Tracker new_tracker(Tracked::Kind kind, const Statement& block) {
  Tracker tracker;
  tracker.kind = kind;
  tracker.place = block.place;
  tracker.check.fall = tracker.check.rise = 1;
  tracker.check.interval = 1s;
  if (kind == Tracked::Kind::kScript) {
    tracker.check.probe = checks::ScriptProbe{};
  } else if (kind == Tracked::Kind::kFile) {
    tracker.check.probe = checks::FileProbe{"", checks::FileProbe::Present::kNumber};
    tracker.weight = 1;
  } else {
    tracker.check.probe = checks::ProcessProbe{};
  }
  return tracker;
}

[[nodiscard]] Tracked::Kind kind_of(const std::string& keyword) {
  if (keyword == "vrrp_script" || keyword == "track_script") return Tracked::Kind::kScript;
  if (keyword == "vrrp_track_process" || keyword == "track_process") return Tracked::Kind::kProcess;
  return keyword == "track_interface" ? Tracked::Kind::kInterface : Tracked::Kind::kFile;
}

}  // namespace

void read_tracker(Draft& draft, const Statement& block, Reading& reading) {
  const auto name = word_at(block, 1, reading);
  if (!name) return;
  Tracker tracker = new_tracker(kind_of(block.keyword()), block);
  tracker.check.name = *name;
  switch (tracker.kind) {
    case Tracked::Kind::kProcess:
      read_block(Context::kTrackProcess, block, kProcessReaders, tracker, reading);
      settle_process(tracker, reading);
      break;
    case Tracked::Kind::kFile:
      read_block(Context::kTrackFile, block, kFileReaders, tracker, reading);
      break;
    default:
      read_block(Context::kScript, block, kScriptReaders, tracker, reading);
  }
  for (const Tracker& other : draft.trackers) {
    if (other.kind != tracker.kind || other.check.name != *name) continue;
    reading.report.error(
        block.place, fmt::format("{} {} is already defined at {}", block.keyword(), shown(*name),
                                 reading.report.name_of(other.place)));
    return;
  }
  draft.trackers.push_back(std::move(tracker));
}

void read_tracked(std::vector<Tracked>& tracked, const Statement& block, Reading& reading) {
  const Tracked::Kind kind = kind_of(block.keyword());
  for (const Statement& line : block.block) {
    Tracked one;
    one.kind = kind;
    one.name = line.keyword();
    one.place = line.place;
    const bool is_wide = kind == Tracked::Kind::kFile || kind == Tracked::Kind::kProcess;
    read_weight(line, 1, is_wide ? kWeightMax : kScriptWeightMax, one, reading);
    const auto same = [&](const Tracked& other) {
      return other.kind == one.kind && other.name == one.name;
    };
    if (std::any_of(tracked.begin(), tracked.end(), same)) {
      reading.report.note(line.place,
                          fmt::format("{} is tracked already; this line is left out, as "
                                      "by keepalived",
                                      shown(one.name)));
      continue;
    }
    tracked.push_back(std::move(one));
  }
}

}  // namespace ha::keepalived
