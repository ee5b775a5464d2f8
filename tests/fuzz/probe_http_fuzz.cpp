/// Any bytes are a page of statistics or an unusable one, and the same whether they come whole or
/// in pieces; and any text is a URL or none.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "haproxy_probe/http.hpp"

namespace {

using namespace ha::probe;

/// What a client makes of `text`: nothing if it is unusable.
std::optional<Answer> answer_of(std::string_view text, std::size_t piece) {
  HttpBody page;
  AnswerParser parser{Form::kPage};
  std::string body;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    body.clear();
    if (!page.feed(text.substr(at, piece), body)) return std::nullopt;
    if (body.size() > piece) std::abort();
    if (!body.empty() && !parser.feed(body)) return std::nullopt;
  }
  if (!page.finish()) return std::nullopt;
  auto answer = parser.finish();
  return answer ? std::optional{std::move(*answer)} : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as the text they claim to be
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::size_t piece = size == 0 ? 1 : 1 + data[size - 1] % 64U;
  if (answer_of(text, std::max<std::size_t>(size, 1)) != answer_of(text, piece)) std::abort();
  const std::string_view line = text.substr(0, text.find('\n'));
  if (const auto url = parse_url(line)) {
    const std::string request = http_request(HttpMethod::kGet, *url, "");
    if (request.find("\r\n\r\n") != request.size() - 4) std::abort();
  }
  if (const auto credentials = parse_credentials(text)) {
    if (credentials->find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
