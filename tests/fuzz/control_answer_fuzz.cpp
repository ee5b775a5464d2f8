/// Any line gets one line of JSON as its answer, with `ok`, and no more than a bounded size.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "vrrpd/runtime/control.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ha::vrrp;
  static const ControlHandlers handlers{
      [] {
        Status status;
        status.node = "n";
        status.instances.resize(2);
        status.instances[0].name = "VI_MAIN";
        status.instances[1].name = "VI_6";
        return status;
      },
      [](std::optional<ha::Duration> trial) {
        return ReloadOutcome{trial.has_value(), "e", {"f:1:1: error: e"}};
      },
      [] { return false; },
      [](bool) {},
      [](std::uint64_t after) {
        return RingExtract{"[]", after};
      },
      [](std::uint64_t after) {
        return RingExtract{"[{}]", after};
      },
      [](const std::string& team, std::chrono::milliseconds lag) {
        if (team.empty() || lag.count() < 0) std::abort();
        return team == "devops";
      }};
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string text = answer({reinterpret_cast<const char*>(data), size}, handlers);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const bool good = json.is_object() && json.contains("ok") && json["ok"].is_boolean() &&
                    (json["ok"] == true || json["error"].is_string()) &&
                    text.find('\n') == std::string::npos && text.size() < 8192;
  if (!good) std::abort();
  return 0;
}
