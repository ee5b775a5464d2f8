#include "haproxy_probe/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace ha::probe {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kForm = "is not http://ADDRESS:PORT/PATH";
constexpr std::size_t kPathBytesMax = 1024;
constexpr std::size_t kCredentialsBytesMax = 512;
/// Status, headers and trailers together.
constexpr std::size_t kHeadBytesMax = 16 * 1024;

tl::unexpected<ParseError> unusable(std::string reason) {
  return tl::unexpected<ParseError>{ParseError{std::move(reason)}};
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

/// "127.0.0.1:8404", "[::1]:8404", "localhost"; the port is 80 if there is none.
bool read_authority(std::string_view text, HttpUrl& url) {
  std::string_view host = text;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.back() != ']') {
    host = text.substr(0, colon);
    if (!read_number(text.substr(colon + 1), url.port, 10) || url.port == 0) return false;
  }
  if (host == "localhost") host = "127.0.0.1";
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  url.address = boost::asio::ip::make_address(host, error);
  const bool has_zone = host.find('%') != std::string_view::npos;
  return !error && !has_zone && url.address.is_v6() == in_brackets;
}

std::string base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    const std::string_view group = text.substr(at, 3);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const unsigned byte = i < group.size() ? static_cast<unsigned char>(group[i]) : 0;
      bits = bits << 8U | byte;
    }
    for (std::size_t i = 0; i < 4; ++i) {
      result += i <= group.size() ? kDigits[bits >> (18 - 6 * i) & 0x3FU] : '=';
    }
  }
  return result;
}

}  // namespace

bool is_url(std::string_view stats) {
  return !stats.starts_with('/') && stats.find("://") != std::string_view::npos;
}

tl::expected<HttpUrl, std::string> parse_url(std::string_view text) {
  if (text.substr(0, kScheme.size()) != kScheme) {
    if (lower(text.substr(0, 8)) == "https://") {
      return tl::make_unexpected("is https; use http on a loopback address, or the Unix socket");
    }
    return tl::make_unexpected(std::string{kForm});
  }
  text.remove_prefix(kScheme.size());
  const std::string_view authority = text.substr(0, text.find('/'));
  if (authority.find('@') != std::string_view::npos) {
    return tl::make_unexpected("has a user or password in it; they belong into credentials_file");
  }
  HttpUrl url;
  url.path = text.substr(authority.size());
  if (url.path.size() > kPathBytesMax || !is_printable(url.path) || url.path.empty()) {
    return tl::make_unexpected(
        fmt::format("{} with a path of 1-{} printable characters", kForm, kPathBytesMax));
  }
  if (authority.empty() || !read_authority(authority, url)) {
    return tl::make_unexpected(fmt::format("{} with an IP address or localhost", kForm));
  }
  return url;
}

tl::expected<std::string, std::string> parse_credentials(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  const bool control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
  });
  const std::size_t colon = text.find(':');
  if (control || colon == 0 || colon == std::string_view::npos ||
      text.size() > kCredentialsBytesMax) {
    return tl::make_unexpected(
        fmt::format("is not one line USER:PASSWORD of at most {} bytes", kCredentialsBytesMax));
  }
  return std::string{text};
}

std::string http_request(HttpMethod method, const HttpUrl& url, std::string_view credentials) {
  const std::string host =
      url.address.is_v6() ? fmt::format("[{}]", url.address.to_string()) : url.address.to_string();
  const bool get = method == HttpMethod::kGet;
  const std::string_view csv = url.path.find(";csv") == std::string::npos ? ";csv" : "";
  std::string request =
      fmt::format("{} {}{} HTTP/1.1\r\nHost: {}:{}\r\nConnection: {}\r\n", get ? "GET" : "HEAD",
                  url.path, csv, host, url.port, get ? "close" : "keep-alive");
  if (!credentials.empty()) request += "Authorization: Basic " + base64(credentials) + "\r\n";
  return request + "\r\n";
}

HttpBody::Taken HttpBody::feed(std::string_view piece, std::string& body) {
  while (!piece.empty()) {
    if (part_ == Part::kEnded) return unusable("text after the end of the page: " + quoted(piece));
    if (is_line()) {
      const std::size_t end = piece.find('\n');
      const std::size_t length = std::min(end, piece.size());
      head_bytes_ += length + 1;
      if (line_.size() + length > kHeadBytesMax || head_bytes_ > kHeadBytesMax) {
        return unusable(fmt::format("a head of more than {} bytes", kHeadBytesMax));
      }
      line_.append(piece.substr(0, length));
      if (end == std::string_view::npos) return {};
      piece.remove_prefix(end + 1);
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      const std::string line = std::exchange(line_, {});
      if (auto taken = take_line(line); !taken) return taken;
      continue;
    }
    const bool bounded = part_ != Part::kUntilClose;
    const std::size_t length = bounded ? std::min(left_bytes_, piece.size()) : piece.size();
    body.append(piece.substr(0, length));
    piece.remove_prefix(length);
    if (!bounded) continue;
    left_bytes_ -= length;
    if (left_bytes_ == 0) part_ = part_ == Part::kChunk ? Part::kChunkEnd : Part::kEnded;
  }
  return {};
}

HttpBody::Taken HttpBody::finish() const {
  if (part_ == Part::kEnded || part_ == Part::kUntilClose) return {};
  if (part_ == Part::kStatus && line_.empty()) {
    return unusable("the connection was closed without an answer");
  }
  return unusable("the answer was cut short");
}

bool HttpBody::is_line() const {
  return part_ != Part::kLength && part_ != Part::kUntilClose && part_ != Part::kChunk;
}

HttpBody::Taken HttpBody::take_line(std::string_view line) {
  switch (part_) {
    case Part::kStatus:
      part_ = Part::kHeaders;
      return take_status(line);
    case Part::kHeaders:
      if (!line.empty()) return take_header(line);
      part_ = part_after_headers();
      return {};
    case Part::kChunkSize:
      head_bytes_ = 0;
      return take_chunk_size(line);
    case Part::kChunkEnd:
      if (!line.empty()) return unusable("a chunk longer than it says: " + quoted(line));
      part_ = Part::kChunkSize;
      return {};
    case Part::kTrailers:
      if (line.empty()) part_ = Part::kEnded;
      return {};
    case Part::kLength:
    case Part::kUntilClose:
    case Part::kChunk:
    case Part::kEnded:
      break;
  }
  return {};
}

HttpBody::Taken HttpBody::take_status(std::string_view line) const {
  if (line.substr(0, 7) != "HTTP/1." || line.size() < 12) {
    return unusable("not an answer of HTTP: " + quoted(line));
  }
  const std::string_view code = line.substr(9, 3);
  if (code == "200") return {};
  if (code == "401") return unusable("HTTP status 401: check `credentials_file`");
  return unusable("HTTP status " + quoted(line.substr(9)));
}

HttpBody::Taken HttpBody::take_header(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return unusable("not a header of HTTP: " + quoted(line));
  const std::string name = lower(line.substr(0, colon));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "transfer-encoding") {
    if (lower(value) != "chunked") return unusable("an unknown encoding: " + quoted(value));
    chunked_ = true;
  }
  if (name == "content-length") {
    if (!read_number(value, left_bytes_, 10) || left_bytes_ > kAnswerBytesMax) {
      return unusable(
          fmt::format("a length that is not in 0-{}: {}", kAnswerBytesMax, quoted(value)));
    }
    length_is_known_ = true;
  }
  return {};
}

/// RFC 9112 section 6.3: chunks count more than a length.
HttpBody::Part HttpBody::part_after_headers() const {
  if (chunked_) return Part::kChunkSize;
  if (!length_is_known_) return Part::kUntilClose;
  return left_bytes_ == 0 ? Part::kEnded : Part::kLength;
}

HttpBody::Taken HttpBody::take_chunk_size(std::string_view line) {
  const std::string_view size = trimmed(line.substr(0, line.find(';')));
  if (!read_number(size, left_bytes_, 16) || left_bytes_ > kAnswerBytesMax) {
    return unusable("not the size of a chunk: " + quoted(line));
  }
  part_ = left_bytes_ == 0 ? Part::kTrailers : Part::kChunk;
  return {};
}

}  // namespace ha::probe
