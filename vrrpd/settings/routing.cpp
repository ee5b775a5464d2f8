#include "vrrpd/settings/routing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "vrrpd/settings/choice.hpp"
#include "vrrpd/settings/diagnostics.hpp"

namespace ha::config {
namespace {

constexpr std::array<Choice<Route::Type>, 5> kTypes{{{"unicast", Route::Type::kUnicast},
                                                     {"local", Route::Type::kLocal},
                                                     {"blackhole", Route::Type::kBlackhole},
                                                     {"unreachable", Route::Type::kUnreachable},
                                                     {"prohibit", Route::Type::kProhibit}}};
constexpr std::array<Choice<std::uint32_t>, 3> kTables{
    {{"main", kMainTable}, {"local", 255}, {"default", 253}}};
constexpr std::array<Choice<std::uint32_t>, 5> kScopes{
    {{"global", 0}, {"site", 200}, {"link", 253}, {"host", 254}, {"nowhere", 255}}};
// As far as they are known everywhere; keepalived's own number has no name on old systems.
constexpr std::array<Choice<std::uint32_t>, 4> kOrigins{
    {{"kernel", 2}, {"boot", 3}, {"static", 4}, {"keepalived", kRouteOrigin}}};

/// Takes words off a text, and keeps the first complaint.
class Words {
 public:
  explicit Words(std::string_view text) : rest_{text} {}

  /// Empty at the end.
  std::string_view next() {
    constexpr std::string_view kBlanks = " \t";
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    const std::string_view word = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(word.size());
    return word;
  }

  /// The value of the option `name`.
  std::string_view value_of(std::string_view name) {
    const std::string_view word = next();
    if (word.empty()) complain(fmt::format("has no value for {}", name));
    return word;
  }

  void complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }
  [[nodiscard]] bool is_fine() const { return complaint_.empty(); }
  [[nodiscard]] std::string complaint() && { return std::move(complaint_); }

 private:
  std::string_view rest_;
  std::string complaint_;
};

/// Decimal, or hexadecimal after 0x, as marks are written.
[[nodiscard]] std::optional<std::uint32_t> number_of(std::string_view text) {
  const bool is_hexadecimal = text.substr(0, 2) == "0x";
  if (is_hexadecimal) text.remove_prefix(2);
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [parsed, error] = std::from_chars(text.data(), end, number, is_hexadecimal ? 16 : 10);
  if (error != std::errc{} || parsed != end || text.empty()) return std::nullopt;
  return number;
}

template <std::size_t N>
std::uint32_t take_number(Words& words, std::string_view name, std::uint32_t max,
                          const std::array<Choice<std::uint32_t>, N>& names) {
  const std::string_view word = words.value_of(name);
  for (const auto& choice : names) {
    if (choice.word == word) return choice.value;
  }
  const auto number = number_of(word);
  if (number && *number <= max) return *number;
  words.complain(fmt::format("has {} {}, which is not a number up to {}{}", name, shown(word), max,
                             N > 0 ? " or one of the known names" : ""));
  return 0;
}

std::uint32_t take_number(Words& words, std::string_view name) {
  return take_number(words, name, UINT32_MAX, std::array<Choice<std::uint32_t>, 0>{});
}

std::optional<IpAddress> take_address(Words& words, std::string_view name) {
  std::string_view word = words.value_of(name);
  if (word == "inet" || word == "inet6") word = words.value_of(name);
  const auto address = parse_address(word);
  if (address) return *address;
  words.complain(fmt::format("has {} {}, which {}", name, shown(word), address.error()));
  return std::nullopt;
}

/// A network, unlike parse_prefix(), which takes addresses that a host can have.
std::optional<Prefix> take_prefix(Words& words, std::string_view word) {
  const std::size_t slash = std::min(word.find('/'), word.size());
  boost::system::error_code error;
  const IpAddress address =
      boost::asio::ip::make_address(std::string{word.substr(0, slash)}, error);
  const std::uint32_t longest = address.is_v4() ? 32 : 128;
  const auto length =
      slash == word.size() ? std::optional{longest} : number_of(word.substr(slash + 1));
  if (!error && length && *length <= longest) {
    return Prefix{address, static_cast<std::uint8_t>(*length)};
  }
  words.complain(
      fmt::format("has {}, which is neither an option that is supported nor an address "
                  "or network",
                  shown(word)));
  return std::nullopt;
}

std::string take_interface(Words& words, std::string_view name) {
  const std::string_view word = words.value_of(name);
  const auto interface = parse_interface(word);
  if (interface) return *interface;
  words.complain(fmt::format("has {} {}, which {}", name, shown(word), interface.error()));
  return {};
}

[[nodiscard]] bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Returns false for a word that is no option.
bool take_option(Words& words, std::string_view word, Route& route,
                 std::optional<std::uint32_t>& scope) {
  if (is_one_of(word, {"via", "gw"})) {
    route.gateway = take_address(words, word);
  } else if (word == "dev") {
    route.interface = take_interface(words, word);
  } else if (word == "src") {
    route.source = take_address(words, word);
  } else if (word == "table") {
    route.table = take_number(words, word, UINT32_MAX, kTables);
  } else if (is_one_of(word, {"metric", "priority", "preference"})) {
    route.metric = take_number(words, word);
  } else if (word == "scope") {
    scope = take_number(words, word, 255, kScopes);
  } else if (is_one_of(word, {"proto", "protocol"})) {
    route.origin = static_cast<std::uint8_t>(take_number(words, word, 255, kOrigins));
  } else if (word == "mtu") {
    route.mtu = take_number(words, word);
  } else if (word == "onlink") {
    route.onlink = true;
  } else {
    return false;
  }
  return true;
}

/// As `ip route` chooses it.
[[nodiscard]] std::uint32_t default_scope(const Route& route) {
  if (route.type == Route::Type::kLocal) return 254;
  return route.type == Route::Type::kUnicast && !route.gateway ? 253 : 0;
}

template <class Each>
void check_family(Words& words, Family family, const Each& all) {
  for (const auto& address : all) {
    if (address && family_of(*address) != family) {
      words.complain("mixes IPv4 and IPv6");
    }
  }
}

}  // namespace

Parsed<Route> parse_route(std::string_view text) {
  Words words{text};
  Route route;
  std::optional<std::uint32_t> scope;
  bool has_destination = false;
  for (std::string_view word = words.next(); !word.empty() && words.is_fine();
       word = words.next()) {
    if (take_option(words, word, route, scope)) continue;
    if (word == "to") word = words.value_of("to");
    if (const auto type = parse_choice(word, kTypes); type && !has_destination) {
      route.type = *type;
    } else if (has_destination) {
      words.complain(fmt::format("has {}, which is not supported", shown(word)));
    } else {
      has_destination = true;
      if (word != "default") route.destination = take_prefix(words, word);
    }
  }
  if (!has_destination) words.complain("names no destination");
  if (route.destination) {
    route.family = family_of(route.destination->address);
    if (route.destination->length == 0) route.destination.reset();
  } else if (const auto& any = route.gateway ? route.gateway : route.source) {
    route.family = family_of(*any);
  }
  check_family(words, route.family, std::array{route.gateway, route.source});
  route.scope = static_cast<std::uint8_t>(scope.value_or(default_scope(route)));
  if (!words.is_fine()) return tl::make_unexpected(std::move(words).complaint());
  return route;
}

Parsed<Rule> parse_rule(std::string_view text) {
  Words words{text};
  Rule rule;
  const auto take_selector = [&](std::string_view name) -> std::optional<Prefix> {
    const std::string_view word = words.value_of(name);
    if (word == "all" || word == "any" || word == "default") return std::nullopt;
    return take_prefix(words, word);
  };
  for (std::string_view word = words.next(); !word.empty() && words.is_fine();
       word = words.next()) {
    if (word == "from") {
      rule.from = take_selector(word);
    } else if (word == "to") {
      rule.to = take_selector(word);
    } else if (is_one_of(word, {"iif", "dev"})) {
      rule.incoming = take_interface(words, word);
    } else if (word == "oif") {
      rule.outgoing = take_interface(words, word);
    } else if (word == "fwmark") {
      rule.mark = take_number(words, word);
    } else if (is_one_of(word, {"pref", "preference", "priority", "prio"})) {
      rule.preference = take_number(words, word);
    } else if (is_one_of(word, {"table", "lookup"})) {
      rule.table = take_number(words, word, UINT32_MAX, kTables);
    } else if (word == "inet6") {
      rule.family = Family::kIpv6;
    } else {
      words.complain(fmt::format("has {}, which is not supported", shown(word)));
    }
  }
  const auto& any = rule.from ? rule.from : rule.to;
  if (any) rule.family = family_of(any->address);
  if (rule.to && family_of(rule.to->address) != rule.family) words.complain("mixes IPv4 and IPv6");
  if (!words.is_fine()) return tl::make_unexpected(std::move(words).complaint());
  return rule;
}

std::string to_text(const Route& route) {
  std::string text;
  if (route.type != Route::Type::kUnicast) text = std::string{word_of(route.type, kTypes)} + ' ';
  const bool is_v6 = route.family == Family::kIpv6;
  text += route.destination                          ? to_string(*route.destination)
          : is_v6 && !route.gateway && !route.source ? "::/0"
                                                     : "default";
  if (route.gateway) text += " via " + route.gateway->to_string();
  if (!route.interface.empty()) text += " dev " + route.interface;
  if (route.source) text += " src " + route.source->to_string();
  if (route.table != kMainTable) text += fmt::format(" table {}", route.table);
  if (route.metric != 0) text += fmt::format(" metric {}", route.metric);
  if (route.scope != default_scope(route)) text += fmt::format(" scope {}", route.scope);
  if (route.origin != kRouteOrigin) text += fmt::format(" proto {}", route.origin);
  if (route.onlink) text += " onlink";
  if (route.mtu != 0) text += fmt::format(" mtu {}", route.mtu);
  return text;
}

std::string to_text(const Rule& rule) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, value);
  };
  if (rule.family == Family::kIpv6 && !rule.from && !rule.to) text = "inet6";
  if (rule.from) add("from", to_string(*rule.from));
  if (rule.to) add("to", to_string(*rule.to));
  if (!rule.incoming.empty()) add("iif", rule.incoming);
  if (!rule.outgoing.empty()) add("oif", rule.outgoing);
  if (rule.mark) add("fwmark", std::to_string(*rule.mark));
  if (rule.preference) add("pref", std::to_string(*rule.preference));
  add("table", std::to_string(rule.table));
  return text;
}

}  // namespace ha::config
