#include "sync/job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "sync/json_fields.hpp"

namespace ha::sync {
namespace {

constexpr std::array<Job, 4> kJobs{Job::kCommit, Job::kCatchUp, Job::kTakeOver, Job::kResume};
constexpr std::array<Outcome, 7> kOutcomes{
    Outcome::kCommitted, Outcome::kApplied, Outcome::kUnchanged, Outcome::kRefused,
    Outcome::kFenced,    Outcome::kBehind,  Outcome::kFailed};

[[nodiscard]] std::string to_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

[[nodiscard]] Json to_object(const CopyProgress& progress) {
  return {{"entries", progress.entries}, {"bytes", progress.size_bytes}};
}

[[nodiscard]] CopyProgress progress_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object()) return {};
  return {number_in<std::uint64_t>(*found, "entries"), number_in<std::uint64_t>(*found, "bytes")};
}

/// JSON carries text, and paths are bytes: those beyond ASCII are escaped as well.
[[nodiscard]] std::string ascii(const std::string& path) {
  std::string text;
  for (const char c : escaped(path)) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return text;
}

}  // namespace

std::string to_json(const Order& order) {
  Json json{{"job", name_of(order.job)}, {"may-claim", order.may_claim == MayClaim::kYes}};
  if (order.changed) {
    json["changed"] = Json::array();
    for (const std::string& path : *order.changed) json["changed"].push_back(ascii(path));
  }
  return to_line(json);
}

tl::expected<Order, std::string> parse_order(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return tl::make_unexpected(std::string{"is no JSON object"});
  const std::string job = text_in(json, "job");
  const auto* const known =
      std::find_if(kJobs.begin(), kJobs.end(), [&](Job one) { return name_of(one) == job; });
  if (known == kJobs.end()) return tl::make_unexpected(std::string{"has no known job"});
  Order order;
  order.job = *known;
  const auto claim = json.find("may-claim");
  order.may_claim = claim != json.end() && *claim == true ? MayClaim::kYes : MayClaim::kNo;
  const auto changed = json.find("changed");
  if (changed == json.end()) return order;
  if (!changed->is_array()) return tl::make_unexpected(std::string{"changed is no list"});
  order.changed.emplace();
  for (const Json& one : *changed) {
    auto path = one.is_string() ? unescaped(one.get_ref<const std::string&>())
                                : tl::make_unexpected(std::string{"a path is no text"});
    if (!path) return tl::make_unexpected(path.error());
    order.changed->push_back(std::move(*path));
  }
  return order;
}

std::string to_json(const Progress& progress) {
  return to_line({{"phase", progress.phase},
                  {"done", to_object(progress.done)},
                  {"total", to_object(progress.total)}});
}

std::string to_json(const Report& report) {
  return to_line({{"outcome", name_of(report.outcome)},
                  {"text", report.text},
                  {"generation", report.version.generation},
                  {"epoch", report.version.epoch},
                  {"scanned", report.scanned},
                  {"copied", to_object(report.copied)},
                  {"removed", report.removed},
                  {"conflicts", report.conflicts},
                  {"kept-in", report.kept_in}});
}

tl::expected<JobWord, std::string> parse_job_word(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return tl::make_unexpected(std::string{"is no JSON object"});
  if (json.contains("phase")) {
    return Progress{text_in(json, "phase"), progress_in(json, "done"), progress_in(json, "total")};
  }
  const std::string outcome = text_in(json, "outcome");
  const auto* const known = std::find_if(kOutcomes.begin(), kOutcomes.end(),
                                         [&](Outcome one) { return name_of(one) == outcome; });
  if (known == kOutcomes.end()) return tl::make_unexpected(std::string{"has no known outcome"});
  Report report;
  report.outcome = *known;
  report.text = text_in(json, "text");
  report.version = {number_in<std::uint64_t>(json, "generation"),
                    number_in<std::uint64_t>(json, "epoch")};
  report.scanned = number_in<WallTime>(json, "scanned");
  report.copied = progress_in(json, "copied");
  report.removed = number_in<std::uint64_t>(json, "removed");
  report.conflicts = number_in<std::uint64_t>(json, "conflicts");
  report.kept_in = text_in(json, "kept-in");
  return report;
}

}  // namespace ha::sync
