#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "vrrpd/config/schema_mail.hpp"
#include "vrrpd/keepalived/sections.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::keepalived {
namespace {

using namespace std::chrono_literals;

constexpr int kSecondsMax = 4294;
constexpr int kRepeatMax = 999'999'999;
// What an announcement schedule holds here.
constexpr int kRepeatKept = 255;
constexpr Duration kDelayKept = 1h;
constexpr Duration kRefreshKept = 24h;
constexpr Duration kSpacingKept = 1s;

void warn_kept(const Statement& line, const std::string& kept, Reading& reading) {
  reading.report.warning(line.place, fmt::format("{} {} is not what vrrpd does; {} is taken",
                                                 line.keyword(), shown(line.words[1]), kept));
}

void read_script_user(Globals& globals, const Statement& line, Reading& reading) {
  const auto user = word_at(line, 1, reading);
  if (!user) return;
  globals.script_user = Identity{*user, line.words.size() > 2 ? line.words[2] : ""};
}

void read_group(IpAddress& group, const Statement& line, Reading& reading) {
  const auto address = address_at(line, 1, reading);
  if (!address) return;
  if (!address->is_multicast() || family_of(*address) != family_of(group)) {
    reading.report.error(line.place,
                         fmt::format("{} {} is not an {} multicast address", line.keyword(),
                                     shown(line.words[1]), group.is_v4() ? "IPv4" : "IPv6"));
    return;
  }
  group = *address;
}

/// 0 is out of keepalived's range, and yet in its own sample: it means no pacing.
[[nodiscard]] std::optional<Duration> spacing_of(const Statement& line, Reading& reading) {
  const auto spacing = timer_at(line, 1, 0s, 4294s, reading);
  if (!spacing || *spacing <= kSpacingKept) return spacing;
  warn_kept(line, "1s", reading);
  return kSpacingKept;
}

[[nodiscard]] std::optional<Duration> delay_of(const Statement& line, Reading& reading) {
  const auto delay = integer_at(line, 1, 0, kSecondsMax, reading);
  if (!delay) return std::nullopt;
  const Duration kept = std::min<Duration>(std::chrono::seconds{*delay}, kDelayKept);
  if (kept != std::chrono::seconds{*delay}) warn_kept(line, "1h", reading);
  return kept;
}

[[nodiscard]] std::optional<int> repeat_of(const Statement& line, Reading& reading) {
  const auto repeat = integer_at(line, 1, 0, kRepeatMax, reading);
  if (!repeat) return std::nullopt;
  if (*repeat > kRepeatKept) warn_kept(line, "255", reading);
  return std::min(*repeat, kRepeatKept);
}

void read_fifo(std::string& path, const Statement& line, Reading& reading) {
  const auto word = word_at(line, 1, reading);
  if (!word) return;
  if (line.words.size() > 2) {
    reading.report.warning(line.place,
                           fmt::format("{}: the owner of the pipe is not changed", line.keyword()));
  }
  path = *word;
}

constexpr int kTimeoutSecondsKept = 600;

/// A word that a mail cannot have is left out: keepalived would run with it, and its server refuse.
void read_mail_word(std::string& into, const Statement& line, Reading& reading,
                    config::Parsed<std::string> (*parse)(std::string_view)) {
  const auto word = word_at(line, 1, reading);
  if (!word) return;
  if (auto value = parse(*word)) {
    into = std::move(*value);
  } else {
    reading.report.warning(line.place, fmt::format("{} {} {}; it is left out", line.keyword(),
                                                   shown(*word), value.error()));
  }
}

void read_recipients(Globals& globals, const Statement& block, Reading& reading) {
  globals.mail.place = block.place;
  for (std::string word : words_of_block(block)) {
    if (word.size() > 2 && word.front() == '<' && word.back() == '>') {
      word = word.substr(1, word.size() - 2);
    }
    if (config::parse_mail_address(word)) {
      globals.mail.to.push_back(word);
    } else {
      reading.report.warning(block.place,
                             fmt::format("{} is not a mail address; it is left out", shown(word)));
    }
  }
}

void read_smtp_server(Globals& globals, const Statement& line, Reading& reading) {
  read_mail_word(globals.mail.server, line, reading, config::parse_mail_host);
  if (line.words.size() < 3) return;
  // It may be the service's name there.
  if (line.words[2] != "smtp") globals.mail.port = integer_at(line, 2, 1, 65'535, reading);
}

void read_smtp_timeout(Globals& globals, const Statement& line, Reading& reading) {
  const auto seconds = integer_at(line, 1, 1, kRepeatMax, reading);
  if (!seconds) return;
  if (*seconds > kTimeoutSecondsKept) warn_kept(line, "10m", reading);
  globals.mail.timeout = std::chrono::seconds{std::min(*seconds, kTimeoutSecondsKept)};
}

template <std::optional<bool> Mail::*alert>
void read_smtp_alert(Globals& globals, const Statement& line, Reading& reading) {
  globals.mail.*alert = flag(line, reading);
  globals.mail.alert_place = line.place;
}

void read_device_prefix(std::optional<std::string>& into, const Statement& line, Reading& reading) {
  const auto prefix = word_at(line, 1, reading);
  if (!prefix) return;
  if (config::parse_interface(*prefix) && prefix->size() <= vrrp::kDevicePrefixSizeBytesMax) {
    into = *prefix;
    return;
  }
  reading.report.error(
      line.place, fmt::format("{} {} is not the beginning of an interface's name, "
                              "1 to {} bytes",
                              line.keyword(), shown(*prefix), vrrp::kDevicePrefixSizeBytesMax));
}

constexpr Reader<Globals> kReaders[] = {
    {"router_id", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_mail_word(g.mail.name, line, r, config::parse_mail_name);
     }},
    {"notification_email", 1, read_recipients},
    {"notification_email_from", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_mail_word(g.mail.from, line, r, config::parse_mail_address);
     }},
    {"smtp_server", 3, read_smtp_server},
    {"smtp_helo_name", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_mail_word(g.mail.helo, line, r, config::parse_mail_host);
     }},
    {"smtp_connect_timeout", 2, read_smtp_timeout},
    {"smtp_alert", 2, read_smtp_alert<&Mail::alert>},
    {"smtp_alert_vrrp", 2, read_smtp_alert<&Mail::alert_vrrp>},
    {"no_email_faults", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.mail.faults = !flag(line, r).value_or(true);
     }},
    {"default_interface", 2,
     [](Globals& g, const Statement& line, Reading& reading) {
       if (auto name = interface_at(line, 1, reading)) g.default_interface = *name;
     }},
    {"script_user", 3, read_script_user},
    {"vrrp_version", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_version(g.shared, line, r); }},
    {"vrrp_mcast_group4", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_group(g.group4, line, r); }},
    {"vrrp_mcast_group6", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_group(g.group6, line, r); }},
    {"vrrp_strict", 2,
     [](Globals& g, const Statement& line, Reading& r) { g.shared.is_strict = flag(line, r); }},
    {"vrrp_garp_master_delay", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_garp_delay(g.shared, line, r); }},
    {"vrrp_garp_master_repeat", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_garp_repeat(g.shared, line, r); }},
    {"vrrp_garp_master_refresh", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_garp_refresh(g.shared, line, r); }},
    {"vrrp_garp_master_refresh_repeat", 2,
     [](Globals& g, const Statement& line, Reading& r) { read_refresh_repeat(g.shared, line, r); }},
    {"vrrp_garp_lower_prio_delay", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_lower_prio_delay(g.shared, line, r);
     }},
    {"vrrp_garp_lower_prio_repeat", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_lower_prio_repeat(g.shared, line, r);
     }},
    {"vrrp_garp_interval", 2,
     [](Globals& g, const Statement& line, Reading& r) { g.garp_interval = spacing_of(line, r); }},
    {"vrrp_gna_interval", 2,
     [](Globals& g, const Statement& line, Reading& r) { g.gna_interval = spacing_of(line, r); }},
    {"vrrp_min_garp", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.has_min_garp = flag(line, r).value_or(false);
     }},
    {"vrrp_down_timer_adverts", 2,
     [](Globals&, const Statement& line, Reading& r) { read_down_timer_adverts(line, r); }},
    {"vrrp_lower_prio_no_advert", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_lower_prio_no_advert(g.shared, line, r);
     }},
    {"vrrp_higher_prio_send_advert", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_higher_prio_send_advert(g.shared, line, r);
     }},
    {"vrrp_owner_ignore_adverts", 2,
     [](Globals&, const Statement& line, Reading& r) { read_off(line, r); }},
    {"v3_checksum_as_v2", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.shared.checksum_as_v2 = flag(line, r);
     }},
    {"vrrp_notify_priority_changes", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.shared.notify_priority_changes = flag(line, r);
     }},
    {"notify_fifo", 4,
     [](Globals& g, const Statement& line, Reading& r) { read_fifo(g.fifo, line, r); }},
    {"vrrp_notify_fifo", 4,
     [](Globals& g, const Statement& line, Reading& r) { read_fifo(g.vrrp_fifo, line, r); }},
    {"fifo_write_vrrp_states_on_reload", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.repeats_states = flag(line, r).value_or(false);
     }},
    {"vmac_prefix", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_device_prefix(g.device_prefix, line, r);
     }},
    {"vmac_addr_prefix", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       read_device_prefix(g.address_device_prefix, line, r);
     }},
    {"vrrp_startup_delay", 2,
     [](Globals& g, const Statement& line, Reading& r) {
       g.startup_delay = timer_at(line, 1, 1ms, 4294s, r).value_or(Duration{});
     }},
    {"notify_fifo_script", 4,
     [](Globals& g, const Statement& line, Reading& r) { g.fifo_reader = command_of(line, r); }},
    {"vrrp_notify_fifo_script", 4,
     [](Globals& g, const Statement& line, Reading& r) {
       g.vrrp_fifo_reader = command_of(line, r);
     }},
};

}  // namespace

void read_globals(Globals& globals, const Statement& block, Reading& reading) {
  read_block(Context::kGlobal, block, kReaders, globals, reading);
}

void read_version(Shared& shared, const Statement& line, Reading& reading) {
  if (const auto version = integer_at(line, 1, 2, 3, reading)) {
    shared.version = *version == 2 ? Version::k2 : Version::k3;
  }
}

void read_garp_delay(Shared& shared, const Statement& line, Reading& reading) {
  shared.garp_delay = delay_of(line, reading);
}

void read_lower_prio_delay(Shared& shared, const Statement& line, Reading& reading) {
  shared.garp_lower_prio_delay = delay_of(line, reading);
}

void read_lower_prio_repeat(Shared& shared, const Statement& line, Reading& reading) {
  shared.garp_lower_prio_repeat = repeat_of(line, reading);
}

void read_garp_repeat(Shared& shared, const Statement& line, Reading& reading) {
  shared.garp_repeat = repeat_of(line, reading);
}

void read_garp_refresh(Shared& shared, const Statement& line, Reading& reading) {
  const auto refresh = integer_at(line, 1, 0, kRepeatMax, reading);
  if (!refresh) return;
  shared.garp_refresh = std::min<Duration>(std::chrono::seconds{*refresh}, kRefreshKept);
  if (*shared.garp_refresh != std::chrono::seconds{*refresh}) warn_kept(line, "24h", reading);
}

void read_refresh_repeat(Shared& shared, const Statement& line, Reading& reading) {
  const auto repeat = integer_at(line, 1, 0, kRepeatMax, reading);
  if (!repeat) return;
  shared.garp_refresh_repeat = std::clamp(*repeat, 1, kRepeatKept);
  if (*shared.garp_refresh_repeat != *repeat) {
    warn_kept(line, std::to_string(*shared.garp_refresh_repeat), reading);
  }
}

void read_lower_prio_no_advert(Shared& shared, const Statement& line, Reading& reading) {
  shared.is_silent_to_lesser = flag(line, reading);
}

void read_higher_prio_send_advert(Shared& shared, const Statement& line, Reading& reading) {
  shared.answers_better = flag(line, reading);
}

void read_down_timer_adverts(const Statement& line, Reading& reading) {
  const auto adverts = integer_at(line, 1, 1, 100, reading);
  if (adverts && *adverts != 3) {
    reading.report.warning(
        line.place, fmt::format("{} {}: a master counts as down after 3 intervals, as the RFC says",
                                line.keyword(), *adverts));
  }
}

void read_off(const Statement& line, Reading& reading) {
  if (flag(line, reading).value_or(false)) {
    reading.report.warning(line.place,
                           fmt::format("{}: only the default, off, is supported", line.keyword()));
  }
}

}  // namespace ha::keepalived
