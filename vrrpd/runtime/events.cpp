#include "vrrpd/runtime/events.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "vrrpd/runtime/status.hpp"

namespace ha::vrrp {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTextMax = 2048;
constexpr std::size_t kReasonMax = 512;
constexpr std::size_t kDemotionsMax = 16;

Json begin(std::string_view kind) {
  return {{"time", to_utc_ms(std::chrono::system_clock::now())}, {"kind", kind}};
}

/// Those that take something away.
Json to_json(const std::vector<Demotion>& demotions) {
  Json list = Json::array();
  for (const Demotion& demotion : demotions) {
    if (demotion.amount == 0 || list.size() == kDemotionsMax) continue;
    list.push_back({{"name", demotion.source},
                    {"demotion", demotion.amount},
                    {"reason", demotion.reason.substr(0, kReasonMax)}});
  }
  return list;
}

void append(Ring& ring, Json event, std::string_view text) {
  event["text"] = text.substr(0, kTextMax);
  ring.append(event.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

void Events::note(std::string_view kind, std::string_view text) {
  recorder_.decided(text);
  append(ring_, begin(kind), text);
}

void Events::note(std::string_view kind, const Standing& standing, std::string_view text) {
  recorder_.decided(fmt::format("({}) {}, priority {} of {}: {}", standing.instance, standing.state,
                                standing.effective.value(), standing.configured.value(), text));
  Json event = begin(kind);
  event["instance"] = standing.instance;
  event["state"] = standing.state;
  event["priority"] = standing.configured.value();
  event["effective-priority"] = standing.effective.value();
  event["demotions"] = to_json(standing.demotions);
  append(ring_, std::move(event), text);
}

RingExtract Events::json(std::uint64_t after) const {
  RingExtract extract{"[", after};
  std::string& text = extract.json;
  ring_.for_each(after, [&](std::uint64_t number, std::string_view event) {
    if (text.size() > 1) text += ',';
    extract.last = number;
    // The number belongs to the ring; the rest was written when it happened.
    text += fmt::format(R"({{"number":{},)", number);
    text += event.substr(1);
    return true;
  });
  text += ']';
  return extract;
}

}  // namespace ha::vrrp
