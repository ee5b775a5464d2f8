#include "haproxy_probe/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <system_error>
#include <utility>

namespace ha::probe {
namespace {

constexpr auto kNotThere = std::string_view::npos;

tl::unexpected<ParseError> unusable(std::string reason) {
  return tl::unexpected<ParseError>{ParseError{std::move(reason)}};
}

/// Foreign text for a log line: at most 60 characters of it, and nothing that moves a cursor.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown{text.substr(0, kShown)};
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}\"{}", shown, text.size() > kShown ? "..." : "");
}

/// Where the field that begins at `from` ends: at a comma or line end outside quotes.
std::size_t field_end(std::string_view text, std::size_t from) {
  bool in_quotes = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      in_quotes = !in_quotes;
    } else if (!in_quotes && (c == ',' || c == '\n')) {
      return i;
    }
  }
  return kNotThere;
}

/// Where the record that begins at `from` ends: at the first line end outside quotes. A doubled
/// quote inside a quoted field closes and opens again, so it needs no case of its own.
std::size_t record_end(std::string_view text, std::size_t from) {
  for (;;) {
    const std::size_t line_end = text.find('\n', from);
    if (line_end == kNotThere) return kNotThere;
    const std::size_t opening = text.substr(from, line_end - from).find('"');
    if (opening == kNotThere) return line_end;
    const std::size_t closing = text.find('"', from + opening + 1);
    if (closing == kNotThere) return kNotThere;
    from = closing + 1;
  }
}

/// A field's value: its text, without the quotes if it has them.
std::string value_of(std::string_view field) {
  if (field.size() < 2 || field.front() != '"' || field.back() != '"') return std::string{field};
  std::string value;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    value += field[i];
    if (field[i] == '"') ++i;
  }
  return value;
}

bool read_number(std::string_view text, long& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// "10.0.0.1:80" or "[fe80::1]:80"; anything else is no address.
std::optional<IpAddress> address_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == kNotThere) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  boost::system::error_code error;
  IpAddress address;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    address = boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), error);
  } else {
    address = boost::asio::ip::make_address_v4(host, error);
  }
  if (error) return std::nullopt;
  return address;
}

}  // namespace

ServerClass classify(std::string_view status, std::string_view check_status) {
  // The name does not resolve: nobody asked for that maintenance, and nothing is served.
  if (status == "MAINT (resolution)") return ServerClass::kDown;
  const std::string_view word = status.substr(0, status.find(' '));
  if (word == "MAINT" || word == "DRAIN" || word == "NOLB") return ServerClass::kExcluded;

  // A star marks a check that is running; the state behind it is that of the last one.
  if (check_status.substr(0, 2) == "* ") check_status.remove_prefix(2);
  // HAProxy calls a server UP before its first check has ended, after a start and after every
  // reload.
  if (check_status == "INI" || check_status == "UNK") return ServerClass::kUnknown;
  if (word == "UP") return ServerClass::kUp;
  if (word == "DOWN") return ServerClass::kDown;
  return ServerClass::kUnknown;
}

tl::expected<void, ParseError> AnswerParser::feed(std::string_view piece) {
  total_bytes_ += piece.size();
  if (total_bytes_ > kAnswerBytesMax) {
    return unusable(fmt::format("the answer is longer than {} bytes", kAnswerBytesMax));
  }
  pending_.append(piece);
  const std::string_view text = pending_;
  std::size_t begin = 0;
  while (begin < text.size()) {
    if (part_ == Part::kEnded) {
      return unusable("text after the end of the answer: " + quoted(text.substr(begin)));
    }
    // Only rows are CSV: a quote in `show info` is a character of somebody's description.
    const std::size_t end = part_ == Part::kRows ? record_end(text, begin) : text.find('\n', begin);
    if (end == kNotThere) break;
    if (auto taken = take_record(text.substr(begin, end - begin)); !taken) return taken;
    begin = end + 1;
  }
  pending_.erase(0, begin);
  if (pending_.size() > kRecordBytesMax) {
    return unusable(fmt::format("a record is longer than {} bytes", kRecordBytesMax));
  }
  return {};
}

tl::expected<Answer, ParseError> AnswerParser::finish() {
  if (total_bytes_ == 0) return unusable("the connection was closed without an answer");
  if (part_ == Part::kInfo) {
    return unusable("no statistics in the answer" +
                    (pending_.empty() ? std::string{} : ", which ends with " + quoted(pending_)));
  }
  if (part_ != Part::kEnded) return unusable("the answer was cut short");
  return std::move(answer_);
}

tl::expected<void, ParseError> AnswerParser::take_record(std::string_view record) {
  if (part_ == Part::kInfo) {
    if (record.empty()) return {};  // between the answers of the two commands
    return record.substr(0, 2) == "# " ? take_header(record) : take_info(record);
  }
  if (record.empty()) {
    part_ = Part::kEnded;
    return {};
  }
  return take_row(record);
}

tl::expected<void, ParseError> AnswerParser::take_info(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == kNotThere) return unusable("not an answer of HAProxy: " + quoted(line));
  const std::string_view key = line.substr(0, colon);
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));

  long stopping = 0;
  bool good = true;
  if (key == "Pid") {
    good = read_number(value, answer_.identity.pid);
    pid_seen_ = true;
  } else if (key == "Start_time_sec") {
    good = read_number(value, answer_.identity.start_time_sec);
  } else if (key == "Stopping") {
    good = read_number(value, stopping);
    answer_.identity.stopping = stopping != 0;
  }
  if (!good) return unusable("not a number in the answer: " + quoted(line));
  return {};
}

tl::expected<void, ParseError> AnswerParser::take_header(std::string_view line) {
  constexpr std::array<std::string_view, kColumns> kNames = {"pxname", "svname",       "status",
                                                             "type",   "check_status", "addr"};
  constexpr std::array kRequired = {kBackend, kServer, kStatus, kType};
  if (!pid_seen_) return unusable("no Pid in the answer to show info");

  std::array<bool, kColumns> found{};
  line.remove_prefix(2);
  for (std::size_t at = 0, position = 0; at < line.size(); ++position) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    const auto* name = std::find(kNames.begin(), kNames.end(), line.substr(at, end - at));
    const auto column = static_cast<std::size_t>(name - kNames.begin());
    if (column < kColumns && !found[column]) {
      found[column] = true;
      wanted_.push_back({position, static_cast<Column>(column)});
    }
    at = end + 1;
  }
  for (const Column column : kRequired) {
    if (!found[column]) {
      return unusable(fmt::format("no column {} in the answer", kNames[column]));
    }
  }
  part_ = Part::kRows;
  return {};
}

tl::expected<void, ParseError> AnswerParser::take_row(std::string_view record) {
  constexpr std::string_view kServerType = "2";
  Fields fields;
  std::size_t at = 0;
  std::size_t position = 0;
  for (const Wanted& wanted : wanted_) {
    std::size_t end = std::min(field_end(record, at), record.size());
    for (; position < wanted.position && end < record.size(); ++position) {
      at = end + 1;
      end = std::min(field_end(record, at), record.size());
    }
    if (position < wanted.position) {
      return unusable("a row with fewer columns than its header: " + quoted(record));
    }
    fields[wanted.column] = record.substr(at, end - at);
  }
  if (fields[kType] != kServerType) return {};

  if (std::max(fields[kBackend].size(), fields[kServer].size()) > kNameBytesMax) {
    return unusable("a name that is too long: " + quoted(record));
  }
  if (answer_.servers.size() == kServersMax) {
    return unusable(fmt::format("more than {} servers", kServersMax));
  }
  answer_.servers.push_back({value_of(fields[kBackend]), value_of(fields[kServer]),
                             classify(fields[kStatus], fields[kCheckStatus]),
                             address_of(fields[kAddress]), fields[kAddress] == "unix"});
  return {};
}

tl::expected<Answer, ParseError> parse_answer(std::string_view text) {
  constexpr std::size_t kPiece = 64 * 1024;
  AnswerParser parser;
  for (std::size_t at = 0; at < text.size(); at += kPiece) {
    if (auto taken = parser.feed(text.substr(at, kPiece)); !taken) {
      return tl::unexpected<ParseError>{std::move(taken.error())};
    }
  }
  return parser.finish();
}

}  // namespace ha::probe
