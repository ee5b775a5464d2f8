/// Any bytes are an answer or an unusable one, and the same whether they come whole or in pieces;
/// an answer can be counted and judged.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "haproxy_probe/evaluator.hpp"

namespace {

using namespace ha::probe;

tl::expected<Answer, ParseError> parse_in_pieces(std::string_view text, std::size_t piece) {
  AnswerParser parser;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (auto taken = parser.feed(text.substr(at, piece)); !taken) {
      return tl::unexpected<ParseError>{std::move(taken.error())};
    }
  }
  return parser.finish();
}

void judge(Answer&& answer) {
  static Evaluator evaluator{[] {
    ProbeConfig config;
    config.scope = ServerScope::kAll;
    return config;
  }()};
  static ha::TimePoint now;
  now += std::chrono::seconds{1};
  evaluator.handle(StatsReceived{std::move(answer.servers)}, now);
  const Report& report = evaluator.report();
  if (report.servers_up > report.servers || report.percentage > 100) std::abort();
  if (overall_line(report).empty() || report.reason.empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  auto whole = parse_answer(text);
  const std::size_t piece = size == 0 ? 1 : 1 + data[size - 1] % 64U;
  const auto pieces = parse_in_pieces(text, piece);
  if (whole.has_value() != pieces.has_value()) std::abort();
  if (whole && *whole != *pieces) std::abort();
  if (!whole && whole.error().reason.empty()) std::abort();
  if (whole) judge(std::move(*whole));
  return 0;
}
