/// HAProxy's answers as values: `show info` and `show stat` in CSV, as a stats socket sends them.
///
/// Pure: text goes in, in pieces or whole; what comes out is an Answer or one reason why it is
/// unusable.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "ha/ip.hpp"

namespace ha::probe {

/// How a server counts, by the first word of its status and its check state.
enum class ServerClass : std::uint8_t {
  kUp,
  kDown,
  kExcluded,  ///< MAINT, DRAIN, NOLB: an operator's or the server's own wish
  kUnknown,   ///< no check, not checked yet, or a status that HAProxy 2.6 does not have
};

struct ServerRow {
  std::string backend;
  std::string server;
  ServerClass status = ServerClass::kUnknown;
  /// Nothing: not shown (access level user) or not an IP address.
  std::optional<IpAddress> address;
  bool unix_socket = false;  ///< reached over a Unix socket, so it is on this machine

  friend bool operator==(const ServerRow&, const ServerRow&) = default;
};

/// Which worker answered.
struct Identity {
  long pid = 0;
  long start_time_sec = 0;  ///< 0 where HAProxy is too old to say
  bool stopping = false;

  friend bool operator==(const Identity&, const Identity&) = default;
};

struct Answer {
  Identity identity;
  std::vector<ServerRow> servers;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Why an answer is unusable, in words; foreign text in it is shortened and printable.
struct ParseError {
  std::string reason;

  friend bool operator==(const ParseError&, const ParseError&) = default;
};

/// Limits of what is accepted; an answer beyond any of them is unusable. Real ones need 280 bytes a
/// server.
inline constexpr std::size_t kAnswerBytesMax = 64 * 1024 * 1024;
/// A line, or a row with quoted line ends.
inline constexpr std::size_t kRecordBytesMax = 64 * 1024;
/// The longest line of HAProxy's own configuration.
inline constexpr std::size_t kNameBytesMax = 2048;
inline constexpr std::size_t kServersMax = 250'000;

/// How a server with this `status` and `check_status` counts (DESIGN: teams). A status word that is
/// not known is kUnknown, never kDown.
[[nodiscard]] ServerClass classify(std::string_view status, std::string_view check_status);

/// Reads the answer to `show info;show stat -1 4 -1` as it arrives. Columns are found by name, rows
/// told apart by `type`; quoted fields may hold anything, blank lines and prompts included.
class AnswerParser {
 public:
  /// Takes the next piece, of any length. After an error the answer is unusable and nothing more
  /// may be fed.
  [[nodiscard]] tl::expected<void, ParseError> feed(std::string_view piece);

  /// The answer, once the connection has ended; to be called once. The end of the connection is the
  /// only mark of the end that a server's check text cannot forge; the blank line before it tells a
  /// whole answer from one cut short.
  [[nodiscard]] tl::expected<Answer, ParseError> finish();

 private:
  enum class Part : std::uint8_t { kInfo, kRows, kEnded };
  enum Column : std::uint8_t {
    kBackend,
    kServer,
    kStatus,
    kType,
    kCheckStatus,
    kAddress,
    kColumns
  };
  using Fields = std::array<std::string_view, kColumns>;
  struct Wanted {
    std::size_t position = 0;
    Column column = kBackend;
  };

  [[nodiscard]] tl::expected<void, ParseError> take_record(std::string_view record);
  [[nodiscard]] tl::expected<void, ParseError> take_info(std::string_view line);
  [[nodiscard]] tl::expected<void, ParseError> take_header(std::string_view line);
  [[nodiscard]] tl::expected<void, ParseError> take_row(std::string_view record);

  Part part_ = Part::kInfo;
  std::string pending_;  ///< the beginning of a record whose end has not arrived
  std::size_t total_bytes_ = 0;
  std::vector<Wanted> wanted_;  ///< by position
  bool pid_seen_ = false;
  Answer answer_;
};

/// Parses an answer that is there as a whole. Bounded by the length of `text`; never asserts on it.
[[nodiscard]] tl::expected<Answer, ParseError> parse_answer(std::string_view text);

}  // namespace ha::probe
