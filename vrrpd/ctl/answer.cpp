#include "vrrpd/ctl/answer.hpp"

#include <algorithm>

namespace ha::ctl {

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string to_line(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

const Json& field(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "-";
  const std::string text = value.is_string() ? value.get<std::string>() : to_line(value);
  return text.empty() ? "-" : printable(text);
}

std::string text_of(const Json& object, const char* key) { return text_of(field(object, key)); }

const Json& list_of(const Json& object, const char* key) {
  static const Json kEmpty = Json::array();
  const Json& list = field(object, key);
  return list.is_array() ? list : kEmpty;
}

}  // namespace ha::ctl
