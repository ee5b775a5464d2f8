/// The fields of what the daemon answered, whatever that is: nothing here fails on a field that is
/// missing or of another kind.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ha::ctl {

using Json = nlohmann::ordered_json;

/// What a terminal shows as it is: a name from elsewhere must not move the cursor.
[[nodiscard]] std::string printable(std::string text);

/// One line, or several with `indent`; what is not UTF-8 becomes a replacement character.
[[nodiscard]] std::string to_line(const Json& json, int indent = -1);

/// Null if `object` has none, or is none.
[[nodiscard]] const Json& field(const Json& object, const char* key);

/// "-" for what is null or empty.
[[nodiscard]] std::string text_of(const Json& value);
[[nodiscard]] std::string text_of(const Json& object, const char* key);

/// Empty if `object` has none.
[[nodiscard]] const Json& list_of(const Json& object, const char* key);

}  // namespace ha::ctl
