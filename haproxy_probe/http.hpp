/// The little of HTTP/1.1 that HAProxy's statistics page needs: where it is, how to ask for it, and
/// the body of the answer.
///
/// Pure: text in, text out. There is no HTTP library behind this because of what it does not do:
/// no redirects, no names to resolve, no connection used twice, one kind of authentication.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "ha/ip.hpp"
#include "haproxy_probe/stats.hpp"

namespace ha::probe {

struct HttpUrl {
  IpAddress address;
  std::uint16_t port = 80;
  std::string path;  ///< begins with a slash
  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

/// Whether `stats` means a statistics page, not the path of a socket.
[[nodiscard]] bool is_url(std::string_view stats);

/// Reads "http://127.0.0.1:8404/stats": an address (or `localhost`, which is 127.0.0.1), because
/// nothing here may wait for a name server; a path of at most 1024 printable characters. An error
/// is the end of a sentence: "is not http://ADDRESS:PORT/PATH".
[[nodiscard]] tl::expected<HttpUrl, std::string> parse_url(std::string_view text);

/// Reads a file of one line, "user:password". An error is the end of a sentence.
[[nodiscard]] tl::expected<std::string, std::string> parse_credentials(std::string_view text);

enum class HttpMethod : std::uint8_t { kGet, kHead };

/// Asks for the CSV of the statistics at `url`, with `credentials` ("user:password") unless they
/// are empty. After GET the server is to close, after HEAD to keep the connection.
[[nodiscard]] std::string http_request(HttpMethod method, const HttpUrl& url,
                                       std::string_view credentials);

/// Takes the body out of an answer as it arrives.
class HttpBody {
 public:
  /// Appends what `piece` holds of the body to `body`. Any status but 200 is an error.
  [[nodiscard]] tl::expected<void, ParseError> feed(std::string_view piece, std::string& body);

  /// Whether the body has come to the end that was announced.
  [[nodiscard]] bool ended() const { return part_ == Part::kEnded; }

  /// Whether what came until the connection ended is a whole answer.
  [[nodiscard]] tl::expected<void, ParseError> finish() const;

 private:
  enum class Part : std::uint8_t {
    kStatus,
    kHeaders,
    kLength,      ///< of a known length
    kUntilClose,  ///< of an unknown one
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailers,
    kEnded,
  };
  using Taken = tl::expected<void, ParseError>;

  [[nodiscard]] Taken take_line(std::string_view line);
  [[nodiscard]] Taken take_status(std::string_view line) const;
  [[nodiscard]] Taken take_header(std::string_view line);
  [[nodiscard]] Taken take_chunk_size(std::string_view line);
  [[nodiscard]] Part part_after_headers() const;
  [[nodiscard]] bool is_line() const;

  Part part_ = Part::kStatus;
  std::string line_;            ///< the beginning of one whose end has not arrived
  std::size_t head_bytes_ = 0;  ///< of status, headers and trailers
  std::size_t left_bytes_ = 0;  ///< of the body, or of the chunk
  bool length_is_known_ = false;
  bool chunked_ = false;
};

}  // namespace ha::probe
