/// The section `mail` of the file.
#pragma once

#include <optional>
#include <string>

#include "vrrpd/config/config.hpp"
#include "vrrpd/settings/section.hpp"

namespace ha::config {

/// Always returns something; what is wrong is in the diagnostics. `node` is what this machine is
/// called.
[[nodiscard]] vrrp::MailConfig read_mail(const Node& value, const std::string& node,
                                         Diagnostics& diagnostics);

/// 1-254 printable ASCII characters without blanks and without what has a meaning in a header or
/// in an SMTP command: ()<>,;:\".
[[nodiscard]] Parsed<std::string> parse_mail_address(std::string_view text);

/// A host name of 1-253 letters, digits and "-_.%", or an address.
[[nodiscard]] Parsed<std::string> parse_mail_host(std::string_view text);

/// 1-100 printable ASCII characters.
[[nodiscard]] Parsed<std::string> parse_mail_name(std::string_view text);

}  // namespace ha::config
