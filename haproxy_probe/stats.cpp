#include "haproxy_probe/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace ha::probe {
namespace {

constexpr auto kNotThere = std::string_view::npos;

tl::unexpected<ParseError> unusable(std::string reason) {
  return tl::unexpected<ParseError>{ParseError{std::move(reason)}};
}

/// The columns of the CSV and of `show servers state` that matter, the required ones first.
namespace csv {
enum Column : std::size_t { kBackend, kServer, kStatus, kType, kCheck, kAgent, kAddress };
constexpr std::array<std::string_view, 7> kNames = {
    "pxname", "svname", "status", "type", "check_status", "agent_status", "addr"};
constexpr std::size_t kRequired = 4;
}  // namespace csv

namespace state {
enum Column : std::size_t { kBackend, kServer, kAddress, kState, kAdmin, kCheck, kFlags, kFqdn };
constexpr std::array<std::string_view, 8> kNames = {
    "be_name",         "srv_name",         "srv_addr",        "srv_op_state",
    "srv_admin_state", "srv_check_status", "srv_check_state", "srv_fqdn"};
constexpr std::size_t kRequired = 8;
}  // namespace state

/// Where the field that begins at `from` ends: at a separator outside quotes, or with the record.
std::size_t field_end(std::string_view record, std::size_t from, char separator) {
  bool in_quotes = false;
  for (std::size_t i = from; i < record.size(); ++i) {
    const char c = record[i];
    if (c == '"' && separator == ',') {
      in_quotes = !in_quotes;
    } else if (!in_quotes && c == separator) {
      return i;
    }
  }
  return record.size();
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

/// "10.0.0.1" or "fe80::1"; anything else is no address.
std::optional<IpAddress> address_of(std::string_view text) {
  namespace ip = boost::asio::ip;
  boost::system::error_code error;
  // Not make_address(), which tries IPv6 first: this is most of the work of a row.
  const bool is_ipv6 = text.find(':') != kNotThere;
  const IpAddress address = is_ipv6 ? IpAddress{ip::make_address_v6(text, error)}
                                    : IpAddress{ip::make_address_v4(text, error)};
  if (error) return std::nullopt;
  return address;
}

/// "10.0.0.1:80" or "[fe80::1]:80"; anything else is no address.
std::optional<IpAddress> address_and_port_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == kNotThere) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (in_brackets) host = host.substr(1, host.size() - 2);
  const auto address = address_of(host);
  if (!address || address->is_v6() != in_brackets) return std::nullopt;
  return address;
}

/// A server as `show servers state` has it, in HAProxy's numbers.
struct ServerState {
  long state = 0;  ///< 0 stopped, 1 starting, 2 running, 3 stopping
  long admin = 0;  ///< bits, see class_of()
  long check = 0;  ///< what its last check found
  long flags = 0;  ///< of its checks
};

/// The class that classify() makes of what `show stat` says of the same server; nothing if that
/// cannot be known from here.
std::optional<ServerClass> class_of(const ServerState& server) {
  constexpr long kMaintenance = 0x01 | 0x02 | 0x04;  // by the operator, inherited, configured
  constexpr long kDrain = 0x08 | 0x10;
  constexpr long kUnresolved = 0x20;
  constexpr long kChecksEnabled = 0x04;
  constexpr long kFirstCheckResult = 2;  // what is below is no result of a check
  enum : long { kStopped, kStarting, kRunning, kStopping };

  // In `show stat`, too, a name that does not resolve hides an operator's maintenance.
  if ((server.admin & kUnresolved) != 0) return ServerClass::kDown;
  if ((server.admin & kMaintenance) != 0) return ServerClass::kExcluded;
  const bool checked = (server.flags & kChecksEnabled) != 0;
  if (checked && server.check < kFirstCheckResult) return ServerClass::kUnknown;
  switch (server.state) {
    case kStopped:
      return ServerClass::kDown;
    case kStarting:
    case kRunning:
      if ((server.admin & kDrain) != 0) return ServerClass::kExcluded;
      if (!checked) return std::nullopt;
      return ServerClass::kUp;
    case kStopping:
      return ServerClass::kExcluded;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string shown{text.substr(0, kShown)};
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}\"{}", shown, text.size() > kShown ? "..." : "");
}

ServerClass classify(std::string_view status, std::string_view check_status,
                     std::string_view agent_status) {
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
  if (agent_status.substr(0, 2) == "* ") agent_status.remove_prefix(2);
  if (status == "no check" && agent_status == "L7OK") return ServerClass::kUp;
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
    const std::size_t end = end_of_record(text, begin);
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

/// Only rows are CSV: a quote in `show info` is a character of somebody's description.
std::size_t AnswerParser::end_of_record(std::string_view text, std::size_t from) const {
  return part_ == Part::kCsvRows ? record_end(text, from) : text.find('\n', from);
}

tl::expected<Answer, ParseError> AnswerParser::finish() {
  if (total_bytes_ == 0) return unusable("the connection was closed without an answer");
  if (part_ == Part::kInfo || part_ == Part::kHeader) {
    return unusable("no statistics in the answer" +
                    (pending_.empty() ? std::string{} : ", which ends with " + quoted(pending_)));
  }
  const bool whole_page = form_ == Form::kPage && pending_.empty();
  if (part_ != Part::kEnded && !whole_page) return unusable("the answer was cut short");
  return std::move(answer_);
}

AnswerParser::Taken AnswerParser::take_record(std::string_view record) {
  switch (part_) {
    case Part::kInfo:
      if (record.empty()) return {};  // between the answers of the two commands
      return record.substr(0, 2) == "# " ? take_header(record) : take_info(record);
    case Part::kHeader:
      if (record.substr(0, 2) == "# ") return take_header(record);
      return unusable("not the CSV of HAProxy's statistics: " + quoted(record));
    case Part::kCsvRows:
      if (!record.empty()) return take_csv_row(record);
      break;
    case Part::kStateRows:
      if (!record.empty()) return take_state_row(record);
      break;
    case Part::kEnded:
      break;
  }
  part_ = Part::kEnded;
  return {};
}

AnswerParser::Taken AnswerParser::take_info(std::string_view line) {
  constexpr std::string_view kStateVersion = "1";
  if (line == kStateVersion && pid_seen_) return {};
  if (line.substr(0, 15) == "Unknown command" && !pid_seen_) {
    return unusable("no `show info` there: perhaps this is the socket of a master process");
  }
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

AnswerParser::Taken AnswerParser::take_header(std::string_view line) {
  if (form_ == Form::kSocket && !pid_seen_) return unusable("no Pid in the answer to show info");
  line.remove_prefix(2);
  // `show servers state` begins with the number of the backend, the CSV with its name.
  if (form_ == Form::kSocket && line.substr(0, 6) == "be_id ") {
    part_ = Part::kStateRows;
    return find_columns(line, ' ', state::kNames, state::kRequired);
  }
  part_ = Part::kCsvRows;
  return find_columns(line, ',', csv::kNames, csv::kRequired);
}

template <std::size_t count>
AnswerParser::Taken AnswerParser::find_columns(std::string_view header, char separator,
                                               const std::array<std::string_view, count>& names,
                                               std::size_t required) {
  static_assert(count <= kColumnsMax);
  separator_ = separator;
  std::array<bool, count> found{};
  for (std::size_t at = 0, position = 0; at < header.size(); ++position) {
    const std::size_t end = std::min(header.find(separator, at), header.size());
    const auto* name = std::find(names.begin(), names.end(), header.substr(at, end - at));
    const auto column = static_cast<std::size_t>(name - names.begin());
    if (column < count && !found[column]) {
      found[column] = true;
      wanted_.push_back({position, column});
    }
    at = end + 1;
  }
  for (std::size_t column = 0; column < required; ++column) {
    if (!found[column]) {
      return unusable(fmt::format("no column {} in the answer", names[column]));
    }
  }
  return {};
}

/// The wanted fields of a row, by column; those that the header does not have are empty.
tl::expected<AnswerParser::Fields, ParseError> AnswerParser::split(std::string_view record) const {
  Fields fields;
  std::size_t at = 0;
  std::size_t position = 0;
  for (const Wanted& wanted : wanted_) {
    std::size_t end = field_end(record, at, separator_);
    for (; position < wanted.position && end < record.size(); ++position) {
      at = end + 1;
      end = field_end(record, at, separator_);
    }
    if (position < wanted.position) {
      return unusable("a row with fewer columns than its header: " + quoted(record));
    }
    fields[wanted.column] = record.substr(at, end - at);
  }
  return fields;
}

AnswerParser::Taken AnswerParser::take_csv_row(std::string_view record) {
  constexpr std::string_view kServerType = "2";
  const auto fields = split(record);
  if (!fields) return tl::unexpected<ParseError>{fields.error()};
  const Fields& f = *fields;
  if (f[csv::kType] != kServerType) return {};
  // HAProxy 2.3.0 to 2.3.2 printed rows without a name; they say nothing about any server.
  if (f[csv::kServer].empty()) return {};
  if (std::max(f[csv::kBackend].size(), f[csv::kServer].size()) > kNameBytesMax) {
    return unusable("a name that is too long: " + quoted(record));
  }
  return add({value_of(f[csv::kBackend]), value_of(f[csv::kServer]),
              classify(f[csv::kStatus], f[csv::kCheck], f[csv::kAgent]),
              address_and_port_of(f[csv::kAddress]), f[csv::kAddress] == "unix"});
}

AnswerParser::Taken AnswerParser::take_state_row(std::string_view record) {
  const auto fields = split(record);
  if (!fields) return tl::unexpected<ParseError>{fields.error()};
  const Fields& f = *fields;
  if (std::max(f[state::kBackend].size(), f[state::kServer].size()) > kNameBytesMax) {
    return unusable("a name that is too long: " + quoted(record));
  }
  ServerState server;
  const bool good =
      read_number(f[state::kState], server.state) && read_number(f[state::kAdmin], server.admin) &&
      read_number(f[state::kCheck], server.check) && read_number(f[state::kFlags], server.flags);
  if (!good) return unusable("a state that is not a number: " + quoted(record));
  const auto status = class_of(server);
  const bool address_is_hidden = f[state::kAddress] == "-" && f[state::kFqdn] == "-";
  answer_.unclear = answer_.unclear || !status || address_is_hidden;
  return add({std::string{f[state::kBackend]}, std::string{f[state::kServer]},
              status.value_or(ServerClass::kUnknown), address_of(f[state::kAddress]), false});
}

AnswerParser::Taken AnswerParser::add(ServerRow&& row) {
  if (answer_.servers.size() == kServersMax) {
    return unusable(fmt::format("more than {} servers", kServersMax));
  }
  answer_.servers.push_back(std::move(row));
  return {};
}

tl::expected<Answer, ParseError> parse_answer(std::string_view text, Form form) {
  constexpr std::size_t kPiece = 64 * 1024;
  AnswerParser parser{form};
  for (std::size_t at = 0; at < text.size(); at += kPiece) {
    if (auto taken = parser.feed(text.substr(at, kPiece)); !taken) {
      return tl::unexpected<ParseError>{std::move(taken.error())};
    }
  }
  return parser.finish();
}

}  // namespace ha::probe
