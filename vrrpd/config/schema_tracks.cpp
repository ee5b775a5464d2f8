/// What an instance tracks, and what that does to it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "vrrpd/config/choices.hpp"
#include "vrrpd/config/draft.hpp"

namespace ha::config {
namespace {

using vrrp::TrackEffect;
using Kind = TrackEffect::Kind;

constexpr std::string_view kKnown[] = {"interface", "check",  "sync", "demote", "promote",
                                       "fault",     "weight", "when", "max_lag"};
constexpr std::string_view kSubjects[] = {"interface", "check", "sync"};
constexpr std::string_view kEffects[] = {"demote", "promote", "fault", "weight"};

constexpr std::size_t kTracksMax = 64;
constexpr std::size_t kCheckNameSizeBytesMax = 64;
constexpr std::size_t kTeamSizeBytesMax = 64;
constexpr int kAmountMax = 254;
constexpr DurationRange kMaxLagRange{std::chrono::seconds{1}, std::chrono::hours{24}};

/// Which of `keys` the section has; nothing, after a diagnostic, unless it is exactly one.
template <std::size_t N>
[[nodiscard]] std::optional<std::string_view> one_of(const Section& section, Position position,
                                                     const std::string_view (&keys)[N],
                                                     Diagnostics& diagnostics) {
  std::optional<std::string_view> found;
  for (const std::string_view key : keys) {
    if (section.find(key) == nullptr) continue;
    if (found) {
      diagnostics.error(section.position_of(key),
                        fmt::format("track has both '{}' and '{}'", *found, key));
      return std::nullopt;
    }
    found = key;
  }
  if (!found) {
    diagnostics.error(position, fmt::format("track needs one of {}", fmt::join(keys, ", ")));
  }
  return found;
}

/// A whole number that may be negative, but not 0.
[[nodiscard]] Parsed<int> parse_weight(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  const Parsed<int> amount = parse_integer(text.substr(negative ? 1 : 0), {1, kAmountMax});
  if (!amount) return tl::make_unexpected("is not a whole number in -254 to 254, without 0");
  return negative ? -*amount : *amount;
}

[[nodiscard]] std::optional<TrackEffect> read_effect(const Section& section, Position position,
                                                     Diagnostics& diagnostics) {
  const auto key = one_of(section, position, kEffects, diagnostics);
  if (!key) return std::nullopt;
  TrackEffect effect;
  Read read = Read::kValid;
  if (*key == "fault") {
    effect.kind = Kind::kFault;
    bool wanted = true;
    read = section.boolean("fault", wanted);
    if (read == Read::kValid && !wanted) {
      diagnostics.error(section.position_of("fault"),
                        "fault false is no effect; give demote or promote instead");
      return std::nullopt;
    }
  } else if (*key == "weight") {
    effect.kind = Kind::kWeight;
    read = section.read("weight", effect.amount, parse_weight);
  } else {
    effect.kind = *key == "demote" ? Kind::kDemote : Kind::kPromote;
    read = section.integer(*key, effect.amount, {1, kAmountMax});
  }
  effect.when_healthy = effect.kind == Kind::kPromote;
  const Read when = section.read("when", effect.when_healthy, [](std::string_view text) {
    return parse_choice(text, kWhenChoices);
  });
  if (when != Read::kAbsent && effect.kind == Kind::kWeight) {
    diagnostics.error(section.position_of("when"), "when has no meaning beside weight");
    return std::nullopt;
  }
  if (read != Read::kValid || when == Read::kRefused) return std::nullopt;
  return effect;
}

[[nodiscard]] std::optional<vrrp::Track> read_sync(const Section& section,
                                                   Diagnostics& diagnostics) {
  bool valid = true;
  for (const std::string_view key : {"promote", "fault", "weight", "when"}) {
    if (section.find(key) == nullptr) continue;
    diagnostics.error(section.position_of(key), "sync has no effect but demote");
    valid = false;
  }
  vrrp::TrackSync sync;
  const Read team = section.read(
      "sync", sync.team, [](std::string_view text) { return parse_word(text, kTeamSizeBytesMax); });
  if (section.require("demote") == nullptr) return std::nullopt;
  const Read demote = section.integer("demote", sync.demote, {1, kAmountMax});
  const Read lag = section.duration("max_lag", sync.max_lag, kMaxLagRange);
  valid = valid && team == Read::kValid && demote == Read::kValid && lag != Read::kRefused;
  return valid ? std::optional<vrrp::Track>{sync} : std::nullopt;
}

/// A map; nothing after a diagnostic.
[[nodiscard]] std::optional<vrrp::Track> read_map(const Node& item, Diagnostics& diagnostics) {
  const auto section = Section::open(item, "track", kKnown, diagnostics);
  if (!section) return std::nullopt;
  const auto subject = one_of(*section, item.position, kSubjects, diagnostics);
  if (subject == "sync") return read_sync(*section, diagnostics);
  if (section->find("max_lag") != nullptr) {
    diagnostics.error(section->position_of("max_lag"), "max_lag is for 'sync' only");
  }
  const auto effect = read_effect(*section, item.position, diagnostics);
  if (!subject) return std::nullopt;
  if (*subject == "interface") {
    std::string interface;
    const Read read = section->read("interface", interface, parse_interface);
    if (read != Read::kValid || !effect) return std::nullopt;
    if (effect->kind == Kind::kWeight) {
      diagnostics.error(section->position_of("weight"),
                        "weight is for checks that give a number; an interface gives none");
      return std::nullopt;
    }
    return vrrp::TrackInterface{interface, *effect};
  }
  std::string check;
  const Read read = section->read("check", check, [](std::string_view text) {
    return parse_word(text, kCheckNameSizeBytesMax);
  });
  if (read != Read::kValid || !effect) return std::nullopt;
  return vrrp::TrackCheck{check, *effect};
}

[[nodiscard]] std::optional<vrrp::Track> read_track(const Node& item, Diagnostics& diagnostics) {
  if (item.kind == Node::Kind::kMap) return read_map(item, diagnostics);
  const auto word =
      read_scalar(item, "track", diagnostics, [](std::string_view text) -> Parsed<std::string> {
        if (text == "haproxy") return std::string{text};
        return tl::make_unexpected(
            "is not haproxy, {interface: NAME, demote: AMOUNT}, {check: NAME, demote: AMOUNT} or "
            "{sync: TEAM, demote: AMOUNT}");
      });
  return word ? std::optional<vrrp::Track>{vrrp::TrackHaproxy{}} : std::nullopt;
}

[[nodiscard]] std::string title_of(const vrrp::Track& track) {
  struct {
    std::string operator()(const vrrp::TrackHaproxy&) const { return "haproxy"; }
    std::string operator()(const vrrp::TrackInterface& interface) const {
      return "interface " + shown(interface.interface);
    }
    std::string operator()(const vrrp::TrackCheck& check) const {
      return "check " + shown(check.check);
    }
    std::string operator()(const vrrp::TrackSync& sync) const { return "sync " + shown(sync.team); }
  } visitor;
  return std::visit(visitor, track);
}

}  // namespace

void read_tracks(const Section& section, Draft& draft, TrackUses& uses, Diagnostics& diagnostics) {
  const Node* list = section.find("track");
  // `track: []` is what --print-config says where nothing is tracked.
  if (list == nullptr || (list->kind == Node::Kind::kList && list->items.empty())) return;
  if (!is_list(*list, "track", kTracksMax, diagnostics)) {
    uses.are_complete = false;
    return;
  }
  std::map<std::string, Position> seen;
  for (const Node& item : list->items) {
    const std::optional<vrrp::Track> track = read_track(item, diagnostics);
    if (!track) {
      uses.are_complete = false;
      continue;
    }
    const auto [earlier, is_new] = seen.emplace(title_of(*track), item.position);
    if (!is_new) {
      diagnostics.error(item.position, fmt::format("track {} is listed twice", earlier->first));
      continue;
    }
    if (std::holds_alternative<vrrp::TrackHaproxy>(*track)) uses.haproxy.push_back(item.position);
    if (const auto* check = std::get_if<vrrp::TrackCheck>(&*track)) {
      uses.checks.push_back({check->check, check->effect.kind, item.position});
    }
    draft.config.tracks.push_back(*track);
  }
  const bool all_change_the_priority =
      std::none_of(draft.config.tracks.begin(), draft.config.tracks.end(), [](const auto& track) {
        const TrackEffect* effect = vrrp::effect_of(track);
        return effect != nullptr && (effect->kind == Kind::kFault || effect->kind == Kind::kWeight);
      });
  if (draft.config.router.priority == kPriorityOwner && all_change_the_priority) {
    diagnostics.warning(list->position,
                        "track has no effect: priority 255, the address owner's, never changes");
  }
}

}  // namespace ha::config
