/// Routes and rules as text: the part of the language of ip-route(8) and ip-rule(8) that this
/// project can install. Pure.
#pragma once

#include <string>
#include <string_view>

#include "ha/routing.hpp"
#include "vrrpd/settings/scalars.hpp"

namespace ha::config {

/// "[TYPE] PREFIX|default [via ADDRESS] [dev NAME] [src ADDRESS] [table T] [metric N] [scope S]
/// [proto N] [onlink] [mtu N]", with `to` before the prefix if one likes; also keepalived's older
/// order, `src ADDRESS to PREFIX …`. What cannot be installed here is refused by name.
[[nodiscard]] Parsed<Route> parse_route(std::string_view text);

/// "[from PREFIX|all] [to PREFIX|all] [iif NAME] [oif NAME] [fwmark N] [pref N] [table T]".
[[nodiscard]] Parsed<Rule> parse_rule(std::string_view text);

/// What reads back as the same.
[[nodiscard]] std::string to_text(const Route& route);
[[nodiscard]] std::string to_text(const Rule& rule);

}  // namespace ha::config
