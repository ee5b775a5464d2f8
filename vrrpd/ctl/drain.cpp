#include "vrrpd/ctl/drain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vrrpd/ctl/answer.hpp"

namespace ha::ctl {
namespace {

constexpr std::chrono::milliseconds kPatienceMin{3'000};
constexpr int kOwner = 255;

Json status_of(std::string_view answer) {
  return field(Json::parse(answer, nullptr, false), "status");
}

bool is_owner(const Json& instance) { return field(instance, "priority") == kOwner; }

bool is_master(const Json& instance) { return field(instance, "state") == "master"; }

std::string line_of(const Json& instance) {
  const std::string name = text_of(instance, "name");
  if (!is_master(instance)) {
    return fmt::format("{} is {}; last heard: {}\n", name, text_of(instance, "state"),
                       text_of(instance, "last-adv-source"));
  }
  if (is_owner(instance)) {
    return fmt::format("{} is still master: it owns its addresses (priority 255)\n", name);
  }
  return fmt::format("{} is still master, with the lowest priority: nobody takes over\n", name);
}

}  // namespace

std::chrono::milliseconds hand_over_patience(std::string_view status_answer) {
  std::chrono::milliseconds patience = kPatienceMin;
  const Json status = status_of(status_answer);
  for (const Json& instance : list_of(status, "instances")) {
    const Json& interval = field(instance, "master-down-interval-ms");
    if (!interval.is_number()) continue;
    // Of the lowest priority, which no other's exceeds; and as much again for a slow machine.
    const auto longest = static_cast<std::int64_t>(2 * interval.get<double>());
    patience = std::max(patience, std::chrono::milliseconds{longest});
  }
  return patience;
}

bool is_drained(std::string_view status_answer) {
  const Json status = status_of(status_answer);
  const Json& drained = field(status, "drained");
  const bool is_settled = field(drained, "saved") == true || !field(drained, "trouble").is_null();
  const Json& instances = list_of(status, "instances");
  return is_settled && std::none_of(instances.begin(), instances.end(), [](const Json& instance) {
           return is_master(instance) && !is_owner(instance);
         });
}

Output present_drain(std::string_view status_answer, Form form) {
  const Json status = status_of(status_answer);
  Output output;
  Json list = Json::array();
  for (const Json& instance : list_of(status, "instances")) {
    if (form == Form::kJson) {
      list.push_back({{"name", field(instance, "name")},
                      {"state", field(instance, "state")},
                      {"last-adv-source", field(instance, "last-adv-source")}});
    } else {
      output.out += line_of(instance);
    }
    if (is_master(instance)) output.exit_code = kRefused;
  }
  if (output.exit_code != kDone) {
    output.err = "vrrpctl: drained, but not every address has gone\n";
  }
  const Json& drained = field(status, "drained");
  if (field(drained, "saved") != true) {
    const Json& trouble = field(drained, "trouble");
    output.exit_code = kRefused;
    output.err += fmt::format("vrrpctl: a restart would undo it: {}\n",
                              trouble.is_null() ? "the disk is slow" : text_of(trouble));
  }
  if (form == Form::kJson) {
    output.out = to_line({{"drained", drained}, {"instances", std::move(list)}}, 2) + '\n';
  }
  return output;
}

}  // namespace ha::ctl
