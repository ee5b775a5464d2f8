#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "vrrpd/config/load.hpp"

namespace ha::vrrp {

std::ostream& operator<<(std::ostream& out, const Config& config) { return out << print(config); }

namespace {

using namespace std::chrono_literals;

template <class T>
T one_of(const std::vector<T>& choices) {
  return *rc::gen::elementOf(choices);
}

/// `min` to `max`, both included.
int between(int min, int max) { return *rc::gen::inRange(min, max + 1); }

bool coin() { return *rc::gen::arbitrary<bool>(); }

/// `min` to `max` milliseconds in steps, the limits more often than chance would have it.
Duration time_between(Duration min, Duration max, Duration step = 1ms) {
  const int steps = static_cast<int>((max - min) / step);
  return min + step * *rc::gen::weightedOneOf<int>(
                          {{3, rc::gen::inRange(0, steps + 1)}, {1, rc::gen::element(0, steps)}});
}

/// 1-`max` characters out of `letters`, or now and then a word that YAML would take for something
/// else.
std::string any_text(int max, const std::string& letters) {
  static const std::vector<std::string> kTraps{"on", "no",   "null", "~",  "010", "0x1F", "1e3",
                                               "-",  "true", "<<",   "NO", "1.5", "y",    "---"};
  const std::string trap = one_of(kTraps);
  const bool fits =
      static_cast<int>(trap.size()) <= max && trap.find_first_not_of(letters) == std::string::npos;
  if (fits && between(0, 4) == 0) return trap;
  std::string text;
  for (int left = between(1, max); left > 0; --left) text += *rc::gen::elementOf(letters);
  return text;
}

/// All printable ASCII characters except blanks and `without`.
std::string printable_except(const std::string& without) {
  std::string letters;
  for (char c = '!'; c <= '~'; ++c) {
    if (without.find(c) == std::string::npos) letters += c;
  }
  return letters;
}

std::string any_word(int max) { return any_text(max, printable_except("")); }

std::string any_interface() {
  const std::string name = any_text(15, printable_except("/:"));
  return name == "." || name == ".." ? "eth0" : name;
}

std::string any_path() { return "/" + any_text(100, printable_except("") + " "); }

/// Unique within one configuration: `serial` counts the addresses.
IpAddress any_address(Family family, bool link_local, int serial) {
  using namespace boost::asio::ip;
  const auto byte = [](int value) { return static_cast<unsigned char>(value); };
  if (family == Family::kIpv4) {
    return address_v4{
        {byte(between(1, 126)), byte(between(0, 255)), byte(serial / 256), byte(serial % 256)}};
  }
  address_v6::bytes_type bytes{};
  if (link_local) {
    bytes = {0xfe, 0x80};
  } else {
    bytes = {0x20, 0x01, 0x0d, 0xb8, byte(between(0, 255))};
  }
  bytes[13] = byte(between(0, 255));
  bytes[14] = byte(serial / 256);
  bytes[15] = byte(serial % 256);
  return address_v6{bytes};
}

std::string any_label(const VirtualAddress& address, const InstanceConfig& instance) {
  std::string name = address.interface.empty() ? instance.interface : address.interface;
  if (name.empty()) name = any_interface();
  const int left = 15 - static_cast<int>(name.size()) - 1;
  return left > 0 && coin() ? name + ":" + any_text(left, printable_except("")) : name;
}

std::vector<VirtualAddress> any_addresses(const InstanceConfig& instance, Family family,
                                          int& serial) {
  std::vector<VirtualAddress> addresses;
  for (int left = between(1, 5); left > 0; --left) {
    VirtualAddress address;
    const bool link_local = family == Family::kIpv6 && coin();
    address.prefix.address = any_address(family, link_local, ++serial);
    address.prefix.length =
        static_cast<std::uint8_t>(between(1, family == Family::kIpv4 ? 32 : 128));
    if (coin()) address.interface = any_interface();
    if (family == Family::kIpv4 && coin()) address.label = any_label(address, instance);
    address.advertise = coin();
    address.noprefixroute = coin();
    if (family == Family::kIpv4 && coin()) {
      address.scope = static_cast<std::uint8_t>(between(0, 255));
    }
    if (family == Family::kIpv4 && coin())
      address.broadcast = any_address(family, false, serial).to_v4();
    addresses.push_back(address);
  }
  addresses.front().advertise = true;
  std::stable_partition(addresses.begin(), addresses.end(), [](const VirtualAddress& address) {
    return address.prefix.address.is_v6() && address.prefix.address.to_v6().is_link_local();
  });
  return addresses;
}

RouterConfig any_router(Version version) {
  RouterConfig router;
  router.version = version;
  router.priority = Priority{static_cast<std::uint8_t>(between(1, 255))};
  router.advertisement_interval =
      version == Version::k2 ? time_between(1s, 255s, 1s) : time_between(10ms, 40950ms, 10ms);
  router.preempt = one_of<Preempt>({Preempt::kYes, Preempt::kNo, Preempt::kDegraded});
  router.preempt_delay = time_between(0s, 1h);
  router.announcements.repeat = static_cast<std::uint32_t>(between(0, 255));
  router.announcements.second_burst_delay = time_between(0s, 1h);
  router.announcements.refresh = coin() ? Duration{0s} : time_between(1s, 24h);
  router.announcements.refresh_repeat = static_cast<std::uint32_t>(between(1, 255));
  router.announcements.conflict_repeat = static_cast<std::uint32_t>(between(0, 255));
  if (coin()) router.announcements.conflict_delay = time_between(0s, 1h);
  router.answers_lesser = coin();
  router.answers_better = coin();
  return router;
}

std::optional<Duration> any_lease(const RouterConfig& router) {
  if (coin()) return std::nullopt;
  const auto shortest = std::chrono::ceil<std::chrono::seconds>(3 * router.advertisement_interval);
  return time_between(shortest, 1h, 1s);
}

TrackEffect any_effect() {
  using Kind = TrackEffect::Kind;
  const Kind kind = one_of<Kind>({Kind::kDemote, Kind::kPromote, Kind::kFault});
  return {kind, kind == Kind::kFault ? 0 : between(1, 254), coin()};
}

/// At least one instance tracks each check, or the file would warn.
std::vector<Track> any_tracks(bool with_haproxy, const std::vector<checks::CheckConfig>& checks) {
  std::vector<Track> tracks;
  std::set<std::string> interfaces;
  for (int left = between(0, 3); left > 0; --left) interfaces.insert(any_interface());
  for (const std::string& interface : interfaces)
    tracks.emplace_back(TrackInterface{interface, any_effect()});
  for (const checks::CheckConfig& check : checks) {
    TrackEffect effect = any_effect();
    if (checks::gives_number(check) && effect.kind != TrackEffect::Kind::kFault) {
      effect = {TrackEffect::Kind::kWeight, coin() ? between(1, 254) : between(-254, -1), false};
    }
    tracks.emplace_back(TrackCheck{check.name, effect});
  }
  if (coin()) tracks.emplace_back(TrackSync{any_word(64), between(1, 254), time_between(1s, 24h)});
  if (with_haproxy)
    tracks.insert(tracks.begin() + between(0, static_cast<int>(tracks.size())), TrackHaproxy{});
  return tracks;
}

Command any_command(bool with_timeout) {
  Command command;
  command.arguments.push_back(any_path());
  for (int left = between(0, 2); left > 0; --left) {
    command.arguments.push_back(coin() ? "" : any_text(20, printable_except("") + " "));
  }
  if (coin()) command.user = any_word(32);
  if (coin()) command.group = any_word(32);
  command.timeout = with_timeout ? time_between(100ms, 1h) : Duration::zero();
  return command;
}

NotifyConfig any_notify(bool is_group) {
  NotifyConfig notify;
  for (auto* command : {&notify.master, &notify.backup, &notify.fault, &notify.stop, &notify.any}) {
    if (between(0, 3) == 0) *command = any_command(true);
  }
  if (!is_group && coin()) {
    notify.lower_priority = any_command(true);
    if (coin()) notify.deleted = any_command(true);
    notify.priority_changes = coin();
  }
  notify.mail = between(0, 3) == 0;
  return notify;
}

MailConfig any_mail() {
  const auto address = [] { return any_text(60, printable_except("()<>,;:\\\"")); };
  MailConfig mail;
  for (int left = between(1, 3); left > 0; --left) mail.to.push_back(address());
  mail.from = address();
  mail.server = one_of<std::string>({"127.0.0.1", "::1", "mail.example.com", "fe80::1%eth0"});
  mail.port = static_cast<std::uint16_t>(between(1, 65'535));
  mail.helo = one_of<std::string>({"lb-1", "a_b.c"});
  mail.name = any_text(40, printable_except("") + " ");
  mail.timeout = time_between(1s, 10min);
  mail.faults = coin();
  return mail;
}

checks::Probe any_probe(int& serial) {
  const auto port = [] { return static_cast<std::uint16_t>(between(1, 65535)); };
  const Family family = coin() ? Family::kIpv4 : Family::kIpv6;
  switch (between(0, 6)) {
    case 0: {
      const int least = between(0, 65535);
      using Match = checks::ProcessProbe::Match;
      checks::ProcessProbe probe{any_text(255, printable_except("/")), least,
                                 between(least, 65535)};
      probe.match = one_of<Match>({Match::kAny, Match::kExact, Match::kBeginning, Match::kInitial});
      if (probe.match == Match::kAny) return probe;
      if (coin()) probe.name = any_path().substr(0, 1) + probe.name;
      probe.name = probe.name.substr(0, 255);
      for (int left = between(0, 3); left > 0; --left) {
        probe.arguments.push_back(coin() ? "" : any_text(20, printable_except("") + " "));
      }
      return probe;
    }
    case 1:
      return checks::TcpProbe{any_address(family, false, ++serial), port()};
    case 2: {
      const int least = between(100, 599);
      return checks::HttpProbe{
          any_address(family, false, ++serial), port(), "/" + any_text(200, printable_except("#")),
          coin() ? "" : any_word(255),          least,  between(least, 599)};
    }
    case 3:
      return checks::UnitProbe{"a" + any_text(200, printable_except("/")) + ".service"};
    case 4: {
      checks::ScriptProbe probe{any_command(false)};
      return probe;
    }
    case 5: {
      checks::FileProbe probe{
          any_path(), one_of<checks::FileProbe::Present>({checks::FileProbe::Present::kHealthy,
                                                          checks::FileProbe::Present::kUnhealthy,
                                                          checks::FileProbe::Present::kNumber})};
      const bool is_number = probe.present == checks::FileProbe::Present::kNumber;
      if (is_number && coin()) probe.create = between(-1'000'000, 1'000'000);
      return probe;
    }
    default:
      return checks::InterfaceProbe{any_interface()};
  }
}

std::vector<checks::CheckConfig> any_checks(int& serial) {
  std::vector<checks::CheckConfig> checks;
  for (int left = between(0, 4); left > 0; --left) {
    checks::CheckConfig check;
    check.name = std::to_string(left) + any_word(60);
    check.probe = any_probe(serial);
    check.interval = time_between(10ms, 2h);
    const bool never_waits = std::holds_alternative<checks::ProcessProbe>(check.probe) ||
                             std::holds_alternative<checks::InterfaceProbe>(check.probe);
    if (!never_waits) check.timeout = time_between(10ms, 2h);
    if (auto* script = std::get_if<checks::ScriptProbe>(&check.probe)) {
      script->command.timeout = check.timeout;
    }
    check.fall = between(1, 10'000);
    check.rise = between(1, 10'000);
    check.recover = time_between(0s, 24h);
    check.grace = time_between(0s, 24h);
    check.initial =
        one_of<checks::Initial>({checks::Initial::kUnknown, checks::Initial::kUnhealthy});
    checks.push_back(std::move(check));
  }
  std::sort(checks.begin(), checks.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return checks;
}

std::uint32_t any_number() { return static_cast<std::uint32_t>(between(0, 2'000'000'000)); }

Prefix any_network(Family family, int& serial) {
  const int longest = family == Family::kIpv4 ? 32 : 128;
  return {any_address(family, false, ++serial), static_cast<std::uint8_t>(between(1, longest))};
}

Route any_route(int& serial) {
  Route route;
  const Family family = coin() ? Family::kIpv4 : Family::kIpv6;
  route.family = family;
  route.type =
      one_of<Route::Type>({Route::Type::kUnicast, Route::Type::kLocal, Route::Type::kBlackhole,
                           Route::Type::kUnreachable, Route::Type::kProhibit});
  if (coin()) route.destination = any_network(family, serial);
  if (coin()) route.gateway = any_address(family, false, ++serial);
  if (coin()) route.source = any_address(family, false, ++serial);
  if (coin()) route.interface = any_interface();
  if (coin()) route.table = any_number();
  if (coin()) route.metric = any_number();
  route.scope = static_cast<std::uint8_t>(between(0, 255));
  route.origin = static_cast<std::uint8_t>(between(0, 255));
  route.onlink = coin();
  if (coin()) route.mtu = any_number();
  return route;
}

Rule any_rule(int& serial) {
  Rule rule;
  const Family family = coin() ? Family::kIpv4 : Family::kIpv6;
  rule.family = family;
  if (coin()) rule.from = any_network(family, serial);
  if (coin()) rule.to = any_network(family, serial);
  if (coin()) rule.incoming = any_interface();
  if (coin()) rule.outgoing = any_interface();
  if (coin()) rule.mark = any_number();
  if (coin()) rule.preference = any_number();
  if (coin()) rule.table = any_number();
  return rule;
}

InstanceConfig any_instance(int number, bool with_haproxy,
                            const std::vector<checks::CheckConfig>& checks, int& serial) {
  InstanceConfig instance;
  const Family family = coin() ? Family::kIpv4 : Family::kIpv6;
  const bool is_v4 = family == Family::kIpv4;
  instance.name = std::to_string(number) + any_word(60);
  // An instance with nothing but link-local addresses has to name its interface.
  if (!is_v4 || coin()) instance.interface = any_interface();
  instance.vrid = Vrid{static_cast<std::uint8_t>(number)};
  instance.router = any_router(is_v4 && coin() ? Version::k2 : Version::k3);
  instance.addresses = any_addresses(instance, family, serial);
  instance.multicast_group =
      boost::asio::ip::make_address(is_v4 ? one_of<std::string>({"224.0.0.18", "239.1.2.3"})
                                          : one_of<std::string>({"ff02::12", "ff05::99"}));
  if (coin()) instance.source_address = any_address(family, true, ++serial);
  for (int left = between(0, 3); left > 0; --left) {
    instance.unicast_peers.push_back(any_address(family, coin(), ++serial));
  }
  instance.minimum_ttl = static_cast<std::uint8_t>(between(1, 255));
  if (instance.router.version == Version::k2) {
    if (coin()) instance.password = any_text(8, printable_except("") + " ");
  } else if (is_v4) {
    instance.checksum = one_of<ChecksumPolicy>(
        {ChecksumPolicy::kAuto, ChecksumPolicy::kPseudoHeader, ChecksumPolicy::kMessageOnly});
  }
  instance.announcement_spacing = time_between(0s, 1s);
  instance.lease = any_lease(instance.router);
  instance.watches_link = coin();
  // The filter tells link-local addresses apart by interfaces.
  instance.accepts = instance.interface.empty() || coin();
  for (int left = between(0, 2); left > 0; --left) instance.routes.push_back(any_route(serial));
  for (int left = between(0, 2); left > 0; --left) instance.rules.push_back(any_rule(serial));
  if (is_v4)
    instance.gratuitous_arp_form =
        one_of<ArpForm>({ArpForm::kRequest, ArpForm::kReply, ArpForm::kBoth});
  instance.tracks = any_tracks(with_haproxy, checks);
  instance.notify = any_notify(false);
  return instance;
}

StaticConfig any_static(int& serial) {
  StaticConfig fixed;
  for (int left = between(0, 2); left > 0; --left) {
    VirtualAddress address;
    const bool is_v4 = coin();
    address.prefix = any_network(is_v4 ? Family::kIpv4 : Family::kIpv6, serial);
    address.interface = any_interface();
    address.noprefixroute = coin();
    if (is_v4 && coin()) address.label = any_label(address, {});
    if (is_v4 && coin()) address.broadcast = any_address(Family::kIpv4, false, serial).to_v4();
    fixed.addresses.push_back(std::move(address));
  }
  for (int left = between(0, 2); left > 0; --left) fixed.routes.push_back(any_route(serial));
  for (int left = between(0, 2); left > 0; --left) fixed.rules.push_back(any_rule(serial));
  return fixed;
}

std::string any_expression() {
  return one_of<std::string>({"(.+)", "jenkins_backend_(.+)", "([a-z]+)_(blue|green)",
                              "t\\d{2}-(\\w+) \"x\"", "(ä€😀|[^ ]*): #", "'(x)'", "- (y)",
                              "(a)\\\\"});
}

probe::TeamMap any_team_map() {
  const std::string proxy_letters = "abcXYZ0123456789-_.:";
  probe::TeamMap teams;
  int serial = 0;
  for (int left = between(1, 4); left > 0; --left) {
    std::vector<std::string>& backends = teams[any_word(64)];
    for (int more = between(1, 3); more > 0; --more) {
      backends.push_back(std::to_string(++serial) + "_" + any_text(200, proxy_letters));
    }
  }
  return teams;
}

probe::ProbeConfig any_haproxy() {
  probe::ProbeConfig haproxy;
  haproxy.stats = any_path();
  if (*rc::gen::arbitrary<bool>()) {
    haproxy.stats = "http://127.0.0.1:8404/stats";
    haproxy.credentials_file = any_path();
  } else if (*rc::gen::arbitrary<bool>()) {
    haproxy.events = "ring.ev-1";
  }
  haproxy.interval = time_between(100ms, 30min);
  haproxy.timeout = time_between(10ms, 60s);
  haproxy.stale_after = time_between(haproxy.interval + haproxy.timeout, 1h);
  if (coin()) {
    haproxy.teams = probe::TeamPattern{any_expression()};
  } else {
    haproxy.teams = any_team_map();
  }
  haproxy.scope = one_of<probe::ServerScope>(
      {probe::ServerScope::kLocal, probe::ServerScope::kAll, probe::ServerScope::kMatch});
  if (haproxy.scope == probe::ServerScope::kMatch) haproxy.server_match = any_expression();
  haproxy.threshold = between(0, 100);
  haproxy.quorum = between(0, 1000);
  haproxy.combine = one_of<probe::Combine>({probe::Combine::kAnd, probe::Combine::kOr});
  haproxy.grace = time_between(0s, 24h);
  haproxy.recover = time_between(0s, 24h);
  haproxy.demote_unhealthy = between(0, 254);
  haproxy.demote_down = between(0, 254);
  return haproxy;
}

Config any_config() {
  Config config;
  config.node = any_word(64);
  if (coin()) config.haproxy = any_haproxy();
  int serial = 0;
  config.checks = any_checks(serial);
  const int count = between(1, 4);
  for (int number = 1; number <= count; ++number) {
    config.instances.push_back(
        any_instance(number, config.haproxy && coin(), config.checks, serial));
    if (between(0, 2) == 0) {
      config.groups.push_back({std::to_string(number) + any_word(60),
                               {config.instances.back().name},
                               any_notify(true)});
    }
  }
  const auto wants_mail = [](const auto& subject) { return subject.notify.mail; };
  if (std::any_of(config.instances.begin(), config.instances.end(), wants_mail) ||
      std::any_of(config.groups.begin(), config.groups.end(), wants_mail)) {
    config.mail = any_mail();
  }
  if (coin()) config.notify_fifo = NotifyFifo{any_path(), {}};
  if (config.notify_fifo && coin()) config.notify_fifo->reader = any_command(false);
  if (config.notify_fifo) config.notify_fifo->states_on_reload = coin();
  config.startup_delay = time_between(0s, 2h);
  config.fixed = any_static(serial);
  config.control = {any_path(), any_word(32)};
  if (coin()) {
    config.http = HttpConfig{any_address(coin() ? Family::kIpv4 : Family::kIpv6, false, ++serial),
                             static_cast<std::uint16_t>(between(1, 65'535))};
  }
  config.log.level =
      one_of<LogLevel>({LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError});
  config.log.format = one_of<LogFormat>({LogFormat::kText, LogFormat::kJson});
  return config;
}

}  // namespace

TEST_CASE("what is printed is read back as the same configuration", "[config]") {
  CHECK(rc::check([] {
    const Config config = any_config();
    const Loaded loaded = load(print(config), "printed", "");
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      RC_LOG() << to_string(diagnostic) << "\n";
    }
    RC_LOG() << config;
    RC_ASSERT(loaded.config.has_value());
    RC_ASSERT(*loaded.config == config);
    RC_ASSERT(print(*loaded.config) == print(config));
  }));
}

TEST_CASE("a file with a few changed bytes is a configuration, or has errors that lie in it",
          "[config]") {
  CHECK(rc::check([] {
    std::string text = print(any_config());
    for (int left = between(1, 4); left > 0; --left) {
      const auto where = static_cast<std::size_t>(between(0, static_cast<int>(text.size()) - 1));
      const char what = *rc::gen::oneOf(rc::gen::elementOf(std::string{"\n :-[]{}\"'#&*!|>%0x9"}),
                                        rc::gen::arbitrary<char>());
      if (coin()) {
        text.insert(where, 1, what);
      } else {
        text[where] = what;
      }
    }
    const Loaded loaded = load(text, "f", "host");
    const bool has_errors = std::any_of(
        loaded.diagnostics.begin(), loaded.diagnostics.end(),
        [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
    RC_ASSERT(loaded.config.has_value() == !has_errors);
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      RC_ASSERT(diagnostic.line >= 0);
      RC_ASSERT(diagnostic.line <= lines);
      RC_ASSERT((diagnostic.line > 0) == (diagnostic.column > 0));
    }
    if (loaded.config) RC_ASSERT(load(print(*loaded.config), "f", "").config == loaded.config);
  }));
}

}  // namespace ha::vrrp
