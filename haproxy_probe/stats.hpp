/// HAProxy's answers as values: `show info` with `show servers state` or `show stat`, as a stats
/// socket sends them, and the CSV of its statistics page.
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
  /// `show servers state` does not tell the state of one of the servers: it has no check of its own
  /// (but may track another server, or be checked by an agent), or an address that is not shown.
  /// `show stat` has to be asked.
  bool unclear = false;

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

/// How a server with this `status`, `check_status` and `agent_status` counts (DESIGN: teams). A
/// status word that is not known is kUnknown, never kDown. HAProxy says `no check` of a server that
/// only an agent checks, too: it is up while the agent's last answer was a good one.
[[nodiscard]] ServerClass classify(std::string_view status, std::string_view check_status,
                                   std::string_view agent_status = {});

/// What a text is.
enum class Form : std::uint8_t {
  kSocket,  ///< the answer to `show info`, then to `show servers state` or `show stat -1 4 -1`
  kPage,    ///< the CSV alone; who answered stays unknown
};

/// Reads an answer as it arrives. Columns are found by name, rows told apart by `type`; quoted
/// fields may hold anything, blank lines and prompts included.
class AnswerParser {
 public:
  explicit AnswerParser(Form form = Form::kSocket)
      : form_{form}, part_{form == Form::kSocket ? Part::kInfo : Part::kHeader} {}

  /// Takes the next piece, of any length. After an error the answer is unusable and nothing more
  /// may be fed.
  [[nodiscard]] tl::expected<void, ParseError> feed(std::string_view piece);

  /// The answer, once the connection (or the page) has ended; to be called once. The end of the
  /// connection is the only mark of the end that a server's check text cannot forge; the blank line
  /// before it tells a whole answer from one cut short. A page's end is HTTP's to know.
  [[nodiscard]] tl::expected<Answer, ParseError> finish();

 private:
  enum class Part : std::uint8_t { kInfo, kHeader, kCsvRows, kStateRows, kEnded };
  static constexpr std::size_t kColumnsMax = 9;
  using Fields = std::array<std::string_view, kColumnsMax>;
  struct Wanted {
    std::size_t position = 0;
    std::size_t column = 0;
  };
  using Taken = tl::expected<void, ParseError>;

  [[nodiscard]] std::size_t end_of_record(std::string_view text, std::size_t from) const;
  [[nodiscard]] Taken take_record(std::string_view record);
  [[nodiscard]] Taken take_info(std::string_view line);
  [[nodiscard]] Taken take_header(std::string_view line);
  template <std::size_t count>
  [[nodiscard]] Taken find_columns(std::string_view header, char separator,
                                   const std::array<std::string_view, count>& names,
                                   std::size_t required);
  [[nodiscard]] tl::expected<Fields, ParseError> split(std::string_view record) const;
  [[nodiscard]] Taken take_csv_row(std::string_view record);
  [[nodiscard]] Taken take_state_row(std::string_view record);
  [[nodiscard]] Taken add(ServerRow&& row);

  Form form_;
  Part part_;
  std::string pending_;  ///< the beginning of a record whose end has not arrived
  std::size_t total_bytes_ = 0;
  std::vector<Wanted> wanted_;  ///< by position
  char separator_ = ',';
  bool pid_seen_ = false;
  Answer answer_;
};

/// Parses an answer that is there as a whole. Bounded by the length of `text`; never asserts on it.
[[nodiscard]] tl::expected<Answer, ParseError> parse_answer(std::string_view text,
                                                            Form form = Form::kSocket);

/// Foreign text for a log line: at most 60 characters of it, in quotes, and nothing that moves a
/// cursor.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace ha::probe
