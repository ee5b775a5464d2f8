/// Fields of a JSON object that somebody else wrote: what is missing or of another type is empty.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ha::sync {

using Json = nlohmann::ordered_json;

template <class T>
[[nodiscard]] T number_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_integer() ? found->get<T>() : T{};
}

[[nodiscard]] inline std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

}  // namespace ha::sync
