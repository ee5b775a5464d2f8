#include "sync/role.hpp"

#include <nlohmann/json.hpp>

namespace ha::sync {

Role role_in(std::string_view answer, std::string_view instance, std::string& why) {
  const auto json = nlohmann::json::parse(answer, nullptr, false);
  const auto status = json.is_object() ? json.find("status") : json.end();
  if (!json.is_object() || status == json.end() || !status->is_object() ||
      !status->contains("instances") || !(*status)["instances"].is_array()) {
    why = "vrrpd's answer is not understood";
    return Role::kUnknown;
  }
  for (const auto& one : (*status)["instances"]) {
    if (!one.is_object() || one.value("name", nlohmann::json{}) != instance) continue;
    why.clear();
    return one.value("state", nlohmann::json{}) == "master" ? Role::kMaster : Role::kNotMaster;
  }
  why = "vrrpd has no instance " + std::string{instance};
  return Role::kUnknown;
}

}  // namespace ha::sync
