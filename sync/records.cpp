#include "sync/records.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>

namespace ha::sync {
namespace {

constexpr std::size_t kLinesMax = 32;

tl::unexpected<std::string> refuse(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

using Fields = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] std::string record(std::string_view kind, const Fields& fields) {
  std::string text = fmt::format("gluster-sync {} 1\n", kind);
  for (const auto& [key, value] : fields) text += fmt::format("{} {}\n", key, escaped(value));
  return text + "end\n";
}

/// Reads one record off the front of `text`.
[[nodiscard]] ParsedRecord<Fields> read_record(std::string_view kind, std::string_view& text) {
  const auto line = [&]() -> std::optional<std::string_view> {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view found = text.substr(0, end);
    text.remove_prefix(end + 1);
    return found;
  };
  if (line() != fmt::format("gluster-sync {} 1", kind)) {
    return refuse(fmt::format("is no {} of this version", kind));
  }
  Fields fields;
  for (std::size_t i = 0; i < kLinesMax; ++i) {
    const auto one = line();
    if (!one) return refuse("is cut");
    if (*one == "end") return fields;
    const std::size_t blank = one->find(' ');
    if (blank == std::string_view::npos) return refuse("has a line without a value");
    auto value = unescaped(one->substr(blank + 1));
    if (!value) return refuse(value.error());
    fields.emplace(one->substr(0, blank), std::move(*value));
  }
  return refuse("has too many lines");
}

/// Takes values out of a record; one that is missing or broken makes all of it unusable.
class Reader {
 public:
  Reader(std::string_view kind, std::string_view& text) : fields_{read_record(kind, text)} {}

  void take(std::string_view key, std::string& into) {
    if (const std::string* value = find(key)) into = *value;
  }
  template <class Integer>
  void take(std::string_view key, Integer& into) {
    const std::string* value = find(key);
    if (value == nullptr) return;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), into);
    if (error != std::errc{} || end != value->data() + value->size()) {
      problem_ = fmt::format("has a broken {}", key);
    }
  }
  void take(Version& into) {
    take("generation", into.generation);
    take("epoch", into.epoch);
  }

  template <class T>
  [[nodiscard]] ParsedRecord<T> give(T value) {
    if (!fields_) return refuse(fields_.error());
    if (!problem_.empty()) return refuse(problem_);
    return value;
  }

 private:
  [[nodiscard]] const std::string* find(std::string_view key) {
    if (!fields_) return nullptr;
    const auto found = fields_->find(key);
    if (found != fields_->end()) return &found->second;
    problem_ = fmt::format("has no {}", key);
    return nullptr;
  }

  ParsedRecord<Fields> fields_;
  std::string problem_;
};

}  // namespace

std::string to_text(const Head& head) {
  return record("head", {{"generation", std::to_string(head.version.generation)},
                         {"epoch", std::to_string(head.version.epoch)},
                         {"node", head.node},
                         {"scanned", std::to_string(head.scanned)},
                         {"committed", std::to_string(head.committed)},
                         {"digest", head.digest},
                         {"snapshot", std::to_string(head.snapshot)},
                         {"files", std::to_string(head.totals.files)},
                         {"bytes", std::to_string(head.totals.size_bytes)}});
}

ParsedRecord<Head> parse_head(std::string_view text) {
  Reader reader{"head", text};
  Head head;
  reader.take(head.version);
  reader.take("node", head.node);
  reader.take("scanned", head.scanned);
  reader.take("committed", head.committed);
  reader.take("digest", head.digest);
  reader.take("snapshot", head.snapshot);
  reader.take("files", head.totals.files);
  reader.take("bytes", head.totals.size_bytes);
  return reader.give(head);
}

std::string to_text(const Claim& claim) {
  return record("claim", {{"epoch", std::to_string(claim.epoch)},
                          {"token", claim.token},
                          {"node", claim.node},
                          {"claimed", std::to_string(claim.claimed)},
                          {"reason", claim.reason}});
}

ParsedRecord<Claim> parse_claim(std::string_view text) {
  Reader reader{"claim", text};
  Claim claim;
  reader.take("epoch", claim.epoch);
  reader.take("token", claim.token);
  reader.take("node", claim.node);
  reader.take("claimed", claim.claimed);
  reader.take("reason", claim.reason);
  return reader.give(claim);
}

std::string to_text(const Pulse& pulse) {
  return record("pulse", {{"generation", std::to_string(pulse.version.generation)},
                          {"epoch", std::to_string(pulse.version.epoch)},
                          {"count", std::to_string(pulse.count)},
                          {"scanned", std::to_string(pulse.scanned)},
                          {"took_ms", std::to_string(pulse.took_ms)}});
}

ParsedRecord<Pulse> parse_pulse(std::string_view text) {
  Reader reader{"pulse", text};
  Pulse pulse;
  reader.take(pulse.version);
  reader.take("count", pulse.count);
  reader.take("scanned", pulse.scanned);
  reader.take("took_ms", pulse.took_ms);
  return reader.give(pulse);
}

std::string to_text(const Base& base) {
  return record("base", {{"generation", std::to_string(base.version.generation)},
                         {"epoch", std::to_string(base.version.epoch)},
                         {"digest", base.digest},
                         {"target", base.target_id}});
}

ParsedRecord<Base> parse_base(std::string_view& text) {
  Reader reader{"base", text};
  Base base;
  reader.take(base.version);
  reader.take("digest", base.digest);
  reader.take("target", base.target_id);
  return reader.give(base);
}

std::string name_of(Version version) {
  return fmt::format("{}.{}", version.generation, version.epoch);
}

ParsedRecord<Version> parse_version(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return refuse("is no version");
  const auto generation = parse_number(name.substr(0, dot));
  const auto epoch = parse_number(name.substr(dot + 1));
  if (!generation || !epoch) return refuse("is no version");
  return Version{*generation, *epoch};
}

ParsedRecord<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0')) return refuse("is no number");
  return value;
}

}  // namespace ha::sync
